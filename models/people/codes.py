"""One-time codes (RFC 6238): each is right for one person, for a short time, and once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import pyotp
from pyotp.utils import strings_equal
from sqlalchemy import bindparam, literal_column, or_, select, update

from models import tables
from models.database.store import Cursor, Store
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


class Codes:
    """The codes of the people of one database, each looked at inside the transaction of the step that it proves."""

    def __init__(self, store: Store) -> None:
        known = select(P.secret, P.code_failures).where(P.folded == bindparam("folded"))
        self._known = store.compile(known if store.is_sqlite else known.with_for_update())
        used = or_(P.code_period.is_(None), P.code_period < bindparam("period"))
        self._use = store.compile(
            update(tables.people)
            .where(P.folded == bindparam("folded_"), used)
            .values(code_period=bindparam("period"), code_failures=literal_column("0"))
        )
        self._fail = store.compile(
            update(tables.people)
            .where(P.folded == bindparam("folded_"))
            .values(code_failures=P.code_failures + literal_column("1"))
        )  # fmt: skip

    def proof(self, cursor: Cursor, folded: str, shown: Shown, *, now: datetime) -> Proof:
        """What the code proves; a right one is used up, a wrong one counted. One that waited too long proves nothing."""
        cursor.execute(self._known, {"folded": folded})
        row = cursor.fetchone()
        if row is None or row[0] is None:
            return Proof.NOT_ENROLLED
        secret, failures = row
        if failures >= FAILURES_AT_MOST:
            return Proof.BLOCKED
        code = "".join((shown.code or "").split())
        if not code:
            return Proof.MISSING
        totp = pyotp.TOTP(secret, interval=PERIOD)
        offset = next((offset for offset in AROUND if strings_equal(code, totp.at(shown.at, counter_offset=offset))), None)
        if offset is None:
            cursor.execute(self._fail, {"folded_": folded})
            return Proof.WRONG
        cursor.execute(self._use, {"folded_": folded, "period": totp.timecode(shown.at) + offset})
        if cursor.rowcount != 1:
            return Proof.USED
        return Proof.RIGHT if now - shown.at <= WAITS_AT_MOST else Proof.LATE
