"""The facts about trainees: numbers and communes in the dossier, names in a value of their own."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Trainee(NamedTuple):
    """A retained trainee, without any name: a number, a rank and a commune."""

    number: int
    rank: int
    fee_regime: str
    insee: str
    declared_insee: str  # what was said when the trainee was retained; `insee` is what was seen
    retained_on: date
    verified_on: date | None
    verified_by: str | None
    evidence_kind: str | None
    moved_on: date | None  # the day on which a later move was seen; the residence that counts is `insee`
    moved_to: str | None
    left_on: date | None
    hours_done: int | None
    left_because: str | None
    excluded_on: date | None  # found ineligible after the payment
    commitment: str


class Identity(NamedTuple):
    """Who a trainee is. The only value of the product that holds personal data of a trainee."""

    trainee: int
    family_name: str
    given_name: str
    born_on: date
    salt: str
    digest: str
