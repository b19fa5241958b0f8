"""What people read of the board's acts and of the amendments."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from flows.cli.screen import Page
from flows.home import Home
from models.read.views import fact_told
from states.board.appeals import Windows, windows
from states.board.facts import Act
from states.convention.terms import differences
from states.partnership import Partnership
from states.values.french import counted, day
from states.values.law import FIGURES, Figure

KINDS = {"principle": "principe", "authorisation": "autorisation", "ratification": "ratification", "amendment": "avenant"}
AUTHORS = {"third_party": "d’un tiers", "prefect": "du préfet"}


def amendments(partnership: Partnership) -> list[str]:
    """Each amendment with what it changes; the terms before it stay."""
    lines = []
    for before, after in pairwise(partnership.terms):
        changes = " ; ".join(differences(before, after))
        lines.append(f"  Avenant n° {after.number - 1}, à effet du {day(after.takes_effect_on)} : {changes}")
    return ["", "Avenants", *lines]


def acts(home: Home, reference: str) -> Page:
    """The deliberations: when each can be carried out, and until when it can be contested."""
    _, partnership, journal = home.views.page(reference)
    calendar = partnership.centre.calendar or "metropole"
    lines, told = [f"{reference} : {counted(len(partnership.acts), 'délibération', 'délibérations')}"], []
    for act in partnership.acts:
        until = windows(act, partnership.appeals, calendar)
        asked = _asked(journal, act)
        lines += [*_lines(act, until, asked), *_appeals(partnership, act)]
        session = {name: asked[name] for name in ("movements", "agenda") if name in asked}
        told.append(fact_told(act) | session | {name: value.isoformat() if value else None for name, value in until._asdict().items()})
    appeals = [fact_told(one) for one in partnership.appeals]
    return Page(lines, {"acts": told, "appeals": appeals, "law": [_figure(one) for one in FIGURES]})


def _asked(journal: list[dict[str, Any]], act: Act) -> dict[str, Any]:
    """The deliberation as it was entered: a fact keeps what the item needs, the journal the whole session."""
    entered = [told["request"] for told in journal if told["outcome"] == "done" and told["trigger"] == act.trigger]
    deliberations: list[dict[str, Any]] = [request.get("deliberation", request) for request in entered]
    same = [one for one in deliberations if (one.get("held_on"), one.get("item")) == (act.held_on.isoformat(), act.item)]
    return same[-1] if same else {}


def _lines(act: Act, until: Windows, asked: dict[str, Any]) -> list[str]:
    transmitted = f"{day(act.transmitted_on)} (accusé {act.receipt_number})" if act.transmitted_on else "non consigné"
    published = f"{day(act.published_on)} ({act.publication_address})" if act.published_on else "non consigné"
    return [
        "",
        f"N° {act.number}, {KINDS.get(act.kind or '', act.matter.label)}, séance du {day(act.held_on)}",
        *([f"  Numéro de la délibération : {act.act_number}"] if act.act_number else []),
        *_session(act),
        *_course(asked, act),
        f"  Transmise au préfet : {transmitted}",
        f"  Publiée : {published}",
        f"  Exécutoire : {f'depuis le {day(act.executory_on)}' if act.executory_on else 'non'}",
        *([f"  Recours des tiers possible jusqu’au {day(until.third_parties_until)}"] if until.third_parties_until else []),
        *([f"  Déféré du préfet possible jusqu’au {day(until.prefect_until)}"] if until.prefect_until else []),
    ]


def _session(act: Act) -> list[str]:
    """Who sat when the item was opened, and how they voted, as far as the source says."""
    if act.present is None:
        return ["  Appel nominal : inconnu"]
    there = [counted(len(act.present), "présent", "présents"), counted(len(act.absent or ()), "absent ou excusé", "absents ou excusés")]
    there += [counted(len(act.proxies), "pouvoir", "pouvoirs")] if act.proxies else []
    votes = f"{act.votes_for} pour, {act.votes_against} contre, {counted(act.abstentions or 0, 'abstention', 'abstentions')}"
    led = ", ".join(f"{title} : {name}" for title, name in (("présidence", act.chair), ("secrétaire", act.secretary)) if name)
    return [f"  Séance : {', '.join(there)} pour {act.seats} sièges ; {votes}", *([f"  {led[0].upper()}{led[1:]}"] if led else [])]


def _course(asked: dict[str, Any], act: Act) -> list[str]:
    """Who came and went, and how the other items of the session were voted."""
    moved = {"arrives": "arrivée", "leaves": "départ"}
    moves = [f"{moved[one['moves']]} de {one['name']} avant le point n° {one['before_item']}" for one in asked.get("movements", ())]
    lines = [f"  En séance : {' ; '.join(moves)}"] if moves else []
    for one in asked.get("agenda", ()):
        here = " (cette délibération)" if one["number"] == act.item else ""
        votes = f"{one['votes_for']} pour, {one['votes_against']} contre, {counted(one['abstentions'], 'abstention', 'abstentions')}"
        lines.append(f"  Point n° {one['number']}, {one['title']} : {votes}{here}")
    return lines


def _appeals(partnership: Partnership, act: Act) -> list[str]:
    told = ((one, f"répondu le {day(one.decided_on)}" if one.decided_on else "sans réponse") for one in partnership.appeals)
    return [f"  Recours {AUTHORS[one.by]} du {day(one.lodged_on)}, {answer}" for one, answer in told if one.act == act.number]


def _figure(one: Figure) -> dict[str, Any]:
    return {"value": one.value, "meaning": one.meaning, "source": str(one.source), "verified": one.source.verified}
