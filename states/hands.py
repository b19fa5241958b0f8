"""In which roles somebody acts: those of the register, and those that others have lent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from states.facts import Actor, Partnership
from states.guard import Known
from states.words import Role

APART = frozenset({Role.AUTHORISING_OFFICER, Role.PUBLIC_ACCOUNTANT})  # never in one pair of hands


def lent_roles(partnership: Partnership, actor: Actor, on: date, known: Known) -> Iterator[tuple[Role, str]]:
    """The roles that an actor holds by delegation on a day, each with the name of who lent it.

    A delegation holds as long as its giver holds the role (when the register was asked), and never puts together in
    one pair of hands, lent roles included, what the law keeps apart.
    """
    lent = [(Role(one.role), one.giver) for one in partnership.lent_to(actor.name, on)]
    held = actor.roles | {role for role, _ in lent}
    for role, giver in lent:
        still = known.givers is None or role in dict(known.givers).get(giver, frozenset())
        if still and not (role in APART and held >= APART):
            yield role, giver
