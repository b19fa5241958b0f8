"""Dates that follow from dates. Deadlines are targets of the house, shown to people; passing one refuses nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import Enum, StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from states.partnership import Partnership

PARIS = ZoneInfo("Europe/Paris")
SOON = timedelta(days=7)


def paris_day(at: datetime) -> date:
    """The day on the wall in Paris at an aware instant."""
    return at.astimezone(PARIS).date()


class From(Enum):
    """Where a deadline is counted from."""

    STEP = "l’étape précédente"
    TRAINING_END = "la fin prévue de la formation"
    YEAR_END = "la fin de l’année universitaire"
    PAYMENT_TARGET = "l’échéance de paiement que la convention vise"


class Within(NamedTuple):
    """So many calendar days after `start`."""

    days: int
    start: From = From.STEP

    @property
    def label(self) -> str:
        """For the table: « 60 jours après l’étape précédente »."""
        return f"{self.days} jours après {self.start.value}" if self.days else f"à {self.start.value}"


def due_on(within: Within | None, partnership: Partnership) -> date | None:
    """The day by which the step should be done, or None when nothing sets one."""
    if within is None:
        return None
    training = partnership.training
    if within.start is From.TRAINING_END and training is not None:
        start: date | None = training.ends_on
    elif within.start is From.PAYMENT_TARGET and partnership.invoice is not None:
        start = partnership.invoice.received_on + timedelta(days=partnership.terms_in_force.payment_days)
    elif within.start is From.YEAR_END:
        start = partnership.terms_in_force.year_ends_on
    else:
        start = partnership.entered_on
    return start + timedelta(days=within.days) if start else None


class Age(StrEnum):
    """How pressing a deadline is: `LATE` has passed, `SOON` is at most seven days away."""

    LATE = "late"
    SOON = "soon"
    CALM = "calm"


def age(due: date | None, on: date) -> Age:
    """How pressing `due` is on a day."""
    if due is None:
        return Age.CALM
    return Age.LATE if due < on else Age.SOON if due <= on + SOON else Age.CALM
