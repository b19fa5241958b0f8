"""The reader of before: what the journals of schema 0003 tell, whose entries hold what was asked and not yet what it changed.

Frozen. It says for good which facts the requests of that time led to, whatever the rules have become since; so it reads plain
JSON, imports nothing of the rules, and is never edited. What it gives are facts in the shape of the first numbered law.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Json = dict[str, Any]
Tree = dict[str, dict[str, Any]]  # collection, number, field: what a dossier holds

NIL = Decimal("0.00")
ACT_KINDS = {"approve": "authorisation", "act": "ratification", "amend": "amendment"}
REVIEW, UNDO, WARNINGS = "review_findings", "undo", "warnings"
# Findings that followed from the facts, by the rules of the version that ran; the others are warnings of one step.
STANDING = frozenset(
    {
        "SIGNED_BEFORE_EXECUTORY",
        "RATE_EXCEEDS_FEE",
        "UNCLAIMED",
        "QUORUM_RULE_UNVERIFIED",
        "TRANSMISSION_UNKNOWN",
        "MOVED_AFTER_SELECTION",
        "RESIDENCE_DIFFERS",
        "AMENDED_BEFORE_EXECUTORY",
    }
)
# And of these warnings, those about the dossier itself, which went with their cause.
GOES_WITH_ITS_CAUSE = frozenset({"RESULT_NOT_PRESENTED"})
# Where each step of the trunk led; a recording left the state where it was.
LED_TO = {
    "open": "proposed", "approve": "approved", "reject": "rejected", "sign": "signed", "act": "acted", "start_training": "in_training",
    "complete_training": "trained", "receive_invoice": "invoiced", "reject_invoice": "trained", "suspend_invoice": "invoice_suspended",
    "resume_invoice": "invoiced", "settle": "settled", "order_payment": "ordered", "refuse_payment": "settled", "pay": "paid",
    "close": "closed", "close_nil": "closed", "terminate": "terminated",
}  # fmt: skip
LED_FROM = {
    "open": "unopened", "approve": "proposed", "reject": "proposed", "sign": "approved", "act": "signed", "start_training": "acted",
    "complete_training": "in_training", "receive_invoice": "trained", "reject_invoice": "invoiced invoice_suspended",
    "suspend_invoice": "invoiced", "resume_invoice": "invoice_suspended", "settle": "invoiced", "order_payment": "settled",
    "refuse_payment": "ordered", "pay": "ordered", "close": "paid", "close_nil": "trained",
    "terminate": "approved signed acted in_training",
}  # fmt: skip


class Read(NamedTuple):
    """An entry that changed the dossier: the facts it led to, as a merge patch (RFC 7396)."""

    n: int
    facts: Tree


class Illegible(ValueError):
    """The journal tells of something that those who wrote it could not have written."""


def read(entries: Iterable[Json | None]) -> tuple[list[Read], Tree, str, int]:
    """What each accepted entry led to, then the facts, the state and the version at the end. Raises Illegible.

    Beside the facts stand the `warnings` of the steps, under their code and their step.
    """
    tree: Tree = {}
    state, version, found = "unopened", 0, []
    standing: list[tuple[Tree, str]] = []  # what takes each step back that stands, and the state before it
    for place, entry in enumerate(entries, start=1):
        try:
            if entry is None:
                raise Illegible
            if entry["outcome"] != "done":
                continue
            version += 1
            facts, arrival = _facts(entry, tree, state, standing)
            if (entry["from"], entry["to"], entry["version"]) != (state, arrival, version):
                raise Illegible
            if entry["trigger"] not in (UNDO, REVIEW):
                standing.append((inverse(facts, tree), state))
            merge(tree, facts)
            found.append(Read(entry["n"], facts))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, StopIteration) as fault:
            raise Illegible(f"entrée {place}") from fault
        state = arrival
    return found, tree, state, version


def _facts(entry: Json, tree: Tree, state: str, standing: list[tuple[Tree, str]]) -> tuple[Tree, str]:
    """The facts of one entry, and where it led."""
    trigger = entry["trigger"]
    if trigger == UNDO:
        if len(standing) < 2:
            raise Illegible("undo")
        return standing.pop()
    facts = WROTE[trigger](entry["request"], tree, entry)
    warnings = {
        f"{one['code']} {trigger}": {name: one[name] for name in ("severity", "reason", "source")}
        for one in entry["reasons"]
        if one["code"] not in STANDING
    }
    facts = {**facts, WARNINGS: warnings} if warnings else facts
    if trigger not in LED_TO:
        return facts, state
    if state not in LED_FROM[trigger].split():
        raise Illegible(trigger)
    return {**facts, "dossier": {**facts.get("dossier", {}), "entered_on": entry["effective_on"]}}, LED_TO[trigger]


def merge(tree: Json, patch: Json) -> None:
    for name, value in patch.items():
        if value is None:
            tree.pop(name, None)
        elif isinstance(value, dict):
            merge(tree.setdefault(name, {}), value)
        else:
            tree[name] = value


def inverse(patch: Tree, tree: Tree) -> Tree:
    """The patch that takes `patch` back, where `tree` is what it is applied to."""
    return {name: _inverse(told, tree.get(name, {})) for name, told in patch.items()}


def _inverse(patch: Json, held: Json) -> Json:
    return {
        name: _inverse(value, held[name]) if isinstance(value, dict) and isinstance(held.get(name), dict) else held.get(name)
        for name, value in patch.items()
    }


def _copy(tree: Tree) -> Tree:
    return {name: {key: dict(value) if isinstance(value, dict) else value for key, value in facts.items()} for name, facts in tree.items()}


def _full(values: Json) -> Json:
    """A new fact: what holds nothing is left out."""
    return {name: value for name, value in values.items() if value is not None}


def _last(tree: Tree, name: str) -> int:
    return max(map(int, tree.get(name, {})), default=0)


def _new(tree: Tree, name: str, values: Json) -> Tree:
    return {name: {str(_last(tree, name) + 1): _full(values)}}


def _amended(tree: Tree, name: str, values: Json, number: int | None = None) -> Tree:
    """Other values in a fact, the last one if not told which; only what differs."""
    key = str(_last(tree, name) if number is None else number)
    known = tree[name][key]
    told = {field: value for field, value in values.items() if known.get(field) != value}
    return {name: {key: told}} if told else {}


def _opened(asked: Json, _tree: Tree, _entry: Json) -> Tree:
    cdg, university, terms = asked["parties"]["cdg"], asked["parties"]["university"], asked["terms"]
    first = int(terms["academic_year"][:4])
    begins = terms["year_starts_on"] or f"{first}-09-01"
    same = (
        "academic_year rate cap department amount_mode quorum_rule result_policy dropout_policy proxies_count quorum_verified"
        " payee_cooling_days nature payment_days"
    )
    return {
        "dossier": {"imported": True} if asked["imported"] else {},
        "parties": {
            "1": {"side": "cdg", **{name: cdg[name] for name in ("name", "siret", "department", "calendar")}},
            "2": {
                "side": "university",
                "name": university["name"],
                "siret": university["siret"],
                "payee_holder": university["payee"]["holder"],
                "payee_iban": university["payee"]["iban"],
            },
        },
        "terms": {
            "1": _full(
                {name: terms[name] for name in same.split()}
                | {
                    "year_starts_on": begins,
                    "year_ends_on": terms["year_ends_on"] or f"{first + 1}-08-31",
                    "fee_continuing": terms["fees"]["continuing"],
                    "fee_initial": terms["fees"]["initial"],
                    "takes_effect_on": begins,
                }
            )
        },
    }


def _deliberated(asked: Json, tree: Tree, entry: Json) -> Tree:
    moves = sorted((one for one in asked["movements"] if one["before_item"] <= (asked["item"] or 0)), key=lambda one: one["before_item"])
    present = dict.fromkeys(asked["present"] or ())
    away = dict.fromkeys((*(asked["absent"] or ()), *asked["excused"]))
    for move in moves:
        arrives = move["moves"] == "arrives"
        (present if arrives else away)[move["name"]] = None
        (away if arrives else present).pop(move["name"], None)
    voted = next((one for one in asked["agenda"] if one["number"] == asked["item"]), asked)
    same = "held_on act_number item seats excused reconvened chair secretary"
    return _new(
        tree,
        "acts",
        {name: asked[name] for name in same.split()}
        | {
            "trigger": entry["trigger"],
            "kind": asked["kind"] or ACT_KINDS.get(entry["trigger"]),
            "present": None if asked["present"] is None else list(present),
            "absent": None if asked["absent"] is None else list(away),
            "alternates": [[one["name"], one["sits_for"]] for one in asked["alternates"]],
            "proxies": [
                [one["giver"], one["holder"]] for one in asked["proxies"] if one["holder"] in present and one["giver"] not in present
            ],
            **{name: voted[name] for name in ("votes_for", "votes_against", "abstentions")},
        },
    )


def _signed(asked: Json, tree: Tree, _entry: Json) -> Tree:
    sides = {one["party"]: one for one in asked["signatories"]}
    values = {f"{side}_{field}": sides[side][field] for side in ("cdg", "university") for field in ("name", "title")}
    return _new(tree, "signatures", values | {name: asked[name] for name in ("signed_on", "document_sha256", "points")})


def _act(asked: Json, tree: Tree) -> int:
    return int(asked["act"] or _last(tree, "acts"))


def _transmitted(asked: Json, tree: Tree, _entry: Json) -> Tree:
    values = {"transmitted_on": asked["transmitted_on"], "receipt_number": asked["receipt_number"]}
    return _amended(tree, "acts", values, _act(asked, tree))


def _published(asked: Json, tree: Tree, _entry: Json) -> Tree:
    return _amended(
        tree, "acts", {"published_on": asked["published_on"], "publication_address": asked["address"]}, _act(asked, tree)
    )  # fmt: skip


def _appealed(asked: Json, tree: Tree, _entry: Json) -> Tree:
    values = {"act": _act(asked, tree), "by": asked["by"], "lodged_on": asked["lodged_on"]}
    for number, known in tree.get("appeals", {}).items():
        if all(known[name] == value for name, value in values.items()):
            return _amended(tree, "appeals", {"decided_on": asked["decided_on"]}, int(number))
    return _new(tree, "appeals", values | {"decided_on": asked["decided_on"]})


def _amending(asked: Json, tree: Tree, entry: Json) -> Tree:
    changes = {name: value for name, value in asked["changes"].items() if name != "fees" and value is not None}
    changes |= {f"fee_{regime}": fee for regime, fee in asked["changes"]["fees"].items() if fee is not None}
    terms = tree["terms"][str(_last(tree, "terms"))] | changes | {"takes_effect_on": asked["takes_effect_on"]}
    return _deliberated(asked["deliberation"], tree, entry) | _signed(asked, tree, entry) | _new(tree, "terms", terms)


def _retained(asked: Json, _tree: Tree, _entry: Json) -> Tree:
    people = asked.get("trainees", [asked])
    kept = "rank fee_regime insee retained_on commitment"
    return {
        "trainees": {
            str(one["number"]): {name: one[name] for name in kept.split()} | {"declared_insee": one["insee"]} for one in people
        }
    }  # fmt: skip


def _residing(asked: Json, tree: Tree, entry: Json) -> Tree:
    known = tree["trainees"][str(asked["trainee"])]
    if "verified_on" in known and not asked["correction"]:
        moved = {"moved_on": asked["verified_on"], "moved_to": asked["insee"]}
        return {} if asked["insee"] == known["insee"] else _amended(tree, "trainees", moved, asked["trainee"])
    seen = {name: asked[name] for name in ("insee", "verified_on", "evidence_kind")} | {"verified_by": entry["actor"]}
    back = {"moved_on": None, "moved_to": None} if asked["correction"] else {}
    return _amended(tree, "trainees", seen | back, asked["trainee"])


def _left(asked: Json, tree: Tree, _entry: Json) -> Tree:
    values = {"left_on": asked["left_on"], "hours_done": asked["hours_done"], "left_because": asked["reason"]}
    return _amended(tree, "trainees", values, asked["trainee"])


def _invoiced(asked: Json, tree: Tree, _entry: Json) -> Tree:
    groups = re.findall(r"[^\W_]+", asked["number"].upper())
    same = "issued_on amount currency supplier_siret iban document_sha256"
    return _new(
        tree,
        "invoices",
        {name: asked[name] for name in same.split()}
        | {
            "invoice_number": asked["number"],
            "normalised_number": "-".join(group.lstrip("0") or "0" for group in groups) or asked["number"],
            "received_on": asked["received_on"] or asked["issued_on"],
            "status": "received",
        },
    )


def _settled(_asked: Json, tree: Tree, entry: Json) -> Tree:
    invoice, on = tree["invoices"][str(_last(tree, "invoices"))], entry["effective_on"]
    versions = _in_force(tree, on)
    amount, lines = entitled(tree, on)
    ceiling = max(one["cap"] for one in versions) * max(Decimal(one["rate"]) for one in versions)
    values = {
        "invoice": _last(tree, "invoices"),
        "ceiling": format(ceiling, ".2f"),
        "entitlement": format(amount, ".2f"),
        "invoiced": invoice["amount"],
        "settled": format(min(Decimal(invoice["amount"]), amount), ".2f"),
        "lines": lines,
        "certified_on": on,
        "certified_by": entry["actor"],
        "certified_for": entry.get("on_behalf_of"),
    }
    return _new(tree, "settlements", values)


def _ordered(asked: Json, tree: Tree, entry: Json) -> Tree:
    values = {name: asked[name] for name in ("order_number", "slip_number", "fiscal_year")}
    ordered = tree["settlements"][str(_last(tree, "settlements"))]["settled"]
    who = {"ordered_on": entry["effective_on"], "ordered_by": entry["actor"], "ordered_for": entry.get("on_behalf_of")}
    return _amended(tree, "settlements", values | {"ordered": ordered} | who)


def _order_refused(_asked: Json, tree: Tree, _entry: Json) -> Tree:
    gone = "order_number slip_number fiscal_year ordered ordered_on ordered_by ordered_for"
    return _amended(tree, "settlements", dict.fromkeys(gone.split()))


def _paid(asked: Json, tree: Tree, entry: Json) -> Tree:
    who = {"paid_by": entry["actor"], "paid_for": entry.get("on_behalf_of")}
    values = {"paid": asked["amount"], "paid_on": asked["paid_on"], "accounting_reference": asked["accounting_reference"]}
    return _amended(tree, "settlements", values | who)


def _proposed(asked: Json, tree: Tree, entry: Json) -> Tree:
    who = {"proposed_by": entry["actor"], "proposed_for": entry.get("on_behalf_of")}
    days = {"proposed_on": entry["effective_on"], "recorded_on": paris_day(entry["recorded_at"])}
    return _new(tree, "payee_changes", {"holder": asked["holder"], "iban": asked["iban"]} | days | who)


def _confirmed(asked: Json, tree: Tree, entry: Json) -> Tree:
    who = {"confirmed_on": entry["effective_on"], "confirmed_by": entry["actor"]}
    return _amended(tree, "payee_changes", {"called_on": asked["called_on"], "contact": asked["contact"]} | who)


def _excluded(asked: Json, tree: Tree, entry: Json) -> Tree:
    return _amended(tree, "trainees", {"excluded_on": entry["effective_on"]}, asked["trainee"])


def _recovering(asked: Json, tree: Tree, entry: Json) -> Tree:
    excluded = _excluded(asked, tree, entry)
    there = _copy(tree)
    merge(there, excluded)
    settlement = tree["settlements"][str(_last(tree, "settlements"))]
    ordered_back = sum((Decimal(one["amount"]) for one in tree.get("recoveries", {}).values()), NIL)
    amount = max(NIL, Decimal(settlement["paid"]) - entitled(there, settlement["certified_on"])[0] - ordered_back)
    who = {"ordered_on": entry["effective_on"], "ordered_by": entry["actor"], "ordered_for": entry.get("on_behalf_of")}
    values = {name: asked[name] for name in ("trainee", "motive", "order_number")} | {"amount": format(amount, ".2f")}
    return excluded | _new(tree, "recoveries", values | who)


def _recovered(asked: Json, tree: Tree, entry: Json) -> Tree:
    waiting = [int(number) for number, one in tree["recoveries"].items() if "recovered_on" not in one]
    values = {"recovered_on": asked["recovered_on"], "accounting_reference": asked["accounting_reference"], "recovered_by": entry["actor"]}
    return _amended(tree, "recoveries", values, asked["recovery"] or min(waiting))


def _lent(asked: Json, tree: Tree, entry: Json) -> Tree:
    values = {"role": asked["role"], "holder": asked["to"], "starts_on": asked["starts_on"], "ends_on": asked["ends_on"]}
    return _new(tree, "delegations", {"giver": entry["actor"], **values})


def _nothing(_asked: Json, _tree: Tree, _entry: Json) -> Tree:
    return {}


def _copies(name: str, **fields: str) -> Callable[[Json, Tree, Json], Tree]:
    """A step that adds a fact of fields that were asked."""
    return lambda asked, tree, _entry: _new(tree, name, {field: asked[given] for field, given in fields.items()})


def _sets(name: str, **fields: str) -> Callable[[Json, Tree, Json], Tree]:
    """A step that gives the last fact fields that were asked."""
    return lambda asked, tree, _entry: _amended(tree, name, {field: asked[given] for field, given in fields.items()})


def _puts(name: str, **values: Any) -> Callable[[Json, Tree, Json], Tree]:
    """A step that gives the last fact values of its own."""
    return lambda _asked, tree, _entry: _amended(tree, name, values)


WROTE: dict[str, Callable[[Json, Tree, Json], Tree]] = {
    "open": _opened,
    **dict.fromkeys(("approve", "reject", "act", "terminate"), _deliberated),
    "sign": _signed,
    "start_training": _copies("trainings", starts_on="starts_on", ends_on="ends_on", hours="hours"),
    "complete_training": _sets("trainings", ended_on="ended_on", attestation_sha256="attestation_sha256"),
    "receive_invoice": _invoiced,
    "reject_invoice": _puts("invoices", status="rejected"),
    "suspend_invoice": _puts("invoices", status="suspended"),
    "resume_invoice": _puts("invoices", status="received"),
    "settle": _settled,
    "order_payment": _ordered,
    "refuse_payment": _order_refused,
    "pay": _paid,
    **dict.fromkeys(("close", "close_nil", REVIEW), _nothing),
    "transmit_act": _transmitted,
    "publish_act": _published,
    "verify_quorum_rule": _puts("terms", quorum_verified=True),
    "record_appeal": _appealed,
    "amend": _amending,
    **dict.fromkeys(("retain_trainee", "retain_trainees"), _retained),
    "verify_residence": _residing,
    "correct_trainee": lambda asked, tree, _: _amended(
        tree, "trainees", _full({"rank": asked["rank"], "fee_regime": asked["fee_regime"]}), asked["trainee"]
    ),
    "record_dropout": _left,
    "hold_committee": _copies("committees", held_on="held_on", minutes_sha256="minutes_sha256"),
    "present_result": _sets("trainings", presented_on="presented_on", result_sha256="document_sha256"),
    "propose_payee": _proposed,
    "confirm_payee": _confirmed,
    "reject_payee": lambda _asked, tree, entry: _amended(tree, "payee_changes", {"rejected_on": entry["effective_on"]}),
    "exclude_trainee": _excluded,
    "order_recovery": _recovering,
    "record_recovery": _recovered,
    "delegate": _lent,
    "attach": lambda asked, tree, entry: _new(
        tree, "documents", {"title": asked["title"], "sha256": asked["sha256"], "attached_on": entry["effective_on"]}
    ),
}


def paris_day(recorded_at: str) -> str:
    return datetime.fromisoformat(recorded_at).astimezone(ZoneInfo("Europe/Paris")).date().isoformat()


# The calculation of that time: who counts, in the order of ranks, up to the cap, at which unit price.


def _in_force(tree: Tree, on: str) -> list[Json]:
    terms = [tree["terms"][str(number)] for number in sorted(map(int, tree["terms"]))]
    return [one for place, one in enumerate(terms) if not place or one["takes_effect_on"] <= on]


def entitled(tree: Tree, on: str) -> tuple[Decimal, list[list[Any]]]:
    """The right to subsidy on a day in euros, and its lines: trainee, rank, status, euros."""
    versions = _in_force(tree, on)
    training = tree["trainings"][str(_last(tree, "trainings"))] if tree.get("trainings") else None
    policy = versions[-1].get("dropout_policy")
    amount, subsidised, lines = NIL, 0, []
    trainees = sorted((one["rank"], int(number), one) for number, one in tree.get("trainees", {}).items())
    for rank, number, one in trainees:
        place = next((at for at in range(len(versions) - 1, 0, -1) if versions[at]["takes_effect_on"] <= one["retained_on"]), 0)
        status = _status(one, versions[place], training, policy)
        if status == "COUNTED" and subsidised >= max(later["cap"] for later in versions[place:]):
            status = "OVER_CAP"
        unit = _unit(one, versions[place], training, policy) if status == "COUNTED" else NIL
        subsidised += status == "COUNTED"
        amount += unit
        lines.append([number, rank, status, str(unit)])
    return amount, lines


def _status(one: Json, terms: Json, training: Json | None, policy: str | None) -> str:  # noqa: PLR0911 - one line for each rule
    left = one.get("left_on")
    withdrew = left is not None and (training is None or left < training["starts_on"])
    if "excluded_on" in one:
        return "EXCLUDED"
    if "verified_on" not in one:
        return "WITHDRAWN" if withdrew else "RESIDENCE_UNVERIFIED"
    department = one["insee"][:3] if one["insee"][:2] in ("97", "98") else one["insee"][:2]
    if department != terms["department"]:
        return "OUTSIDE_DEPARTMENT"
    if left is None:
        return "COUNTED"
    if withdrew:
        return "WITHDRAWN"
    if policy is None:
        return "POLICY_REQUIRED"
    if policy == "none":
        return "DROPPED_OUT"
    return "HOURS_REQUIRED" if policy == "prorata" and "hours_done" not in one else "COUNTED"


def _unit(one: Json, terms: Json, training: Json | None, policy: str | None) -> Decimal:
    fee = terms.get(f"fee_{one['fee_regime']}")
    unit = Decimal(terms["rate"])
    if terms["amount_mode"] == "capped_at_fee" and fee is not None:
        unit = min(unit, Decimal(fee))
    if "left_on" not in one or policy != "prorata" or "hours_done" not in one or training is None:
        return unit
    done: Decimal = unit * min(one["hours_done"], training["hours"]) / training["hours"]
    return done.quantize(Decimal("0.01"), ROUND_HALF_UP)
