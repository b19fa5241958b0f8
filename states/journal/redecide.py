"""Deciding an entry of a journal again, under the law of its own number: another question than adding up what was decided.

A law whose code is gone cannot be asked any more; nor can what the journal does not hold (names, what other dossiers hold).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from states.engine.decide import decide
from states.grammar.case import Actor, Commune, Lookups, Newcomer, Past
from states.grammar.guard import Refused
from states.grammar.request import Request
from states.journal.entry import CONFLICT, REFUSED, Entry, Facts
from states.journal.fold import FINDINGS, differences, patch
from states.journal.kinds import KINDS
from states.journal.upcasting import Fields
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.trainees.requests import ResidenceVerified, TraineeRetained, TraineesRetained, residing
from states.values.french import listed, sentences
from states.values.law import FIRST_LAW, LAW
from states.values.plain import Json
from states.vocabulary import Role, State

UNNAMED = {"family_name": "-", "given_name": "-", "born_on": "1900-01-01"}  # names are not in a journal
# Why an entry is not decided again, as it is said after « 2 entrées n’ont pas été décidées à nouveau : ».
OVERTAKEN = "c’était déjà fait, ou le dossier avait changé entre-temps"
BY_THE_DATABASE = "la base elle-même a refusé, au vu d’autres dossiers"
UNKEPT = "le journal ne garde pas les noms et adresses qui ont été refusés"
CARRIED_OVER = "les faits d’avant y sont repris, relus par le lecteur de leur temps"


class Undecidable(Exception):
    """An entry that cannot be decided again: why, in French."""


class Gone(Undecidable):
    """What was asked cannot even be asked any more: the law has changed without its number. Why, in French."""


class Outcome(NamedTuple):
    """How an entry ended, as far as law decides it: the words of findings and refusals may be said better one day.

    `reached` is the state and, for a step that was done, its facts; `codes` are those of the refusal, or of the warnings.
    """

    done: bool
    reached: State
    facts: Facts
    codes: frozenset[str]
    role: str = ""
    effective_on: str = ""
    on_behalf_of: str | None = None
    undoes: int | None = None

    def __str__(self) -> str:
        if not self.done:
            return f"refusé ({listed(sorted(self.codes))})"
        warned = f", avec une alerte ({listed(sorted(self.codes))})" if self.codes else ""
        return f"fait, « {self.reached.label} »{warned}"


def recorded(entry: Entry) -> Outcome:
    """How an entry says that it ended."""
    codes = frozenset(reason["code"] for reason in entry.reasons)
    if not entry.is_done:
        return Outcome(entry.is_done, State(entry.dest), {}, codes)
    who = (entry.role, entry.effective_on, entry.on_behalf_of, entry.undoes)
    return Outcome(entry.is_done, State(entry.dest), _lawful(entry.facts or {}), codes, *who)


def decided(before: Partnership, entry: Entry, past: Past | None = None) -> Outcome:
    """How `entry` ends when the law of its number decides it on `before`; `past` is the entry that an undo names.

    An entry of before the first number is decided under the first law, whose rules are those of its time. Raises Undecidable,
    also when the law of that number is gone; Gone when it no longer reads the request, or has no such step.
    """
    if (FIRST_LAW if entry.law is None else entry.law) != LAW:
        raise Undecidable("la loi de cette entrée n’est plus dans ce jalon")
    if not entry.is_done and entry.outcome != REFUSED:
        raise Undecidable(OVERTAKEN if entry.outcome == CONFLICT else CARRIED_OVER)
    if not entry.is_done and entry.objection is not None:
        raise Undecidable(BY_THE_DATABASE)
    step = STEPS.get(entry.trigger)
    if step is None:
        raise Gone("l’étape n’est plus dans la table")
    if not entry.is_done and _lacks_what_was_refused(step.asks, entry.request):
        raise Undecidable(UNKEPT)
    try:
        request, newcomers = _request(step.asks, entry.request)
    except ValidationError as fault:
        raise Gone(f"la demande ne se lit plus ({listed(sentences(step.asks, fault))})") from fault
    lookups = Lookups(_communes(request), _registered(entry), past, proof=entry.proof, newcomers=newcomers, waits=entry.waits or 1)
    at = datetime.fromisoformat(entry.recorded_at)
    verdict = decide(before, step.trigger, request, actor=_actor(entry), at=at, lookups=lookups)
    if isinstance(verdict, Refused):
        return Outcome(False, before.state, {}, frozenset(reason.code for reason in verdict.reasons))  # noqa: FBT003 - `done`
    facts, codes = patch(before, verdict.after, differences(before, verdict.after)), frozenset(reason.code for reason in verdict.warnings)
    who = (
        verdict.role.value,
        verdict.effective_on.isoformat(),
        verdict.on_behalf_of,
        past.n if step.takes_back and past is not None else None,
    )
    return Outcome(True, verdict.after.state, _lawful(facts), codes, *who)  # noqa: FBT003


def _lawful(facts: Facts) -> Facts:
    """The facts as law decides them: of a finding, that it is opened or gone, whatever its words."""
    findings = {key: _severity(values) for key, values in facts.get(FINDINGS, {}).items() if not values or _severity(values) is not None}
    others = {name: patches for name, patches in facts.items() if name != FINDINGS}
    return {**others, FINDINGS: findings} if findings else others


def _severity(finding: Json) -> Json:
    return finding.get("severity") if isinstance(finding, dict) else None


def effect(outcome: Outcome, before: Partnership) -> object:
    """What an outcome does to `before`, whatever numbers new facts get: two outcomes of one effect did the same."""
    if not outcome.done:
        return outcome.codes
    changes = {}
    for name in outcome.facts.keys() & KINDS.keys():
        there = {fact.number for fact in getattr(before, name)}
        facts = sorted((int(number), values) for number, values in outcome.facts[name].items())
        changes[name] = [(number if number in there else 0, values) for number, values in facts]
    return outcome.reached if outcome.reached is not before.state else None, changes


def _lacks_what_was_refused(asks: type[Request], request: Fields) -> bool:
    return bool(asks.personal) or (asks is ResidenceVerified and request.get("insee") is None)


def _request(asks: type[Request], payload: Fields) -> tuple[Request, tuple[Newcomer, ...] | None]:
    """The request as the journal keeps it, and the commitments that stand for the people it named. Raises TypeError for odd JSON."""
    if asks is TraineeRetained:
        fields, newcomer = _unnamed(payload)
        return asks.model_validate(fields), (newcomer,)
    if asks is TraineesRetained:
        people = [_unnamed(trainee) for trainee in _groups(payload["trainees"])]
        return asks.model_validate({**payload, "trainees": [fields for fields, _ in people]}), tuple(newcomer for _, newcomer in people)
    return asks.model_validate(payload), None


def _groups(values: Json) -> Iterator[Fields]:
    if not isinstance(values, list):
        raise TypeError(values)
    for fields in values:
        if not isinstance(fields, dict):
            raise TypeError(fields)
        yield fields


def _unnamed(trainee: Fields) -> tuple[Fields, Newcomer]:
    commitment = str(trainee.get("commitment", ""))
    return {**{name: value for name, value in trainee.items() if name != "commitment"}, **UNNAMED}, Newcomer("", commitment, "")


def _communes(request: Request) -> tuple[tuple[Commune, ...], ...] | None:
    """The communes that were found, by the codes that the journal keeps."""
    found = residing(request)
    return tuple((Commune(residence.insee, "", ""),) if residence.insee else () for residence in found) if found else None


def _registered(entry: Entry) -> tuple[tuple[str, frozenset[Role]], ...] | None:
    people = entry.registered
    return None if people is None else tuple((name, frozenset(map(Role, roles))) for name, roles in people.items())


def _actor(entry: Entry) -> Actor:
    """Who acted, with every role held at that moment."""
    roles = entry.role if entry.roles is None else entry.roles
    held = frozenset(map(Role, roles.split(","))) if roles else frozenset()
    return Actor(entry.actor, held, tuple((Role(role), since) for role, since in (entry.since or {}).items()))
