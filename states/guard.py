"""What a guard is: one rule of law or of the convention, with its code, its source and who can clear it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

from states.facts import Actor, Partnership
from states.law import CONVENTION, Source
from states.words import Role, Severity

WHOEVER_ENTERS = "la personne qui saisit"


class Needs(Enum):
    """What a guard must see before it can judge."""

    DOSSIER = "the dossier alone"
    REQUEST = "the request too"
    ACTOR = "the person too"


class Person(NamedTuple):
    """What the rules may know of a new trainee: a keyed digest to find doubles, and the commitment for the chain."""

    digest: str
    commitment: str
    salt: str


class Place(NamedTuple):
    """A commune, as the gazetteer knows it: its INSEE code, its name, its department."""

    insee: str
    name: str
    department: str


class Obstacle(NamedTuple):
    """A later entry that stands in the way of an undo, and why: a French phrase that follows its name."""

    n: int
    label: str
    actor: str
    because: str


class Past(NamedTuple):
    """The entry that somebody names to take it back, as the journal tells it, and the dossier as it would be without it."""

    n: int
    trigger: str
    label: str
    actor: str
    never: str | None = None  # why this entry is nothing that can be taken back, in French
    taken_back: tuple[str, str] | None = None  # who has taken it back already, and when (ISO instant in UTC)
    obstacles: tuple[Obstacle, ...] = ()
    money_moved: bool = False  # a payment was ordered, at any time
    without: Partnership | None = None


class Known(NamedTuple):
    """What the rules may ask of the world outside the dossier, looked up before they are asked; None: nobody looked.

    `places` are the communes that the request may mean: one for each residence it names, each with its candidates.
    `registered` are the people concerned, who have lent a role to the actor or are named by the request, with the roles
    that the register gives them now. `past` is the entry that an undo names.
    """

    places: tuple[tuple[Place, ...], ...] | None = None
    registered: tuple[tuple[str, frozenset[Role]], ...] | None = None
    past: Past | None = None
    salt: str = ""
    proof: str | None = None  # a `states.proof.Proof`: what became of the one-time code; None: none was asked for
    persons: tuple[Person, ...] | None = None  # whom the request names, where only a journal tells; None: the request names them


class Case(NamedTuple):
    """What a guard sees. `request` and `actor` are None when someone only asks what is missing."""

    partnership: Partnership
    trigger: str
    request: Any
    actor: Actor | None
    effective_on: date
    today: date
    persons: tuple[Person, ...] = ()
    known: Known = Known()
    on_behalf_of: str | None = None  # who has delegated the role that the actor acts in


class Reason(NamedTuple):
    """Why a step is refused, or passes with a warning: a code for machines, a French sentence for people."""

    code: str
    reason: str
    who: str
    source: str
    severity: Severity = Severity.BLOCK


class Refused(NamedTuple):
    """Every reason at once. An answer, not a crash: asking again without changing anything gives the same."""

    trigger: str
    reasons: tuple[Reason, ...]


class Guard(NamedTuple):
    """A named truth that a step demands. `objection` answers with a French sentence, or None when all is well."""

    code: str
    objection: Callable[[Case], str | None]
    needs: Needs
    clears: Role | str
    source: Source
    imported: Severity
    weigh: Callable[[Partnership, date], Severity] | None = None
    reads: tuple[str, ...] = ()  # the collections that a warning about the dossier depends on; none named: any

    @property
    def summary(self) -> str:
        """The rule in one sentence: the first line of its docstring."""
        return (self.objection.__doc__ or "").split("\n")[0]

    @property
    def who(self) -> str:
        """Who can clear it, in French."""
        return self.clears.label if isinstance(self.clears, Role) else self.clears

    def severity(self, partnership: Partnership, on: date) -> Severity:
        """How much the guard weighs: by the terms when they say so, else lighter on a dossier imported with its past."""
        if self.weigh is not None:
            return self.weigh(partnership, on)
        return self.imported if partnership.imported else Severity.BLOCK

    def judge(self, case: Case) -> Reason | None:
        """The reason why `case` does not meet the guard, or None."""
        sentence = self.objection(case)
        if sentence is None:
            return None
        severity = self.severity(case.partnership, case.effective_on)
        if severity is Severity.IGNORE:
            return None
        return Reason(self.code, sentence, self.who, str(self.source), severity)


def guard(
    code: str,
    *,
    needs: Needs = Needs.REQUEST,
    clears: Role | str = WHOEVER_ENTERS,
    source: Source = CONVENTION,
    imported: Severity = Severity.BLOCK,
    weigh: Callable[[Partnership, date], Severity] | None = None,
    reads: tuple[str, ...] = (),
) -> Callable[[Callable[[Case], str | None]], Guard]:
    """Make a guard of a function that answers with its objection. `imported` is its weight on a dossier with a past."""

    def of(objection: Callable[[Case], str | None]) -> Guard:
        return Guard(code, objection, needs, clears, source, imported, weigh, reads)

    return of
