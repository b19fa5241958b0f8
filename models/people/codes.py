"""One-time codes (RFC 6238): each is right for one person, for a short time, and once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import pyotp
from pyotp.utils import strings_equal
from sqlalchemy import Select, select
from sqlalchemy.sql import ColumnElement

from models import tables
from models.database.writes import Write
from states.dossier.proof import Proof

ISSUER = "jalon"
PERIOD = 30  # seconds
AROUND = (-1, 0, 1)  # periods: the clock of a telephone may be a little off
WAITS_AT_MOST = timedelta(minutes=15)  # from the form to the worker; what waits longer may have been changed meanwhile
FAILURES_AT_MOST = 10  # in a row; a guess is right three times in a million
P = tables.people.c


class Shown(NamedTuple):
    """The code that somebody showed, None when none, and the aware instant at which it was shown."""

    code: str | None
    at: datetime


def new_secret() -> str:
    """A fresh secret, in base 32."""
    return pyotp.random_base32()


def provisioning(name: str, secret: str) -> str:
    """The address (otpauth://) that an application for one-time codes reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def code_at(secret: str, at: datetime) -> str:
    """The code that an application shows at an aware instant."""
    return pyotp.TOTP(secret, interval=PERIOD).at(at)


class Enrolment(NamedTuple):
    """What the register keeps of somebody's codes: the secret, how many were wrong in a row, the last period whose code was used."""

    secret: str | None
    failures: int
    period: int | None


# What is written of somebody's codes: that one more was wrong, or that the one of a period is used up.
FAILED = Write("wrong_code", tables.people, ("code_failures",), ("folded",))
USED = Write("used_code", tables.people, ("code_period", "code_failures"), ("folded",))


def whose(folded: ColumnElement[str]) -> Select[tuple[int]]:
    """The row of somebody's codes, to be locked before it is read: a code serves once."""
    return select(P.id).where(P.folded == folded)


def proved(
    enrolment: Enrolment, folded: str, shown: Shown, *, now: datetime
) -> tuple[Proof, tuple[tuple[Write, list[dict[str, object]]], ...]]:
    """What the code of somebody proves, and what is to be written of it: a right one is used up, a wrong one counted.

    One that waited too long proves nothing. The row that `enrolment` was read from must be locked.
    """
    if enrolment.secret is None:
        return Proof.NOT_ENROLLED, ()
    if enrolment.failures >= FAILURES_AT_MOST:
        return Proof.BLOCKED, ()
    code = "".join((shown.code or "").split())
    if not code:
        return Proof.MISSING, ()
    totp = pyotp.TOTP(enrolment.secret, interval=PERIOD)
    offset = next((offset for offset in AROUND if strings_equal(code, totp.at(shown.at, counter_offset=offset))), None)
    if offset is None:
        return Proof.WRONG, ((FAILED, [{"folded_": folded, "code_failures": enrolment.failures + 1}]),)
    period = totp.timecode(shown.at) + offset
    if enrolment.period is not None and enrolment.period >= period:
        return Proof.USED, ()
    right = Proof.RIGHT if now - shown.at <= WAITS_AT_MOST else Proof.LATE
    return right, ((USED, [{"folded_": folded, "code_period": period, "code_failures": 0}]),)
