"""What is still to be told or checked: taken under a lease, marked when done, given to a person when it keeps failing.

Delivery is at least once; each row's `key` lets a receiver recognise a second copy. What is about an entry that cannot be read is
a person's task at once, and holds up nobody else's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Integer, bindparam, func, literal_column, null, select, update

from models import tables
from models.database.store import Cursor, Fetched, Store
from models.ledger.attempt import instant
from models.ledger.history import unreadable_journal
from models.ledger.reading import as_read, legible, parsed
from states.journal.entry import Entry
from states.journal.fold import ODD_JSON

LEASE = timedelta(minutes=2)
ATTEMPTS_AT_MOST = 8
SHOWN_AT_MOST = 10
OUT, P, J = tables.outbox.c, tables.partnerships.c, tables.journal.c


class Parcel(NamedTuple):
    """One thing to deliver, taken under `lease`: about entry `n` of a dossier, that entry being told."""

    id: int
    lease: str
    key: str
    kind: str
    role: str | None
    attempts: int
    reference: str
    entry: Entry
    digest: str


class Held(NamedTuple):
    """What could not be delivered yet: why, and when it is tried again (ISO instant in UTC)."""

    reference: str
    key: str
    fault: str
    due_at: str


class Outbox:
    """The outbox of one database. A lease is a caller's fresh random text; an expired one cannot mark anything."""

    def __init__(self, store: Store) -> None:
        self._store = store
        waiting = (
            select(OUT.id)
            .where(OUT.sent_at.is_(None), OUT.dead_at.is_(None), OUT.due_at <= bindparam("now"))
            .order_by(OUT.due_at, OUT.id)
            .limit(bindparam("most", type_=Integer))
            .offset(literal_column("0"))
        )
        here = select(P.id).where(P.reference == bindparam("reference")).scalar_subquery()
        follow = waiting.where(OUT.kind == literal_column("'check'"), OUT.partnership_id == here)
        self._waiting, self._follow = (
            store.compile(store.dialect.unheld(statement, tables.outbox)) for statement in (waiting, follow)
        )  # fmt: skip
        self._take = store.compile(
            update(tables.outbox)
            .where(OUT.id == bindparam("id_"))
            .values(lease=bindparam("lease"), due_at=bindparam("until"), attempts=OUT.attempts + literal_column("1"))
        )
        self._read = store.compile(
            select(OUT.id, OUT.lease, OUT.key, OUT.kind, OUT.role, OUT.attempts, P.reference, J.entry, J.digest)
            .join(tables.partnerships, P.id == OUT.partnership_id)
            .join(tables.journal, (J.partnership_id == OUT.partnership_id) & (J.n == OUT.n))
            .where(OUT.lease == bindparam("lease"))
            .order_by(OUT.id)
        )
        held = (OUT.id == bindparam("id_"), OUT.lease == bindparam("lease_"), OUT.sent_at.is_(None), OUT.dead_at.is_(None))
        marks: dict[str, object] = {name: bindparam(name) for name in ("sent_at", "dead_at", "fault", "due_at")}
        self._mark = store.compile(update(tables.outbox).where(*held).values({**marks, "lease": null()}))
        unsent = (OUT.sent_at.is_(None), OUT.dead_at.is_(None))
        self._count = store.compile(select(func.count()).where(*unsent))
        self._overdue = store.compile(select(func.count()).where(*unsent, OUT.due_at < bindparam("before")))
        failed, dead = (*unsent, OUT.fault.is_not(None)), OUT.dead_at.is_not(None)
        self._held, self._dead = (
            store.compile(
                select(P.reference, OUT.key, OUT.fault, OUT.due_at)
                .join(tables.partnerships, P.id == OUT.partnership_id)
                .where(*which)
                .order_by(OUT.id)
                .limit(bindparam("most", type_=Integer))
                .offset(literal_column("0"))
            )
            for which in (failed, (dead,))
        )
        self._count_held, self._count_dead = (store.compile(select(func.count()).where(*which)) for which in (failed, (dead,)))

    def take(self, *, now: datetime, lease: str, most: int = 100, follows: str | None = None) -> tuple[Parcel, ...]:
        """Take what is due, for the time of a lease; `follows` is a reference: only what follows the steps of that dossier.

        What is about an entry that cannot be read is given up in the same transaction: none is ever taken twice. Nothing is
        answered only when nothing legible is due.
        """
        statement, parameters = (self._waiting, {}) if follows is None else (self._follow, {"reference": follows})
        while True:
            with self._store.transaction() as cursor:
                cursor.execute(statement, {"now": instant(now), "most": most, **parameters})
                due = cursor.fetchall()
                for (id_,) in due:
                    cursor.execute(self._take, {"id_": id_, "lease": lease, "until": instant(now + LEASE)})
                cursor.execute(self._read, {"lease": lease})
                parcels = [parcel for row in cursor.fetchall() if (parcel := self._parcel(cursor, row, now)) is not None]
            if parcels or not due:
                return tuple(parcels)

    def _parcel(self, cursor: Cursor, row: Fetched, now: datetime) -> Parcel | None:
        """A row that was taken as a parcel; None when its entry cannot be read: then nobody can say what it would tell."""
        id_, lease, key, kind, role, attempts, reference, content, digest = row
        try:
            return Parcel(id_, lease, key, kind, role, attempts, reference, as_read(legible(parsed(content))), digest)
        except ODD_JSON:
            fault = str(unreadable_journal(reference))
            marks = {"sent_at": None, "dead_at": instant(now), "fault": fault, "due_at": instant(now)}
            cursor.execute(self._mark, {**marks, "id_": id_, "lease_": lease})
            return None

    def sent(self, parcel: Parcel, *, now: datetime) -> bool:
        """Mark as delivered; False when the lease had passed to somebody else."""
        return self._marked(parcel, sent_at=instant(now), dead_at=None, fault=None, due_at=instant(now))

    def failed(self, parcel: Parcel, fault: str, *, now: datetime, for_good: bool = False) -> bool:
        """Try again later, twice as late each time; after the last try, or `for_good`, it is a person's task."""
        dead = for_good or parcel.attempts >= ATTEMPTS_AT_MOST
        later = now + timedelta(seconds=30 * 2 ** min(parcel.attempts, 10))
        return self._marked(parcel, sent_at=None, dead_at=instant(now) if dead else None, fault=fault, due_at=instant(later))

    def waiting(self) -> int:
        """How many rows are neither delivered nor given up."""
        return self._counted(self._count)

    def overdue(self, before: datetime) -> int:
        """How many rows should have been delivered before an instant, and were not."""
        return self._counted(self._overdue, before=instant(before))

    def held(self, most: int = SHOWN_AT_MOST) -> tuple[Held, ...]:
        """The first of what has failed and is not given up; `still_held` says how many there are."""
        return self._first(self._held, most)

    def given_up(self, most: int = SHOWN_AT_MOST) -> tuple[tuple[str, str, str], ...]:
        """The first of what a person must look at, as `(reference, key, fault)`; `dead` says how many there are."""
        return tuple((held.reference, held.key, held.fault) for held in self._first(self._dead, most))

    def still_held(self) -> int:
        """How many have failed and are not given up."""
        return self._counted(self._count_held)

    def dead(self) -> int:
        """How many were given up."""
        return self._counted(self._count_dead)

    def _first(self, statement: str, most: int) -> tuple[Held, ...]:
        with self._store.transaction(write=False) as cursor:
            cursor.execute(statement, {"most": most})
            return tuple(Held(reference, key, fault or "", due_at) for reference, key, fault, due_at in cursor.fetchall())

    def _counted(self, statement: str, **parameters: str) -> int:
        with self._store.transaction(write=False) as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.fetchone()[0])

    def _marked(self, parcel: Parcel, **marks: str | None) -> bool:
        with self._store.transaction() as cursor:
            cursor.execute(self._mark, {**marks, "id_": parcel.id, "lease_": parcel.lease})
            return cursor.rowcount == 1
