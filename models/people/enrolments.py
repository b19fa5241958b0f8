"""What is kept of somebody's one-time codes, read and written in the transaction of whoever asks for one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, select

from models import tables
from models.database.store import Cursor, Store
from models.database.writes import Write
from models.people.codes import NONE, Enrolment, Failures, Shown, proved
from models.people.vault import Vault
from states.dossier.proof import Proof

P, S = tables.people.c, tables.code_sources.c


class Enrolments:
    """The enrolments of one database."""

    def __init__(self, store: Store) -> None:
        kept = select(P.secret, P.code_failures, P.code_failed_at, P.code_period).where(P.folded == bindparam("folded"))
        self._kept = store.compile(kept)
        self._source = store.compile(select(S.failures, S.failed_at).where(S.source == bindparam("source")))
        self._sender = store.dialect.sender(store.compile)

    def read(self, cursor: Cursor, folded: str, source: str) -> Enrolment:
        """What is kept of a person, by folded name, and of the source of a code."""
        cursor.execute(self._kept, {"folded": folded})
        secret, count, at, period = cursor.fetchone() or (None, 0, None, None)
        cursor.execute(self._source, {"source": source})
        elsewhere = cursor.fetchone()
        return Enrolment(secret, Failures(count, at), period, Failures(*elsewhere) if elsewhere is not None else NONE)

    def judged(self, cursor: Cursor, folded: str, shown: Shown, *, now: datetime, vault: Vault) -> Proof:
        """What a code proves; what it leaves is written. The person's row must be locked (see `codes.whose`)."""
        proof, spent = proved(self.read(cursor, folded, shown.source), folded, shown, now=now, vault=vault)
        self.write(cursor, spent)
        return proof

    def write(self, cursor: Cursor, spent: Iterable[tuple[Write, list[dict[str, object]]]]) -> None:
        """Write what a code has left."""
        for write, rows in spent:
            for row in rows:
                self._sender.send_alone(cursor, write, row)
