"""In which roles somebody acts: those of the register, and those that others have lent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from states.grammar.case import Actor, Lookups
from states.partnership import Partnership
from states.vocabulary import Role

APART = frozenset({Role.AUTHORISING_OFFICER, Role.PUBLIC_ACCOUNTANT})  # never in one pair of hands


def lent_roles(partnership: Partnership, actor: Actor, on: date, lookups: Lookups) -> Iterator[tuple[Role, str]]:
    """The roles that an actor holds by delegation on a day, each with the name of who lent it.

    A delegation holds as long as its giver holds the role (when the register was asked), and never puts together in
    one pair of hands, lent roles included, what the law keeps apart.
    """
    lent = [(Role(delegation.role), delegation.giver) for delegation in partnership.lent_to(actor.name, on)]
    held = actor.roles | {role for role, _ in lent}
    for role, giver in lent:
        still = lookups.registered is None or role in dict(lookups.registered).get(giver, frozenset())
        if still and not (role in APART and held >= APART):
            yield role, giver


def would_join(partnership: Partnership, holder: str, role: Role, days: tuple[date, date], lookups: Lookups) -> bool:
    """Whether lending `role` to `holder` for `days` (first, last) would put together what the law keeps apart."""
    first, last = days
    own = dict(lookups.registered or ()).get(holder, frozenset())
    lent = {
        Role(delegation.role)
        for delegation in partnership.delegations
        if delegation.holder == holder and delegation.starts_on <= last and first <= delegation.ends_on
    }
    return role in APART and own | lent | {role} >= APART
