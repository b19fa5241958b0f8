"""One-time codes (RFC 6238): each is right for one person, for a short time, and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pyotp
from pyotp.utils import strings_equal
from sqlalchemy import Select, select
from sqlalchemy.sql import ColumnElement

from models import tables
from models.database.writes import Write, inserted
from models.people.vault import NO_VAULT, Vault
from states.dossier.proof import Proof

ISSUER = "jalon"
PERIOD = 30  # seconds
AROUND = (-1, 0, 1)  # periods: the clock of a telephone may be a little off
WAITS_AT_MOST = timedelta(minutes=15)  # from the form to the worker; what waits longer may have been changed meanwhile
FORGOTTEN_AFTER = timedelta(hours=1)  # wrong codes of before count no more
# Wrong codes for one person, from wherever: so many are a flood, and close the door for a while. A guess is right three times in a million.
FLOOD, CLOSED_FOR = 10, timedelta(minutes=3)
# Wrong codes from one source: after some, it waits twice as long each time. Others who show codes of the same person wait for nothing.
FREE, SLOWED_AT_MOST = 3, timedelta(minutes=30)
TOLD_FROM = 3  # wrong codes: the person is written to
P = tables.people.c


class Shown(NamedTuple):
    """The code that somebody showed, None when none, and the aware instant at which it was shown.

    `source` is where it came from, as a terminal's user or the address of a form; "" where nobody can tell.
    """

    code: str | None
    at: datetime
    source: str = ""


def new_secret() -> str:
    """A fresh secret, in base 32."""
    return pyotp.random_base32()


def provisioning(name: str, secret: str) -> str:
    """The address (otpauth://) that an application for one-time codes reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def code_at(secret: str, at: datetime) -> str:
    """The code that an application shows at an aware instant."""
    return pyotp.TOTP(secret, interval=PERIOD).at(at)


class Failures(NamedTuple):
    """Wrong codes lately: how many, and when the last of them was shown (ISO instant in UTC)."""

    many: int = 0
    at: str | None = None

    def lately(self, now: datetime) -> int:
        """How many still count."""
        return self.many if self.at is not None and now - datetime.fromisoformat(self.at) < FORGOTTEN_AFTER else 0

    def since(self, now: datetime) -> timedelta:
        """How long ago the last one was."""
        return now - datetime.fromisoformat(self.at) if self.at is not None else FORGOTTEN_AFTER


NONE = Failures()


class Enrolment(NamedTuple):
    """What the register keeps of somebody's codes: the sealed secret, the wrong ones, the last period whose code was used.

    `elsewhere` are the wrong codes from the source of the one to judge, whomever they named.
    """

    secret: str | None
    failures: Failures
    period: int | None
    elsewhere: Failures = NONE


# What is written of somebody's codes: that one more was wrong, here and from this source, or that the one of a period is used up.
FAILED = Write("wrong_code", tables.people, ("code_failures", "code_failed_at"), ("folded",))
USED = Write("used_code", tables.people, ("code_period", "code_failures"), ("folded",))
SLOWED = Write("slowed_source", tables.code_sources, ("failures", "failed_at"), ("source",))
NEW_SOURCE = inserted(tables.code_sources, "id")


def whose(folded: ColumnElement[str]) -> Select[tuple[int]]:
    """The row of somebody's codes, to be locked before it is read: a code serves once."""
    return select(P.id).where(P.folded == folded)


def period_of(secret: str, code: str, at: datetime) -> int | None:
    """The period whose code this is, around an aware instant; None when it is none of them."""
    totp, typed = pyotp.TOTP(secret, interval=PERIOD), "".join(code.split())
    offset = next((offset for offset in AROUND if strings_equal(typed, totp.at(at, counter_offset=offset))), None)
    return None if offset is None else totp.timecode(at) + offset


def waits(source: Failures, now: datetime) -> timedelta:
    """How long a source still waits before its next code is looked at."""
    count = source.lately(now)
    if count < FREE:
        return timedelta(0)
    return max(timedelta(0), min(timedelta(seconds=2 ** (count - FREE + 1)), SLOWED_AT_MOST) - source.since(now))


def proved(
    enrolment: Enrolment, folded: str, shown: Shown, *, now: datetime, vault: Vault = NO_VAULT
) -> tuple[Proof, tuple[tuple[Write, list[dict[str, object]]], ...]]:
    """What the code of somebody proves, and what is to be written of it: a right one is used up, a wrong one counted.

    One that waited too long proves nothing. The row that `enrolment` was read from must be locked. Raises Unreachable when the
    vault does not open the secret.
    """
    code = "".join((shown.code or "").split())
    if early := _unlooked(enrolment, code, now):
        return early, ()
    period = period_of(vault.open(folded, enrolment.secret or ""), code, shown.at)
    if period is None:
        return Proof.WRONG, _wrong(enrolment, folded, shown.source, now)
    if enrolment.period is not None and enrolment.period >= period:
        return Proof.USED, ()
    right = Proof.RIGHT if now - shown.at <= WAITS_AT_MOST else Proof.LATE
    return right, ((USED, [{"folded_": folded, "code_period": period, "code_failures": 0}]),)


def _unlooked(enrolment: Enrolment, code: str, now: datetime) -> Proof | None:
    """Why a code is not even looked at."""
    if enrolment.secret is None:
        return Proof.NOT_ENROLLED
    if waits(enrolment.elsewhere, now):
        return Proof.SLOWED
    if enrolment.failures.lately(now) >= FLOOD and enrolment.failures.since(now) < CLOSED_FOR:
        return Proof.BLOCKED
    return None if code else Proof.MISSING


def _wrong(enrolment: Enrolment, folded: str, source: str, now: datetime) -> tuple[tuple[Write, list[dict[str, object]]], ...]:
    at = f"{now.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z"
    failures, elsewhere = enrolment.failures.lately(now) + 1, enrolment.elsewhere.lately(now) + 1
    counted = (FAILED, [{"folded_": folded, "code_failures": failures, "code_failed_at": at}])
    if not source:
        return (counted,)
    known = enrolment.elsewhere.at is not None
    here: dict[str, object] = {"failures": elsewhere, "failed_at": at}
    return counted, (SLOWED, [here | {"source_": source}]) if known else (NEW_SOURCE, [here | {"source": source}])
