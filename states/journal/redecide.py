"""Deciding an entry of a journal again, under the law of its own number: another question than adding up what was decided.

A law whose code is gone cannot be asked any more; nor can what the journal does not hold (names, what other dossiers hold).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from states.engine.decide import decide
from states.grammar.case import Actor, Known, Past, Person, Place
from states.grammar.guard import Refused
from states.grammar.request import Request
from states.journal.fold import FINDINGS, Facts, differences, patch
from states.journal.kinds import KINDS
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.trainees.requests import ResidenceVerified, TraineeRetained, TraineesRetained, residing
from states.values.french import listed, sentences
from states.values.law import FIRST_LAW, LAW
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


def recorded(entry: dict[str, Any]) -> Outcome:
    """How an entry says that it ended."""
    done = entry["outcome"] == "done"
    codes = frozenset(reason["code"] for reason in entry["reasons"])
    if not done:
        return Outcome(done, State(entry["to"]), {}, codes)
    who = (entry["role"], entry["effective_on"], entry.get("on_behalf_of"), entry.get("undoes"))
    return Outcome(done, State(entry["to"]), _lawful(entry["facts"]), codes, *who)


def decided(before: Partnership, entry: dict[str, Any], past: Past | None = None) -> Outcome:
    """How `entry` ends when the law of its number decides it on `before`; `past` is the entry that an undo names.

    An entry of before the first number is decided under the first law, whose rules are those of its time. Raises Undecidable,
    also when the law of that number is gone; Gone when it no longer reads the request, or has no such step.
    """
    if entry.get("law", FIRST_LAW) != LAW:
        raise Undecidable("la loi de cette entrée n’est plus dans ce jalon")
    if entry["outcome"] not in ("done", "refused"):
        raise Undecidable(OVERTAKEN if entry["outcome"] == "conflict" else CARRIED_OVER)
    if entry["outcome"] == "refused" and "objection" in entry:
        raise Undecidable(BY_THE_DATABASE)
    step = STEPS.get(entry["trigger"])
    if step is None:
        raise Gone("l’étape n’est plus dans la table")
    if entry["outcome"] == "refused" and _lacks_what_was_refused(step.asks, entry["request"]):
        raise Undecidable(UNKEPT)
    try:
        request, persons = _request(step.asks, entry["request"])
    except ValidationError as fault:
        raise Gone(f"la demande ne se lit plus ({listed(sentences(step.asks, fault))})") from fault
    known = Known(_places(request), _registered(entry), past, proof=entry.get("proof"), persons=persons)
    at = datetime.fromisoformat(entry["recorded_at"])
    verdict = decide(before, step.trigger, request, actor=_actor(entry), at=at, known=known)
    if isinstance(verdict, Refused):
        return Outcome(False, before.state, {}, frozenset(one.code for one in verdict.reasons))  # noqa: FBT003 - `done`
    facts, codes = patch(before, verdict.after, differences(before, verdict.after)), frozenset(one.code for one in verdict.warnings)
    who = (
        verdict.role.value,
        verdict.effective_on.isoformat(),
        verdict.on_behalf_of,
        past.n if step.takes_back and past is not None else None,
    )
    return Outcome(True, verdict.after.state, _lawful(facts), codes, *who)  # noqa: FBT003


def _lawful(facts: Facts) -> Facts:
    """The facts as law decides them: of a finding, that it is opened or gone, whatever its words."""
    findings = {key: values and values["severity"] for key, values in facts.get(FINDINGS, {}).items() if not values or "severity" in values}
    told = {name: told for name, told in facts.items() if name != FINDINGS}
    return {**told, FINDINGS: findings} if findings else told


def effect(outcome: Outcome, before: Partnership) -> object:
    """What an outcome does to `before`, whatever numbers new facts get: two outcomes of one effect did the same."""
    if not outcome.done:
        return outcome.codes
    told = {}
    for name in outcome.facts.keys() & KINDS.keys():
        there = {fact.number for fact in getattr(before, name)}
        facts = sorted((int(number), values) for number, values in outcome.facts[name].items())
        told[name] = [(number if number in there else 0, values) for number, values in facts]
    return outcome.reached if outcome.reached is not before.state else None, told


def _lacks_what_was_refused(asks: type[Request], asked: dict[str, Any]) -> bool:
    return bool(asks.personal) or (asks is ResidenceVerified and asked.get("insee") is None)


def _request(asks: type[Request], asked: dict[str, Any]) -> tuple[Request, tuple[Person, ...] | None]:
    """The request as the journal keeps it, and the commitments that stand for the people it named."""
    if asks is TraineeRetained:
        named, person = _unnamed(asked)
        return asks.model_validate(named), (person,)
    if asks is TraineesRetained:
        people = [_unnamed(one) for one in asked["trainees"]]
        return asks.model_validate({**asked, "trainees": [one for one, _ in people]}), tuple(person for _, person in people)
    return asks.model_validate(asked), None


def _unnamed(asked: dict[str, Any]) -> tuple[dict[str, Any], Person]:
    commitment = asked.get("commitment", "")
    return {**{name: value for name, value in asked.items() if name != "commitment"}, **UNNAMED}, Person("", commitment, "")


def _places(request: Request) -> tuple[tuple[Place, ...], ...] | None:
    """The communes that were found, by the codes that the journal keeps."""
    found = residing(request)
    return tuple((Place(one.insee, "", ""),) if one.insee else () for one in found) if found else None


def _registered(entry: dict[str, Any]) -> tuple[tuple[str, frozenset[Role]], ...] | None:
    roles = entry.get("registered")
    return None if roles is None else tuple((name, frozenset(map(Role, held))) for name, held in roles.items())


def _actor(entry: dict[str, Any]) -> Actor:
    """Who acted, with every role held at that moment."""
    held = entry.get("roles", entry["role"])
    return Actor(entry["actor"], frozenset(map(Role, held.split(","))) if held else frozenset())
