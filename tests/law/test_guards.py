"""Every rule, once broken and once kept; how much it weighs on a new dossier and on one imported with its past."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from walks import AGAINST, AT, CONDITIONS, IBAN, OTHER_IBAN, OTHER_SIRET, PEOPLE, RIGHT, SIGNATORIES, VOTE, WAYS, right, role_for

from states.dossier.proof import Proof
from states.engine.decide import NO_LOOKUPS, Decision, decide, next_steps, why_not
from states.grammar.case import Actor, Commune, Lookups, Obstacle, Past
from states.grammar.guard import Needs, Reason, Refused
from states.lifecycle import GUARDS, STEPS
from states.partnership import Partnership
from states.vocabulary import Role, Severity, State

Way = list[tuple[str, dict[str, Any]]]
UNKNOWN = dict.fromkeys(("seats", "present", "absent", "votes_for", "votes_against", "abstentions"))
SIXTEEN = {"present": VOTE["present"][1:], "absent": [*VOTE["absent"], VOTE["present"][0]], "votes_for": 16}
SECOND = {"family_name": "Petit", "given_name": "Anne", "rank": 2}
ANOTHER_INVOICE = {"number": "F-2026-2", "document_sha256": "f" * 64}
NEW_YEAR_2031 = datetime(2031, 1, 2, 9, 0, tzinfo=UTC)


def way(state: State, *more: str, without: str = "", selected: Way | None = None, **changed: dict[str, Any]) -> Way:
    """The shortest way into `state`, then `more`: one step left out, others `selected` before the training, requests changed."""
    steps = [(trigger, changed.get(trigger, {})) for trigger in (*WAYS[state], *more) if trigger != without]
    place = [trigger for trigger, _ in steps].index("start_training") if selected else 0
    return [*steps[:place], *(selected or []), *steps[place:]]


class Trial(NamedTuple):
    """A step that breaks one rule and no other, and nearly the same step that keeps it. `alone` holds two roles at once."""

    trigger: str
    broken: dict[str, Any] = {}  # noqa: RUF012 - never changed
    after: Way | None = None
    kept: dict[str, Any] = {}  # noqa: RUF012
    kept_after: Way | None = None
    alone: str | None = None
    at: datetime = AT
    kept_alone: str | None = None
    lookups: Lookups = Lookups()
    kept_lookups: Lookups = Lookups()
    acting: Role | None = None  # in which role, when not the first of the row
    since: str = ""  # the instant from which the actor has that role
    kept_since: str = ""


def ask(
    partnership: Partnership,
    trigger: str,
    changes: dict[str, Any],
    *,
    alone: str | None = None,
    at: datetime = AT,
    lookups: Lookups = NO_LOOKUPS,
    acting: Role | None = None,
    since: str = "",
) -> Decision | Refused:
    content = {"reference": "ESSAI-1"} | RIGHT[trigger] if trigger == "open" else right(trigger, len(partnership.acts))
    given = {name: value for name, value in (content | changes).items() if value is not None}
    role = acting or role_for(trigger)
    actor = Actor(alone or PEOPLE[role], frozenset({role}), ((role, since),) if since else ())
    return decide(
        partnership, trigger, STEPS[trigger].asks.model_validate(given), actor=actor, at=at, lookups=lookups._replace(salt="00" * 16)
    )


def walked(steps: Way, **opening: Any) -> Partnership:
    partnership = Partnership("ESSAI-1", imported=False, state=State.UNOPENED, version=0, entered_on=None, pepper="00" * 32)
    for trigger, changes in steps:
        answer = ask(partnership, trigger, changes | (opening if trigger == "open" else {}))
        assert isinstance(answer, Decision), (trigger, answer)
        partnership = answer.after
    return partnership


VERIFIED = ("verify_residence", {"trainee": 2})
BETHUNE, ATHIES_62, ATHIES_80 = Commune("62119", "Béthune", "62"), Commune("62042", "Athies", "62"), Commune("80034", "Athies", "80")
AT_ONCE = way(State.APPROVED, transmit_act={"transmitted_on": "2025-10-09"}, publish_act={"published_on": "2025-10-09"})
PROPOSED = ("propose_payee", {})
PROPOSED_BY_FARIDA = [*way(State.SETTLED), PROPOSED]
RECOVERING = [*way(State.PAID), ("order_recovery", {})]
CLOSED_NIL = [*way(State.TRAINED), ("verify_residence", {"insee": "59350", "correction": True}), ("close_nil", {})]
LEFT = [*way(State.INVOICED), ("record_dropout", {})]
PAST = Past(2, "approve", "Approuver le partenariat", "Bruno", without=walked(way(State.PROPOSED)))
RELYING = (Obstacle(3, "Signer la convention", "Tania", "a fait avancer le dossier depuis"),)


def left_under(policy: str, **dropout: Any) -> Way:
    """A trainee has left the training; the convention says what is owed."""
    terms = RIGHT["open"]["terms"] | {"dropout_policy": policy}
    return [*way(State.INVOICED, open={"terms": terms}), ("record_dropout", dropout)]


def unpublished(steps: Way) -> Way:
    """The same way, but the last deliberation was never published."""
    last = max(place for place, (trigger, _) in enumerate(steps) if trigger == "publish_act")
    return [*steps[:last], *steps[last + 1 :]]


FOR_ONE = {"open": {"terms": RIGHT["open"]["terms"] | {"cap": 1}}, "act": {"conditions": CONDITIONS | {"cap": 1}}}
TRIALS: dict[str, Trial] = {
    "PERSON_UNPROVED": Trial("approve", lookups=Lookups(proof=Proof.WRONG), kept_lookups=Lookups(proof=Proof.RIGHT)),
    # A Monday; who had the role on the Friday before has waited.
    "ROLE_TOO_NEW": Trial("settle", since="2026-11-23T08:00:00Z", kept_since="2026-11-20T17:00:00Z"),
    "FUTURE_DATE": Trial("approve", {"held_on": "2026-11-24"}, kept={"held_on": "2026-11-23"}),
    "IMPLAUSIBLE_DATE": Trial("approve", {"held_on": "2023-08-31"}, kept={"held_on": "2023-09-01"}),
    "RESULT_BEFORE_TRAINING_END": Trial("present_result", {"presented_on": "2026-05-28"}, kept={"presented_on": "2026-05-29"}),
    "ROLL_CALL_UNKNOWN": Trial("approve", UNKNOWN),
    "NO_QUORUM": Trial("approve", SIXTEEN),
    "NOT_ADOPTED": Trial("approve", AGAINST),
    "NOT_REJECTED": Trial("reject", VOTE),
    "SIGNATORY_MISSING": Trial("sign", {"signatories": SIGNATORIES[:1]}),
    "POINT_MISSING": Trial("sign", {"points": RIGHT["sign"]["points"][1:]}),
    "SIGNED_BEFORE_APPROVAL": Trial("sign", {"signed_on": "2025-10-08"}, kept={"signed_on": "2025-10-09"}, kept_after=AT_ONCE),
    "CONDITIONS_DIFFER": Trial("act", {"conditions": CONDITIONS | {"cap": 21}}),
    "ACTED_BEFORE_SIGNATURE": Trial("act", {"held_on": "2025-11-17"}, kept={"held_on": "2025-11-18"}),
    "OUTSIDE_ACADEMIC_YEAR": Trial("start_training", {"ends_on": "2026-09-01"}, kept={"ends_on": "2026-08-31"}),
    "NO_TRAINEE": Trial(
        "start_training", after=[step for step in way(State.ACTED) if step[0] not in ("retain_trainee", "verify_residence")]
    ),
    "TRAINING_NOT_ENDED": Trial("complete_training", {"ended_on": "2026-05-28"}),
    "INVOICE_BEFORE_TRAINING_END": Trial("receive_invoice", {"issued_on": "2026-05-28"}, kept={"issued_on": "2026-05-29"}),
    "SUPPLIER_IS_NOT_PARTNER": Trial("receive_invoice", {"supplier_siret": OTHER_SIRET}),
    "IBAN_DIFFERS": Trial("receive_invoice", {"iban": OTHER_IBAN}, kept={"iban": None}),
    "DUPLICATE": Trial(
        "receive_invoice",
        {"number": "f 2026/1", "document_sha256": "f" * 64},
        way(State.INVOICED, "reject_invoice"),
        ANOTHER_INVOICE,
        way(State.INVOICED, "reject_invoice"),
    ),
    "AMOUNT_IS_NIL": Trial("receive_invoice", {"amount": "0.00"}, kept={"amount": "0.01"}),
    "AMOUNT_EXCEEDS_ENTITLEMENT": Trial("receive_invoice", {"amount": "2000.01"}),
    "CURRENCY": Trial("receive_invoice", {"currency": "CHF"}),
    "CREDIT_NOTE": Trial("receive_invoice", {"kind": "credit_note"}),
    "MOTIVE_REQUIRED": Trial("suspend_invoice", {"motive": "   "}),
    "OUT_OF_ORDER": Trial("settle", {"certified_on": "2026-06-14"}, kept={"certified_on": "2026-06-15"}),
    "RESIDENCE_UNVERIFIED": Trial(
        "settle",
        after=way(State.INVOICED, selected=[("retain_trainee", SECOND)]),
        kept_after=way(State.INVOICED, selected=[("retain_trainee", SECOND), VERIFIED]),
    ),
    "RANK_TIE": Trial(
        "settle",
        after=way(State.INVOICED, selected=[("retain_trainee", SECOND | {"rank": 1}), VERIFIED], **FOR_ONE),
        kept_after=way(State.INVOICED, selected=[("retain_trainee", SECOND), VERIFIED], **FOR_ONE),
    ),
    "RESULT_NOT_PRESENTED": Trial("settle", after=way(State.INVOICED, without="present_result")),
    "INVOICE_ABOVE_ENTITLEMENT": Trial(
        "settle", after=[*way(State.INVOICED), ("verify_residence", {"insee": "59350", "correction": True})]
    ),
    "PRESCRIBED": Trial(
        "order_payment",
        {"ordered_on": "2031-01-01", "fiscal_year": 2031},
        kept={"ordered_on": "2030-12-31", "fiscal_year": 2030},
        at=NEW_YEAR_2031,
    ),
    "FISCAL_YEAR_DIFFERS": Trial("order_payment", {"fiscal_year": 2025}),
    "SAME_PERSON": Trial("order_payment", alone=PEOPLE[Role.FINANCE_OFFICER]),
    "AMOUNT_DIFFERS": Trial("pay", {"amount": "1999.99"}),
    "PAID_BEFORE_ORDER": Trial("pay", {"paid_on": "2026-06-29"}, kept={"paid_on": "2026-06-30"}),
    "ENTITLEMENT_NOT_NIL": Trial("close_nil", kept_after=way(State.TRAINED, verify_residence={"insee": "59350"})),
    "TRAINEE_ALREADY_RETAINED": Trial(
        "retain_trainee", {"family_name": "MARTIN", "given_name": "zoe"}, way(State.ACTED), SECOND, way(State.ACTED)
    ),
    "BORN_AFTER_SELECTION": Trial("retain_trainee", {"born_on": "2025-12-15"}, kept={"born_on": "2025-12-14"}),
    "UNKNOWN_TRAINEE": Trial("verify_residence", {"trainee": 2}, way(State.ACTED), {}, way(State.ACTED)),
    "SIGNED_BEFORE_EXECUTORY": Trial("sign", after=unpublished(way(State.APPROVED))),
    "ACT_NOT_EXECUTORY": Trial("order_payment", after=unpublished(way(State.SETTLED))),
    "UNKNOWN_ACT": Trial("transmit_act", {"act": 2}, way(State.APPROVED), {"act": 1}, way(State.APPROVED)),
    "BEFORE_THE_VOTE": Trial(
        "publish_act", {"published_on": "2025-10-08"}, way(State.APPROVED), {"published_on": "2025-10-09"}, way(State.APPROVED)
    ),
    "NOTHING_AMENDED": Trial("amend", {"changes": {"cap": 20}}, way(State.ACTED), {"changes": {"cap": 19}}, way(State.ACTED)),
    "AMENDED_BACKWARDS": Trial(
        "amend", {"takes_effect_on": "2026-09-01"}, way(State.ACTED), {"takes_effect_on": "2026-08-31"}, way(State.ACTED)
    ),
    "COMMUNE_UNKNOWN": Trial("retain_trainee", lookups=Lookups(communes=((),)), kept_lookups=Lookups(communes=((BETHUNE,),))),
    "AMBIGUOUS_COMMUNE": Trial(
        "retain_trainee",
        {"insee": None, "commune": "Athies"},
        lookups=Lookups(communes=((ATHIES_62, ATHIES_80),)),
        kept={"insee": None, "commune": "Athies (62)"},
        kept_lookups=Lookups(communes=((ATHIES_62,),)),
    ),
    "LEFT_BEFORE_SELECTION": Trial(
        "record_dropout", {"left_on": "2025-12-14"}, way(State.ACTED), {"left_on": "2025-12-15"}, way(State.ACTED)
    ),
    "HOURS_EXCEED_PLAN": Trial("record_dropout", {"hours_done": 295}, way(State.TRAINED), {"hours_done": 294}, way(State.TRAINED)),
    "POLICY_REQUIRED": Trial("settle", after=LEFT, kept_after=left_under("full")),
    "HOURS_REQUIRED": Trial("settle", after=left_under("prorata", hours_done=None), kept_after=left_under("full", hours_done=None)),
    "PAYEE_UNCONFIRMED": Trial(
        "order_payment", after=[*way(State.SETTLED), PROPOSED], kept_after=[*way(State.SETTLED), PROPOSED, ("reject_payee", {})]
    ),
    "NO_PAYEE_PROPOSED": Trial("reject_payee", after=way(State.SETTLED), kept_after=[*way(State.SETTLED), PROPOSED]),
    "PAYEE_SAME_PERSON": Trial(
        "confirm_payee", {}, [*way(State.SETTLED), PROPOSED], kept_after=[*way(State.SETTLED), PROPOSED], alone="Farida", kept_alone="Omar"
    ),
    "CALL_BACK_TOO_EARLY": Trial(
        "confirm_payee", {"called_on": "2026-06-16"}, PROPOSED_BY_FARIDA, {}, PROPOSED_BY_FARIDA, alone="Omar", kept_alone="Omar"
    ),
    "COOLING_OFF": Trial(
        "confirm_payee",
        {},
        [*way(State.SETTLED, open={"terms": RIGHT["open"]["terms"] | {"payee_cooling_days": 1}}), PROPOSED],
        {},
        PROPOSED_BY_FARIDA,
        alone="Omar",
        kept_alone="Omar",
    ),
    "PAYEE_PENDING": Trial("propose_payee", {}, PROPOSED_BY_FARIDA, {}, [*PROPOSED_BY_FARIDA, ("reject_payee", {})]),
    "PAYEE_DIFFERS": Trial("confirm_payee", {"iban": IBAN}, PROPOSED_BY_FARIDA, {}, PROPOSED_BY_FARIDA, alone="Omar", kept_alone="Omar"),
    "ACT_RELIED_ON": Trial("publish_act", {"act": 2}, way(State.ORDERED), {"act": 2}, way(State.SETTLED)),
    "LEFT_AFTER_THE_END": Trial(
        "record_dropout", {"left_on": "2026-05-29"}, way(State.TRAINED), {"left_on": "2026-05-28"}, way(State.TRAINED)
    ),
    "MOVED_BEFORE_SELECTION": Trial(
        "verify_residence",
        {"insee": "59350", "verified_on": "2025-12-14"},
        way(State.ACTED),
        {"insee": "59350", "verified_on": "2025-12-15"},
        way(State.ACTED),
    ),
    "NOTHING_PAID": Trial("exclude_trainee", after=CLOSED_NIL, kept_after=way(State.CLOSED)),
    "RECOVERY_BEFORE_PAYMENT": Trial("order_recovery", {"ordered_on": "2026-07-09"}, kept={"ordered_on": "2026-07-10"}),
    "STILL_RELIED_ON": Trial(
        "undo",
        after=way(State.SIGNED),
        lookups=Lookups(past=PAST._replace(obstacles=RELYING)),
        alone="Bruno",
        kept_after=way(State.APPROVED),
        kept_lookups=Lookups(past=PAST),
        kept_alone="Bruno",
    ),
    "FEES_UNKNOWN": Trial(
        "amend",
        {"changes": {"amount_mode": "capped_at_fee", "fees": {"initial": "1911.00"}}},
        way(State.ACTED),
        {"changes": {"amount_mode": "capped_at_fee", "fees": {"initial": "1911.00", "continuing": "3822.00"}}},
        way(State.ACTED),
    ),
    "FUTURE_ANSWER": Trial("record_appeal", {"decided_on": "2026-11-24"}, way(State.ACTED), {"decided_on": "2026-11-23"}, way(State.ACTED)),
    "NOTHING_TO_RECOVER": Trial(
        "order_recovery",
        after=way(State.PAID, selected=[("retain_trainee", SECOND), VERIFIED], **FOR_ONE),
        kept_after=way(State.PAID),
    ),
    "RECOVERY_OPEN": Trial(
        "close",
        after=[*way(State.PAID), ("order_recovery", {})],
        kept={"closed_on": "2026-10-02"},
        kept_after=[*way(State.PAID), ("order_recovery", {}), ("record_recovery", {})],
    ),
    "NO_OPEN_RECOVERY": Trial("record_recovery", {"recovery": 2}, RECOVERING, {"recovery": 1}, RECOVERING),
    "RECOVERED_AMOUNT_DIFFERS": Trial("record_recovery", {"amount": "1999.99"}, RECOVERING, {}, RECOVERING),
    "RECOVERED_BEFORE_ORDER": Trial(
        "record_recovery", {"recovered_on": "2026-08-31"}, RECOVERING, {"recovered_on": "2026-09-01"}, RECOVERING
    ),
    "RECOVERY_SAME_PERSON": Trial("record_recovery", {}, RECOVERING, {}, RECOVERING, alone="Omar"),
    "NOTHING_TO_UNDO": Trial(
        "undo",
        after=way(State.PROPOSED),
        lookups=Lookups(past=PAST._replace(never="l’entrée 1 est l’ouverture du dossier")),
        kept_after=way(State.APPROVED),
        kept_lookups=Lookups(past=PAST),
        kept_alone="Bruno",
    ),
    "MONEY_MOVED": Trial(
        "undo",
        after=way(State.ORDERED),
        lookups=Lookups(past=PAST._replace(money_moved=True)),
        alone="Bruno",
        kept_after=way(State.APPROVED),
        kept_lookups=Lookups(past=PAST),
        kept_alone="Bruno",
    ),
    "NOT_YOURS_TO_UNDO": Trial(
        "undo",
        after=way(State.APPROVED),
        lookups=Lookups(past=PAST),
        kept_after=way(State.APPROVED),
        kept_lookups=Lookups(past=PAST),
        kept_alone="Bruno",
    ),
    "ROLE_NOT_HELD": Trial("delegate", {"role": "public_accountant"}, way(State.ACTED), {}, way(State.ACTED)),
    "ROLES_KEPT_APART": Trial(
        "delegate",
        {"role": "authorising_officer", "to": "Paola"},
        way(State.ACTED),
        {"role": "authorising_officer", "to": "Bruno"},
        way(State.ACTED),
        acting=Role.AUTHORISING_OFFICER,
        lookups=Lookups(registered=(("Paola", frozenset({Role.PUBLIC_ACCOUNTANT})),)),
        kept_lookups=Lookups(registered=(("Bruno", frozenset({Role.BOARD_SECRETARY})),)),
    ),
    "DELEGATED_TO_ONESELF": Trial("delegate", {"to": "Tania"}, way(State.ACTED), {"to": "Bruno"}, way(State.ACTED)),
}
SOFTENED = {
    "RESULT_BEFORE_TRAINING_END",
    "SIGNED_BEFORE_EXECUTORY",
    "OUT_OF_ORDER",
    "ROLL_CALL_UNKNOWN",
    "NO_QUORUM",
    "SIGNED_BEFORE_APPROVAL",
    "POINT_MISSING",
    "ACTED_BEFORE_SIGNATURE",
}
by_code = pytest.mark.parametrize("code", TRIALS)


def before(trial: Trial, steps: Way | None) -> Way:
    """Where the trial takes place, when it does not say: the first state of its row."""
    return way(STEPS[trial.trigger].source[0]) if steps is None else steps


def breaking(code: str, **opening: Any) -> Decision | Refused:
    trial = TRIALS[code]
    return ask(
        walked(before(trial, trial.after), **opening),
        trial.trigger,
        trial.broken,
        alone=trial.alone,
        at=trial.at,
        lookups=trial.lookups,
        acting=trial.acting,
        since=trial.since,
    )


def codes(answer: Decision | Refused) -> list[str]:
    return [reason.code for reason in (answer.reasons if isinstance(answer, Refused) else answer.warnings)]


def only_reason(code: str) -> Reason:
    answer = breaking(code)
    assert isinstance(answer, Refused)
    return answer.reasons[0]


def test_every_rule_of_the_table_is_tried() -> None:
    assert set(TRIALS) == set(GUARDS)


@by_code
def test_a_step_that_breaks_one_rule_is_refused_for_that_reason_alone(code: str) -> None:
    answer = breaking(code)
    assert isinstance(answer, Refused)
    assert codes(answer) == [code]


@by_code
def test_nearly_the_same_step_is_accepted_when_it_keeps_the_rule(code: str) -> None:
    trial = TRIALS[code]
    answer = ask(
        walked(before(trial, trial.kept_after)),
        trial.trigger,
        trial.kept,
        alone=trial.kept_alone,
        at=trial.at,
        lookups=trial.kept_lookups,
        acting=trial.acting,
        since=trial.kept_since,
    )
    assert isinstance(answer, Decision), answer
    assert answer.warnings == ()


@by_code
def test_a_reason_is_a_french_sentence_with_who_can_clear_it_and_its_source(code: str) -> None:
    reason = only_reason(code)
    assert re.fullmatch(r"(?s)[A-ZÀÉ«].{10,}[.]", reason.reason), reason.reason
    assert not re.search(r"\b(the|None|True|False|Decimal|datetime|Role|State)\b", reason.reason)
    assert reason.who == GUARDS[code].who
    assert reason.source == str(GUARDS[code].source)
    assert reason.severity is Severity.BLOCK


@by_code
def test_a_rule_whose_text_was_not_read_says_so(code: str) -> None:
    assert ("texte non vérifié" in only_reason(code).source) == (not GUARDS[code].source.verified)


# How much a rule weighs.


def test_eight_rules_are_lighter_on_a_dossier_imported_with_its_past() -> None:
    assert {code for code, rule in GUARDS.items() if rule.imported is Severity.WARN} == SOFTENED


@pytest.mark.parametrize("code", sorted(SOFTENED))
def test_what_blocks_a_new_dossier_warns_an_imported_one_and_stays_visible(code: str) -> None:
    answer = breaking(code, imported=True)
    assert isinstance(answer, Decision)
    assert [(reason.code, reason.severity) for reason in answer.warnings] == [(code, Severity.WARN)]
    finding = next(one for one in answer.after.findings if one.code == code)
    assert (finding.subject, finding.severity, finding.reason) == (TRIALS[code].trigger, "warn", answer.warnings[0].reason)


@pytest.mark.parametrize("code", sorted(set(GUARDS) - SOFTENED))
def test_any_other_rule_blocks_an_imported_dossier_too(code: str) -> None:
    assert codes(breaking(code, imported=True)) == [code]
    assert isinstance(breaking(code, imported=True), Refused)


def without_result(policy: str) -> Decision | Refused:
    return breaking("RESULT_NOT_PRESENTED", terms=RIGHT["open"]["terms"] | {"result_policy": policy})


def test_a_convention_may_block_the_settlement_until_the_result_is_presented() -> None:
    answer = without_result("block")
    assert isinstance(answer, Refused)
    assert codes(answer) == ["RESULT_NOT_PRESENTED"]


def test_a_convention_may_only_warn_until_the_result_is_presented() -> None:
    answer = without_result("warn")
    assert isinstance(answer, Decision)
    assert codes(answer) == ["RESULT_NOT_PRESENTED"]
    assert [one.code for one in answer.after.findings] == ["RESULT_NOT_PRESENTED"]


def test_a_convention_may_ask_nothing_of_the_result() -> None:
    answer = without_result("ignore")
    assert isinstance(answer, Decision)
    assert answer.warnings == answer.after.findings == ()


def test_the_warning_about_the_result_goes_once_it_is_presented() -> None:
    settled = without_result("warn")
    assert isinstance(settled, Decision)
    presented = ask(settled.after, "present_result", {"presented_on": "2026-07-01"})
    assert isinstance(presented, Decision)
    assert presented.after.findings == ()


# All reasons at once.


def test_a_refusal_tells_every_reason_at_once_in_the_order_of_the_table() -> None:
    wrong = {"kind": "credit_note", "currency": "CHF", "supplier_siret": OTHER_SIRET, "iban": OTHER_IBAN}
    wrong |= {"issued_on": "2026-05-28", "amount": "2000.01"}
    assert codes(ask(walked(way(State.TRAINED)), "receive_invoice", wrong)) == [
        "CREDIT_NOTE",
        "CURRENCY",
        "SUPPLIER_IS_NOT_PARTNER",
        "IBAN_DIFFERS",
        "INVOICE_BEFORE_TRAINING_END",
        "AMOUNT_EXCEEDS_ENTITLEMENT",
    ]


def test_the_wrong_person_is_also_told_what_else_is_wrong() -> None:
    actor = Actor("Aude", frozenset({Role.AUDITOR}))
    request = STEPS["pay"].asks.model_validate(RIGHT["pay"] | {"amount": "1.00"})
    answer = decide(walked(way(State.ORDERED)), "pay", request, actor=actor, at=AT)
    assert codes(answer) == ["WRONG_ROLE", "AMOUNT_DIFFERS"]


def test_a_signature_on_the_day_before_the_act_is_executory_is_refused_and_on_that_day_is_not() -> None:
    early = ask(walked(way(State.APPROVED)), "sign", {"signed_on": "2025-10-13"})
    assert isinstance(early, Refused)
    assert codes(early) == ["SIGNED_BEFORE_EXECUTORY"]
    assert isinstance(ask(walked(way(State.APPROVED)), "sign", {"signed_on": "2025-10-14"}), Decision)


def test_a_refusal_tells_what_blocks_and_leaves_out_what_would_only_warn() -> None:
    imported = walked(way(State.APPROVED), imported=True)
    answer = ask(imported, "sign", {"points": [], "signatories": []})
    assert isinstance(answer, Refused)
    assert codes(answer) == ["SIGNATORY_MISSING"]


@pytest.mark.parametrize("code", [code for code, rule in GUARDS.items() if rule.needs is Needs.DOSSIER])
def test_what_the_dossier_alone_lacks_is_told_before_anybody_asks(code: str) -> None:
    trial = TRIALS[code]
    steps = next_steps(walked(before(trial, trial.after)), at=AT)
    assert [reason.code for reason in next(one for one in steps if one.step.trigger == trial.trigger).unmet] == [code]


def test_who_certified_is_told_beforehand_that_another_must_order() -> None:
    farida = Actor(PEOPLE[Role.FINANCE_OFFICER], frozenset({Role.AUTHORISING_OFFICER}))
    assert [one.code for one in why_not(walked(way(State.SETTLED)), STEPS["order_payment"], at=AT, actor=farida)] == ["SAME_PERSON"]


@pytest.mark.parametrize(("name", "did"), [("Farida", "certifié"), ("Omar", "mandaté")])
def test_who_certified_or_ordered_does_not_pay(name: str, did: str) -> None:
    answer = ask(walked(way(State.ORDERED)), "pay", {}, alone=name)
    assert isinstance(answer, Refused)
    assert codes(answer) == ["SAME_PERSON"]
    assert f"{name} a déjà {did} cette somme" in answer.reasons[0].reason


def test_the_sentence_about_an_amount_gives_both_amounts() -> None:
    sentence = only_reason("AMOUNT_EXCEEDS_ENTITLEMENT").reason
    assert "La facture de 2\u202f000,01\u00a0€ dépasse le droit à subvention de 2\u202f000,00\u00a0€" in sentence


def test_one_trainee_is_written_in_the_singular() -> None:
    assert "1 stagiaire subventionné)" in only_reason("AMOUNT_EXCEEDS_ENTITLEMENT").reason


def test_where_nothing_was_paid_nothing_is_ordered_back_either_and_that_is_the_one_reason() -> None:
    answer = ask(walked(CLOSED_NIL), "order_recovery", {})
    assert isinstance(answer, Refused)
    assert [reason.code for reason in answer.reasons] == ["NOTHING_PAID"]
