"""What may follow a step, as values: the ledger writes them to the outbox, `flows` carries them out afterwards."""

from __future__ import annotations

from typing import NamedTuple

from states.vocabulary import Role


class Tell(NamedTuple):
    """Notify everybody who holds `role`."""

    role: Role


class Check(NamedTuple):
    """Verify the chain and recompute what is derived."""


Effect = Tell | Check


def following(roles: tuple[Role, ...]) -> tuple[Effect, ...]:
    """What follows a step: those who hear of it, then the checks."""
    return (*(Tell(role) for role in roles), Check())
