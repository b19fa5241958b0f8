"""The register as its entries add up: who is there, in which roles since when, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from states.register.facts import WAITING, Deed, Member, RegisterEntry, Standing, folded
from states.values.plain import Json
from states.vocabulary import Role

TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(RegisterEntry._fields, (str,)),
    "n": (int,),
    "answers": (int,),
    "alone": (bool,),
    "enrolled": (bool,),
    "roles": (dict,),
}
ALWAYS = frozenset(RegisterEntry._fields) - RegisterEntry._field_defaults.keys()


class Unreadable(Exception):
    """An entry that no jalon writes: why, in French."""


@dataclass
class House:
    """The people after the first `n` entries, the last of which has the digest `head` and was recorded at `instant`."""

    members: dict[str, Member] = field(default_factory=dict)
    waiting: dict[int, RegisterEntry] = field(default_factory=dict)
    n: int = 0
    head: str = "0" * 64
    instant: str = ""

    def member(self, name: str) -> Member | None:
        """Somebody by any spelling of the name."""
        return self.members.get(folded(name))

    def holding(self, *roles: Role) -> list[Member]:
        """Those who may act in one of the roles."""
        return [member for member in self.members.values() if not member.held.isdisjoint(roles)]

    def others_who_agree(self, roles: frozenset[Role], but: str) -> int:
        """How many people besides `but` may act in one of the roles."""
        return sum(folded(member.name) != folded(but) for member in self.holding(*roles))

    def add(self, entry: RegisterEntry, digest: str) -> None:
        """Add the next entry. Raises Unreadable when it says something of somebody who is not there, or of no known kind."""
        self._answer(entry)
        change = CHANGES.get(entry.deed)
        if change is None:
            raise Unreadable(f"« {entry.deed[:40]} » n’est pas une entrée du registre que ce jalon connaît")
        key = folded(entry.person)
        before = self.members.get(key)
        if (before is None) != (entry.deed in NEW):
            raise Unreadable(f"{entry.person} {'est déjà' if before else 'n’est pas'} au registre")
        try:
            self.members[key] = change(before or Member(entry.person, "", {}), entry)
        except (ValueError, KeyError) as fault:
            raise Unreadable(f"l’entrée {entry.n} du registre ne dit pas ce qu’elle devrait") from fault
        if entry.deed in WAITING:
            self.waiting[entry.n] = entry
        self.n, self.head, self.instant = entry.n, digest, entry.recorded_at

    def _answer(self, entry: RegisterEntry) -> None:
        if entry.answers is None:
            return
        asked = self.waiting.pop(entry.answers, None)
        if asked is None or asked.person != entry.person or (entry.deed not in (Deed.DECLINED, WAITING[Deed(asked.deed)])):
            raise Unreadable(f"l’entrée {entry.n} du registre répond à une demande qui n’attend pas")


def _roles(member: Member, entry: RegisterEntry) -> Member:
    return member._replace(roles={**member.roles, Role(str(entry.role)): entry.recorded_at})


def _founded(member: Member, entry: RegisterEntry) -> Member:
    """Who is there from the beginning waits for nothing."""
    roles = {Role(role): since for role, since in (entry.roles or {}).items()}
    return member._replace(mail=entry.mail or "", roles=roles, enrolled=bool(entry.enrolled))


def _taken(member: Member, entry: RegisterEntry) -> Member:
    role = Role(str(entry.role))
    return member._replace(roles={held: since for held, since in member.roles.items() if held is not role})


def _enrolled(member: Member, entry: RegisterEntry) -> Member:
    """What a person may do with new codes begins with these codes."""
    return _since(member, entry)._replace(enrolled=True, invitation=None, until="")


def _since(member: Member, entry: RegisterEntry) -> Member:
    return member._replace(roles=dict.fromkeys(member.roles, entry.recorded_at), standing=Standing.PRESENT)


def _unchanged(member: Member, _entry: RegisterEntry) -> Member:
    return member


CHANGES: dict[str, Callable[[Member, RegisterEntry], Member]] = {
    Deed.FOUNDED: _founded,
    Deed.CARRIED: _founded,
    Deed.ADDED: lambda member, entry: member._replace(mail=entry.mail or ""),
    Deed.ROLE_ASKED: _unchanged,
    Deed.ROLE_GIVEN: _roles,
    Deed.ROLE_TAKEN: _taken,
    Deed.INVITATION_ASKED: _unchanged,
    Deed.INVITED: lambda member, entry: member._replace(invitation=entry.invitation, until=entry.until or ""),
    Deed.ENROLLED: _enrolled,
    Deed.SUSPENDED: lambda member, _: member._replace(standing=Standing.SUSPENDED, invitation=None, until=""),
    Deed.RESUMED: _since,
    Deed.LEFT: lambda member, _: member._replace(standing=Standing.LEFT, roles={}, enrolled=False, invitation=None, until=""),
    Deed.ADDRESS_CHANGED: lambda member, entry: member._replace(mail=entry.mail or ""),
    Deed.DECLINED: _unchanged,
    Deed.WITNESSED: _unchanged,
}
NEW = frozenset({Deed.FOUNDED, Deed.CARRIED, Deed.ADDED})


def register_entry(fields: Json) -> RegisterEntry:
    """The entry that JSON stands for. Raises ValueError: a field is missing, odd, or one too many."""
    if not isinstance(fields, dict) or not ALWAYS <= fields.keys() <= TYPES.keys():
        raise ValueError("not an entry of the register")
    if not all(type(value) in TYPES[name] for name, value in fields.items()):
        raise ValueError("not an entry of the register")
    return RegisterEntry(**fields)


def added_up(entries: Iterable[tuple[RegisterEntry, str]]) -> House:
    """The register after these entries, each with its digest. Raises Unreadable."""
    house = House()
    for entry, digest in entries:
        house.add(entry, digest)
    return house
