"""What may follow a step, as values: the ledger writes them to the outbox, `flows` carries them out afterwards."""

from __future__ import annotations

from typing import NamedTuple

from states.words import Role


class Tell(NamedTuple):
    """Notify everybody who holds `role`."""

    role: Role


class Check(NamedTuple):
    """Verify the chain and recompute what is derived."""


Effect = Tell | Check
