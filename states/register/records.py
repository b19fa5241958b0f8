"""The entries that an act on the register leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from states.dossier.rules import SUPERIOR
from states.lifecycle import MONEY_ROLES
from states.register.facts import WAITING, Deed, folded
from states.register.fold import House
from states.register.requests import Verb, Wish
from states.vocabulary import Role

SENSITIVE = MONEY_ROLES | {Role.OPERATOR}  # takes two persons
AGREEING = frozenset({Role.OPERATOR, SUPERIOR})
VALID_FOR = timedelta(hours=72)  # an invitation


class Draft(NamedTuple):
    """An entry to be: everything but its place in the chain, and who did it."""

    deed: Deed
    person: str
    role: str | None = None
    mail: str | None = None
    because: str | None = None
    answers: int | None = None
    proposed_by: str | None = None
    alone: bool | None = None
    invitation: str | None = None
    until: str | None = None
    witness: str | None = None
    root: str | None = None
    night: str | None = None


def _new(house: House, wish: Wish, at: datetime) -> Iterator[Draft]:
    """Who waits for no second person is invited at once."""
    roles = [*_giving(house, wish, at)]
    yield Draft(Deed.ADDED, wish.person, mail=wish.mail)
    yield from roles
    if all(draft.deed is Deed.ROLE_GIVEN for draft in roles):
        yield _invitation(wish, wish.person, at)


def _giving(house: House, wish: Wish, _at: datetime) -> Iterator[Draft]:
    for role in dict.fromkeys(wish.roles):
        if role not in SENSITIVE:
            yield Draft(Deed.ROLE_GIVEN, wish.person, role=role)
        elif role not in MONEY_ROLES and is_alone(house):
            yield Draft(Deed.ROLE_GIVEN, wish.person, role=role, alone=True)
        else:
            yield Draft(Deed.ROLE_ASKED, wish.person, role=role)


def is_alone(house: House) -> bool:
    """Whether the one operator has nobody who could agree: a second operator is then made by one person, and the journal says so."""
    return len(house.holding(*AGREEING)) == 1


def _inviting(house: House, wish: Wish, at: datetime) -> Iterator[Draft]:
    member = house.members[folded(wish.person)]
    asked = {Role(other.role) for other in house.waiting.values() if other.role and other.person == member.name}
    sensitive = (set(member.roles) | asked) & SENSITIVE
    if not sensitive or (not sensitive & MONEY_ROLES and house.others_who_agree(AGREEING, member.name) == 1):
        yield _invitation(wish, member.name, at)._replace(alone=True if sensitive else None)
    else:
        yield Draft(Deed.INVITATION_ASKED, member.name)


def _invitation(wish: Wish, person: str, at: datetime) -> Draft:
    until = (at.astimezone(UTC) + VALID_FOR).isoformat(timespec="microseconds")[:26] + "Z"
    return Draft(Deed.INVITED, person, invitation=wish.invitation, until=until)


def _agreeing(house: House, wish: Wish, at: datetime) -> Iterator[Draft]:
    asked = house.waiting[wish.answers or 0]
    deed = WAITING[Deed(asked.deed)]
    answer = _invitation(wish, asked.person, at) if deed is Deed.INVITED else Draft(deed, asked.person, role=asked.role)
    yield answer._replace(answers=asked.n, proposed_by=asked.actor)
    others = any(other.person == asked.person and other.n != asked.n for other in house.waiting.values())
    if deed is Deed.ROLE_GIVEN and not house.members[folded(asked.person)].enrolled and not others:
        yield _invitation(wish, asked.person, at)._replace(proposed_by=asked.actor)  # the last thing that this person waited for


def _declining(house: House, wish: Wish, _at: datetime) -> Iterator[Draft]:
    asked = house.waiting[wish.answers or 0]
    yield Draft(Deed.DECLINED, asked.person, answers=asked.n, because=wish.because, proposed_by=asked.actor)


def _witnessing(_house: House, wish: Wish, _at: datetime) -> Iterator[Draft]:
    yield Draft(Deed.WITNESSED, wish.person, because=wish.because, witness=wish.witness, root=wish.root, night=wish.night)


def _of(deed: Deed) -> Callable[[House, Wish, datetime], Iterator[Draft]]:
    """One entry about the person, or one for each role."""

    def drafts(house: House, wish: Wish, _at: datetime) -> Iterator[Draft]:
        name = house.members[folded(wish.person)].name
        for role in wish.roles if deed is Deed.ROLE_TAKEN else (None,):
            yield Draft(deed, name, role=role, mail=wish.mail, because=wish.because)

    return drafts


WRITES: dict[Verb, Callable[[House, Wish, datetime], Iterator[Draft]]] = {
    Verb.ADD: _new,
    Verb.GIVE: _giving,
    Verb.TAKE: _of(Deed.ROLE_TAKEN),
    Verb.ADDRESS: _of(Deed.ADDRESS_CHANGED),
    Verb.INVITE: _inviting,
    Verb.SUSPEND: _of(Deed.SUSPENDED),
    Verb.RESUME: _of(Deed.RESUMED),
    Verb.LEAVE: _of(Deed.LEFT),
    Verb.AGREE: _agreeing,
    Verb.DECLINE: _declining,
    Verb.WITNESS: _witnessing,
}
