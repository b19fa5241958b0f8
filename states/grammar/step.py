"""What a row of the table is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from states.board.facts import Matter
from states.grammar.case import Case
from states.grammar.deadlines import Within
from states.grammar.guard import Guard
from states.grammar.request import Request
from states.partnership import Partnership
from states.vocabulary import OPENED, Role, State

OF_THE_HOUSE = frozenset({Role.CLOCK, Role.OPERATOR})  # who keeps no dossier: jalon itself, and who looks after it


def unchanged(case: Case) -> Partnership:
    """What a step writes that adds no fact."""
    return case.partnership


class Step(NamedTuple):
    """One row. What is true of a step is a column here: nothing else of jalon knows a step by its name."""

    trigger: str
    label: str
    # Where it leads, who does it, by when; a row with no `dest` is a recording, unless it takes another back.
    source: tuple[State, ...]
    by: tuple[Role, ...]
    # What it asks, what refuses it, what it writes, who is told of it; `notes` tell in French what it changed.
    asks: type[Request]
    dest: State | None = None
    within: Within | None = None
    guards: tuple[Guard, ...] = ()
    records: Callable[[Case], Partnership] = unchanged
    tells: tuple[Role, ...] = ()
    notes: Callable[[Partnership, Partnership], tuple[str, ...]] | None = None
    # What it is.
    opens: bool = False  # it opens the dossier: there is none before it
    deliberates: Matter | None = None  # the board decides it, and this is what it decides
    commits_money: bool = False  # from here on neither a step that moved the dossier nor one about money is taken back
    about_money: bool = False  # not taken back once a payment was ordered; operators hear of its refusal
    lends_role: bool = False  # somebody may act in the role of another from then on
    takes_back: bool = False  # it takes back an entry that it names, which only the journal knows
    reviews: bool = False  # jalon looks at the findings again, by itself

    @property
    def asks_code(self) -> bool:
        """Whether a one-time code is asked for, on the command line too: for what touches money, and for who may touch it."""
        return self.about_money or self.lends_role

    @property
    def is_recording(self) -> bool:
        """Whether it adds facts and leaves the state where it is."""
        return self.dest is None and not self.takes_back

    @property
    def of_the_house(self) -> bool:
        """Whether jalon does it by itself, or its operator in its place: nobody who keeps the dossier is asked for it."""
        return OF_THE_HOUSE.issuperset(self.by)

    @property
    def anywhere(self) -> bool:
        """Whether it is done in every state of an open dossier."""
        return self.source == OPENED

    def role_of(self, roles: frozenset[Role]) -> Role | None:
        """The first role of the row that is among `roles`."""
        return next((role for role in self.by if role in roles), None)
