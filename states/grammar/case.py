"""What a rule sees: the dossier, what is asked, who asks, when, and what was looked up beyond the dossier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from states.partnership import Partnership
from states.vocabulary import Role

if TYPE_CHECKING:
    from states.grammar.step import Step

R = TypeVar("R")
Calculation = Callable[[Partnership, date], R]


class Actor(NamedTuple):
    """A person of the register, with every role held, and since which instant (ISO, UTC) those that have not been held for ever."""

    name: str
    roles: frozenset[Role]
    since: tuple[tuple[Role, str], ...] = ()


class Newcomer(NamedTuple):
    """What the rules may know of a new trainee: a keyed digest to find doubles, and the commitment for the chain."""

    digest: str
    commitment: str
    salt: str


class Commune(NamedTuple):
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
    money_moved: bool = False  # a payment was ordered, at any time, and this entry moved the dossier or its money
    without: Partnership | None = None


class Lookups(NamedTuple):
    """What the rules may ask of the world outside the dossier, looked up before they are asked; None: nobody looked.

    `communes` are the communes that the request may mean: one for each residence it names, each with its candidates.
    `registered` are the people concerned, who have lent a role to the actor or are named by the request, with the roles
    that the register gives them now. `past` is the entry that an undo names.
    """

    communes: tuple[tuple[Commune, ...], ...] | None = None
    registered: tuple[tuple[str, frozenset[Role]], ...] | None = None
    past: Past | None = None
    salt: str = ""
    proof: str | None = None  # a `states.dossier.proof.Proof`: what became of the one-time code; None: none was asked for
    newcomers: tuple[Newcomer, ...] | None = None  # whom the request names, where only a journal tells; None: the request names them
    waits: int = 1  # working days before a role that was given serves where money moves: a setting of the house


class Case(NamedTuple):
    """What a guard sees. `request` and `actor` are None when someone only asks what is missing."""

    partnership: Partnership
    step: Step
    request: Any
    actor: Actor | None
    effective_on: date
    today: date
    computed: dict[tuple[Calculation[Any], date], Any]  # what several rules ask for: see `once`
    newcomers: tuple[Newcomer, ...] = ()
    lookups: Lookups = Lookups()
    on_behalf_of: str | None = None  # who has delegated the role that the actor acts in

    def once(self, calculation: Calculation[R]) -> R:
        """The calculation on the dossier as it is known on the legal date, done once for all the rules of a step."""
        key = calculation, self.effective_on
        if key not in self.computed:
            self.computed[key] = calculation(self.partnership, self.effective_on)
        result: R = self.computed[key]
        return result
