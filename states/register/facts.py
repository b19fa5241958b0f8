"""What the register keeps of people, and the entries that its journal is made of."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from states.values.plain import Json
from states.vocabulary import Role


class Deed(StrEnum):
    """What an entry of the register says."""

    FOUNDED = "founded"  # there was nobody before: the first person, who has nobody to ask
    CARRIED = "carried"  # the register had no journal yet: as an upgrade has found it
    ADDED = "added"
    ROLE_ASKED = "role_asked"  # waits for a second person
    ROLE_GIVEN = "role_given"
    ROLE_TAKEN = "role_taken"
    INVITATION_ASKED = "invitation_asked"  # waits for a second person
    INVITED = "invited"
    ENROLLED = "enrolled"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    LEFT = "left"
    ADDRESS_CHANGED = "address_changed"
    DECLINED = "declined"  # what waited for a second person is given up
    WITNESSED = "witnessed"  # somebody outside has answered that they hold the seal of a night

    @property
    def label(self) -> str:
        return DEED_LABELS[self]


DEED_LABELS = {
    Deed.FOUNDED: "premier exploitant inscrit",
    Deed.CARRIED: "repris du registre d’avant",
    Deed.ADDED: "ajouté au registre",
    Deed.ROLE_ASKED: "rôle demandé, en attente d’une seconde personne",
    Deed.ROLE_GIVEN: "rôle donné",
    Deed.ROLE_TAKEN: "rôle retiré",
    Deed.INVITATION_ASKED: "invitation demandée, en attente d’une seconde personne",
    Deed.INVITED: "invitation envoyée",
    Deed.ENROLLED: "codes à usage unique enrôlés",
    Deed.SUSPENDED: "suspendu",
    Deed.RESUMED: "rétabli",
    Deed.LEFT: "parti",
    Deed.ADDRESS_CHANGED: "adresse changée",
    Deed.DECLINED: "demande écartée",
    Deed.WITNESSED: "réponse d’un témoin consignée",
}
WAITING = {Deed.ROLE_ASKED: Deed.ROLE_GIVEN, Deed.INVITATION_ASKED: Deed.INVITED}  # what each becomes when a second person agrees


class Standing(StrEnum):
    """Whether somebody may act at all."""

    PRESENT = "present"
    SUSPENDED = "suspended"
    LEFT = "left"

    @property
    def label(self) -> str:
        return {"present": "présent", "suspended": "suspendu", "left": "parti"}[self]


class RegisterEntry(NamedTuple):
    """One entry. `recorded_at` is an ISO instant in UTC, `person` the name as the register writes it, `actor` who did it."""

    n: int
    prev: str
    deed: str
    person: str
    actor: str
    recorded_at: str
    via: str
    # What only some entries say.
    proof: str | None = None  # what became of the one-time code of the actor
    role: str | None = None
    roles: dict[str, str] | None = None  # of who was carried over: each role, and since when ("" as long as anybody knows)
    mail: str | None = None
    because: str | None = None
    answers: int | None = None  # the entry that waited for this one
    proposed_by: str | None = None  # and who had asked for it
    alone: bool | None = None  # nobody else was there who could have agreed
    invitation: str | None = None  # the sha256 of what the invitation says
    until: str | None = None  # the instant from which it is worth nothing
    enrolled: bool | None = None  # who was carried over had a secret
    witness: str | None = None  # somebody outside, who was asked for a seal; `because` is the answer
    root: str | None = None  # the root that they hold, of the seal of which night (ISO day)
    night: str | None = None

    def fields(self) -> dict[str, Json]:
        """The entry as JSON: what it does not say is left out."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class Member(NamedTuple):
    """A person as the entries add up. Each role is held since an ISO instant in UTC, "" where nobody knows since when."""

    name: str
    mail: str
    roles: dict[Role, str]
    standing: Standing = Standing.PRESENT
    enrolled: bool = False
    invitation: str | None = None
    until: str = ""

    @property
    def held(self) -> frozenset[Role]:
        """The roles in which the person may act: none when suspended or gone."""
        return frozenset(self.roles) if self.standing is Standing.PRESENT else frozenset()


@lru_cache(maxsize=1024)
def folded(name: str) -> str:
    """One spelling of a name, so that case, accents and spaces make no second person."""
    decomposed = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
