"""What is done once only: a round on its own day, an event by its own id. The mark is taken first, so that two cannot both do it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, insert, literal_column, or_, select, update

from models import tables
from models.database.constraints import violated
from models.database.store import Store
from models.ledger.attempt import instant

M = tables.marks.c
LEFT_AFTER = timedelta(hours=1)
AT_WORK = "…"  # what a mark tells before somebody says what came of it, followed by who took it


class Mark(NamedTuple):
    """What was done under a name and a key: when (ISO instant in UTC), and in what words."""

    key: str
    done_at: str
    message: str


class Marks:
    """The marks of one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        here = (M.name == bindparam("name_"), M.key == bindparam("key_"))
        self._take = store.compile(insert(tables.marks).values({column.name: bindparam(column.name) for column in tables.marks.columns}))
        self._tell = store.compile(update(tables.marks).where(*here).values(done_at=bindparam("done_at"), told=bindparam("told")))
        self._take_over = store.compile(
            update(tables.marks)
            .where(
                *here,
                func.substr(M.told, literal_column("1"), literal_column("1")) == literal_column(f"'{AT_WORK}'"),
                or_(M.told == bindparam("told"), M.done_at < bindparam("before")),
            )
            .values(done_at=bindparam("done_at"))
        )
        self._drop = store.compile(delete(tables.marks).where(*here))
        self._purge = store.compile(delete(tables.marks).where(M.key != literal_column("''"), M.done_at < bindparam("before")))
        self._last = store.compile(
            select(M.key, M.done_at, M.told)
            .where(M.name == bindparam("name_"))
            .order_by(M.done_at.desc(), M.key.desc())
            .limit(literal_column("1"))
            .offset(literal_column("0"))
        )

    def take(self, name: str, key: str, *, now: datetime, by: str = "") -> bool:
        """Take a mark; False when it was taken before.

        One that says nothing after an hour was left by a process that died. `by` is the run that takes it: the same run,
        started again, takes its own mark again.
        """
        try:
            with self._store.transaction() as cursor:
                cursor.execute(self._take, {"name": name, "key": key, "done_at": instant(now), "told": f"{AT_WORK}{by}"})
        except Exception as fault:
            if violated(self._store, fault) != "pk_marks":
                raise
            return self._taken_over(name, key, now, by)
        return True

    def _taken_over(self, name: str, key: str, now: datetime, by: str) -> bool:
        with self._store.transaction() as cursor:
            message = f"{AT_WORK}{by}" if by else ""  # an unknown one is nobody's own
            parameters = {"name_": name, "key_": key, "done_at": instant(now), "before": instant(now - LEFT_AFTER), "told": message}
            cursor.execute(self._take_over, parameters)
            return cursor.rowcount == 1

    def tell(self, name: str, key: str, message: str, *, now: datetime) -> None:
        """Say what came of it."""
        with self._store.transaction() as cursor:
            cursor.execute(self._tell, {"name_": name, "key_": key, "done_at": instant(now), "told": message})

    def set(self, name: str, message: str, *, now: datetime) -> None:
        """Say what was done last under a name that has no keys."""
        self.take(name, "", now=now)
        self.tell(name, "", message, now=now)

    def drop(self, name: str, key: str) -> None:
        """Give a mark back: what it stood for could not be done."""
        with self._store.transaction() as cursor:
            cursor.execute(self._drop, {"name_": name, "key_": key})

    def purge(self, *, before: datetime) -> None:
        """Forget marks too old to come again; those without a key, which say what was done last, stay."""
        with self._store.transaction() as cursor:
            cursor.execute(self._purge, {"before": instant(before)})

    def last(self, name: str) -> Mark | None:
        """The last mark of a name, whenever it was taken."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._last, {"name_": name})
            row = cursor.fetchone()
        return Mark(row[0], row[1], "" if row[2].startswith(AT_WORK) else row[2]) if row else None
