"""Where a dossier stands in one line, for whoever looks after many: what is expected next, by whom, until when, and the money."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from states.engine.decide import why_not
from states.grammar.deadlines import due_on, paris_day
from states.grammar.step import Step
from states.lifecycle import steps_from
from states.partnership import Partnership
from states.vocabulary import ENGAGING, Role, State


class Outlook(NamedTuple):
    """One line of the dashboard. Euros: `engaged` is the ceiling of a convention under way, the others what was ordered and paid."""

    reference: str
    state: State
    entered_on: date | None
    step: str | None  # the trigger of the step that is expected next; None when the dossier is over
    by: tuple[Role, ...]
    due_on: date | None
    blocked: str | None  # the first reason why that step would be refused now
    findings: int
    engaged: Decimal
    ordered: Decimal
    paid: Decimal


def expected(partnership: Partnership) -> tuple[Step, date | None] | None:
    """The step that the dossier waits for: of those that move it, the first of the table that has a deadline, else the first."""
    if partnership.state.is_final:
        return None
    moving = [(step, due_on(step.within, partnership)) for step in steps_from(partnership.state) if step.dest is not None]
    return next(((step, due) for step, due in moving if due is not None), moving[0] if moving else None)


class Weight(NamedTuple):
    """What a house counts of a dossier, whatever the day: the deadline of the step that it waits for, and its money in euros."""

    due_on: date | None
    engaged: Decimal
    ordered: Decimal
    paid: Decimal


def weighed(partnership: Partnership) -> Weight:
    """What a house counts of a dossier."""
    awaited = expected(partnership)
    return _weighed(partnership, awaited[1] if awaited is not None else None)


def _weighed(partnership: Partnership, due: date | None) -> Weight:
    terms = partnership.terms[-1] if partnership.terms else None
    chains = partnership.settlements
    return Weight(
        due_on=due,
        engaged=terms.rate * terms.cap if terms and partnership.state in ENGAGING else Decimal(0),
        ordered=sum((settlement.ordered for settlement in chains if settlement.ordered is not None), Decimal(0)),
        paid=sum((settlement.paid for settlement in chains if settlement.paid is not None), Decimal(0)),
    )


def outlook(partnership: Partnership, at: datetime) -> Outlook:
    """The line of a dossier at an aware instant."""
    awaited = expected(partnership)
    step, due = awaited if awaited is not None else (None, None)
    unmet = why_not(partnership, step, at=at) if step is not None else ()
    _, engaged, ordered, paid = _weighed(partnership, due)
    return Outlook(
        reference=partnership.reference,
        state=partnership.state,
        entered_on=partnership.entered_on,
        step=step.trigger if step else None,
        by=tuple(role for role in step.by if role is not Role.CLOCK) if step else (),
        due_on=due,
        blocked=unmet[0].reason if unmet else None,
        findings=len(partnership.findings),
        engaged=engaged,
        ordered=ordered,
        paid=paid,
    )


def days_in_state(entered_on: date | None, at: datetime) -> int:
    """For how many days a dossier has been where it is."""
    return max(0, (paris_day(at) - entered_on).days) if entered_on else 0
