"""The facts of the training and of its steering committee."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Training(NamedTuple):
    """The training, from its opening to its operating result."""

    number: int
    starts_on: date
    ends_on: date
    hours: int
    ended_on: date | None
    attestation_sha256: str | None
    presented_on: date | None
    result_sha256: str | None


class Committee(NamedTuple):
    """One meeting of the steering committee (comité de pilotage)."""

    number: int
    held_on: date
    minutes_sha256: str
