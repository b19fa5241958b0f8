"""The dossier that a journal tells of: every accepted entry applied again, from nothing.

What the rows of a dossier say must be what its journal says; a value changed behind the ledger's back shows here.
A step that was undone is applied and taken back, as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from states import findings
from states.delays import paris_day
from states.facts import Actor, Partnership
from states.guard import Case, Known, Past, Person, Reason
from states.lifecycle import STEPS
from states.trainee_requests import TraineeRetained, TraineesRetained
from states.words import Role, Severity, State

UNNAMED = {"family_name": "-", "given_name": "-", "born_on": "1900-01-01"}  # names are not in a journal
MONEY = "order_payment"


class Done(NamedTuple):
    """An accepted entry that nobody has undone, and the dossier before it."""

    told: dict[str, Any]
    before: Partnership


class Story(NamedTuple):
    """The dossier as its journal tells it, and the steps that still stand, in order."""

    partnership: Partnership
    standing: tuple[Done, ...]
    money_moved: bool

    @property
    def past(self) -> Past | None:
        """The step that could be undone; None when only the opening is left."""
        if len(self.standing) < 2:
            return None
        last = self.standing[-1]
        return Past(last.told["trigger"], last.told["n"], last.told["actor"], last.before, self.money_moved)


def replay(reference: str, entries: Iterable[dict[str, Any]]) -> Partnership:
    """The facts after `entries` (parsed, in order). Identities are not among them.

    Raises ValueError when an entry cannot be applied: an unknown trigger or a request that no longer reads.
    """
    return story(reference, entries).partnership


def story(reference: str, entries: Iterable[dict[str, Any]]) -> Story:
    """The facts after `entries`, and the steps that led there. Raises ValueError as `replay` does."""
    told_of = Story(Partnership(reference, False, State.UNOPENED, 0, None, ""), (), money_moved=False)  # noqa: FBT003 - `imported`
    for told in entries:
        if told["outcome"] == "done":
            told_of = _after(told_of, told)
    return told_of


def _after(told_of: Story, told: dict[str, Any]) -> Story:
    step = STEPS.get(told["trigger"])
    if step is None:
        raise ValueError(told["trigger"])
    partnership = _applied(told_of, told)
    standing = told_of.standing[:-1] if step.back else told_of.standing
    if step.can_be_undone:
        standing = (*standing, Done(told, told_of.partnership))
    return Story(partnership, standing, told_of.money_moved or step.trigger == MONEY)


def _applied(told_of: Story, told: dict[str, Any]) -> Partnership:
    step, partnership = STEPS[told["trigger"]], told_of.partnership
    request, persons = _request(step.asks, dict(told["request"]))
    effective_on = date.fromisoformat(told["effective_on"])
    actor = Actor(told["actor"], frozenset({Role(told["role"])}))
    recorded_on = paris_day(datetime.fromisoformat(told["recorded_at"]))
    known, lender = Known(past=told_of.past), told.get("on_behalf_of")
    case = Case(partnership, step.trigger, request, actor, effective_on, recorded_on, persons, known, lender)
    warnings = tuple(Reason(**{**reason, "severity": Severity(reason["severity"])}) for reason in told["reasons"])
    facts = step.records(case)
    return facts._replace(
        state=State(told["to"]),
        version=partnership.version + 1,
        entered_on=facts.entered_on if step.back or step.is_recording else effective_on,
        findings=findings.after(case, facts, warnings),
    )


def _request(asks: type[Any], asked: dict[str, Any]) -> tuple[Any, tuple[Person, ...]]:
    """The request as the journal keeps it, and the commitments that stand for the people it named."""
    if asks is TraineeRetained:
        salted = asked.pop("commitment", "")
        return asks.model_validate({**asked, **UNNAMED}), (Person("", salted, ""),)
    if asks is TraineesRetained:
        people = [dict(one) for one in asked["trainees"]]
        persons = tuple(Person("", one.pop("commitment", ""), "") for one in people)
        return asks.model_validate({**asked, "trainees": [{**one, **UNNAMED} for one in people]}), persons
    return asks.model_validate(asked), ()
