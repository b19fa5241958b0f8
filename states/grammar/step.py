"""What a row of the table is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from states.grammar.case import Case
from states.grammar.deadlines import Within
from states.grammar.guard import Guard
from states.grammar.request import Request
from states.partnership import Partnership
from states.vocabulary import OPENED, Role, State


def unchanged(case: Case) -> Partnership:
    """What a step writes that adds no fact."""
    return case.partnership


class Step(NamedTuple):
    """One row: from which states, to which, by whom, what it asks, what refuses it, who is told, by when."""

    trigger: str
    source: tuple[State, ...]
    dest: State | None
    by: tuple[Role, ...]
    label: str
    asks: type[Request]
    guards: tuple[Guard, ...] = ()
    records: Callable[[Case], Partnership] = unchanged
    tells: tuple[Role, ...] = ()
    within: Within | None = None
    notes: Callable[[Partnership, Partnership], tuple[str, ...]] | None = None  # what the step changed, told in French
    back: bool = False
    moves_money: bool = False  # a one-time code is asked for on the command line too

    @property
    def is_recording(self) -> bool:
        return self.dest is None and not self.back

    @property
    def of_the_house(self) -> bool:
        """Whether jalon does it by itself, or its operator in its place: nobody who keeps the dossier is asked for it."""
        return set(self.by) == {Role.CLOCK, Role.OPERATOR}

    @property
    def anywhere(self) -> bool:
        """Whether it is done in every state of an open dossier."""
        return self.source == OPENED

    @property
    def can_be_undone(self) -> bool:
        """Whether taking back means this step: an undoing is never undone, and jalon's own reviews are no step of anybody."""
        return not self.back and self.trigger != "review_findings"

    def role_of(self, roles: frozenset[Role]) -> Role | None:
        """The first role of the row that is among `roles`."""
        for role in self.by:
            if role in roles:
                return role
        return None
