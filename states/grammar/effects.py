"""What may follow a step, as values: the ledger writes them to the outbox, `flows` carries them out afterwards."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from states.vocabulary import Role


class Tell(NamedTuple):
    """Notify everybody who holds `role`."""

    role: Role


class Check(NamedTuple):
    """Verify the chain and recompute what is derived."""


Effect = Tell | Check


@cache
def following(told: tuple[Role, ...]) -> tuple[Effect, ...]:
    """What follows every step: those who are told of it, then the checks."""
    return (*(Tell(role) for role in told), Check())
