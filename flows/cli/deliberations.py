"""What people read of the board's acts and of the amendments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

from flows.cli.screen import Page
from flows.home import Home
from models.read.as_json import fact_as_json
from models.read.history import HistoryLine
from states.board.appeals import Windows, windows
from states.board.facts import Act
from states.convention.terms import differences
from states.lifecycle import ROWS
from states.partnership import Partnership
from states.values.french import counted, day
from states.values.law import FIGURES, Figure
from states.values.plain import Json

Fields = dict[str, Json]

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
    dossier = home.views.dossier(reference)
    partnership = dossier.partnership
    calendar = partnership.centre.calendar or "metropole"
    lines, answer = [f"{reference} : {counted(len(partnership.acts), 'délibération', 'délibérations')}"], []
    for act in partnership.acts:
        until = windows(act, partnership.appeals, calendar)
        session = _session_of(dossier.history, act)
        lines += [*_lines(act, until, session), *_appeals(partnership, act)]
        course = {name: session[name] for name in ("movements", "agenda") if name in session}
        answer.append(fact_as_json(act) | course | {name: value.isoformat() if value else None for name, value in until._asdict().items()})
    appeals = [fact_as_json(appeal) for appeal in partnership.appeals]
    return Page(lines, {"acts": answer, "appeals": appeals, "law": [_figure(figure) for figure in FIGURES]})


def _session_of(history: list[HistoryLine], act: Act) -> Fields:
    """The deliberation as it was entered: a fact keeps what the item needs, the journal the whole session."""
    deliberating = {row.trigger for row in ROWS if row.deliberates is act.matter}
    requests = [line.entry.request for line in history if line.entry.is_done and line.entry.trigger in deliberating]
    sessions = [session for request in requests if isinstance(session := request.get("deliberation", request), dict)]
    same = [session for session in sessions if (session.get("held_on"), session.get("item")) == (act.held_on.isoformat(), act.item)]
    return same[-1] if same else {}


def _lines(act: Act, until: Windows, session: Fields) -> list[str]:
    transmitted = f"{day(act.transmitted_on)} (accusé {act.receipt_number})" if act.transmitted_on else "non consigné"
    published = f"{day(act.published_on)} ({act.publication_address})" if act.published_on else "non consigné"
    return [
        "",
        f"N° {act.number}, {KINDS.get(act.kind or '', act.matter.label)}, séance du {day(act.held_on)}",
        *([f"  Numéro de la délibération : {act.act_number}"] if act.act_number else []),
        *_session(act),
        *_course(session, act),
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


def _course(session: Fields, act: Act) -> list[str]:
    """Who came and went, and how the other items of the session were voted."""
    moved = {"arrives": "arrivée", "leaves": "départ"}
    movements, items = (cast("Sequence[Mapping[str, str | int]]", session.get(name, ())) for name in ("movements", "agenda"))
    moves = [f"{moved[str(move['moves'])]} de {move['name']} avant le point n° {move['before_item']}" for move in movements]
    lines = [f"  En séance : {' ; '.join(moves)}"] if moves else []
    for item in items:
        here = " (cette délibération)" if item["number"] == act.item else ""
        votes = (
            f"{item['votes_for']} pour, {item['votes_against']} contre, {counted(int(item['abstentions']), 'abstention', 'abstentions')}"
        )
        lines.append(f"  Point n° {item['number']}, {item['title']} : {votes}{here}")
    return lines


def _appeals(partnership: Partnership, act: Act) -> list[str]:
    return [
        f"  Recours {AUTHORS[appeal.by]} du {day(appeal.lodged_on)}, "
        f"{f'répondu le {day(appeal.decided_on)}' if appeal.decided_on else 'sans réponse'}"
        for appeal in partnership.appeals
        if appeal.act == act.number
    ]


def _figure(figure: Figure) -> dict[str, Json]:
    return {"value": figure.value, "meaning": figure.meaning, "source": str(figure.source), "verified": figure.source.verified}
