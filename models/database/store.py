"""A database that keeps its promises: opened, asserted and handed out here, one transaction at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import NamedTuple
from weakref import WeakSet

from sqlalchemy import Select
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql import ClauseElement

from models.database.dialect import Cursor, Expression, Fetched, R, Row
from models.database.faults import OtherSchema, empty_database, raise_in_french
from models.database.known import known
from models.database.sqlite import sqlite_url
from models.tables import SCHEMA

__all__ = ["Cursor", "Expression", "Fetched", "Store", "Upgraded", "Upgrading", "sqlite_url", "writable"]

NOTHING_ASKED: Row = MappingProxyType({})
FIRST_SCHEMA = "0003"  # of version 0.1.0: what is older was never released


class Upgrading(NamedTuple):
    """Leave to bring an earlier database forward, at an aware instant; `agreed`: somebody has made a copy of a PostgreSQL database.

    `seal(folded name, secret)` gives what is stored of a secret of one-time codes; without it, those of before are forgotten.
    """

    at: datetime
    agreed: bool = False
    seal: Callable[[str, str], str] | None = None


class Upgraded(NamedTuple):
    """What became of a database of before: from which schema it came, and where its copy is (SQLite)."""

    schema: str
    copy: Path | None


class _Transaction:
    """One transaction of a store: see `Store.transaction`. A class without generators, which would cost a tenth of a step."""

    __slots__ = ("_asked", "_cursor", "_locks", "_store", "_waits", "_write")

    def __init__(self, store: Store, locks: Sequence[str], parameters: Row, *, write: bool, waits: bool) -> None:
        self._store = store
        self._locks = locks
        self._asked = parameters
        self._write = write
        self._waits = waits

    def __enter__(self) -> Cursor:
        try:
            self._cursor = self._store.begun(self._locks, self._asked, write=self._write, waits=self._waits)
        except BaseException as fault:
            raise_in_french(fault, self._store.dialect)
            raise
        return self._cursor

    def __exit__(self, _kind: type[BaseException] | None, fault: BaseException | None, _trace: TracebackType | None) -> None:
        if fault is not None:
            self._store.roll_back(self._cursor)
            raise_in_french(fault, self._store.dialect)
            return
        try:
            self._cursor.execute("COMMIT")
        except BaseException as late:
            self._store.roll_back(self._cursor)
            raise_in_french(late, self._store.dialect)
            raise


class Store:
    """One database of the schema that this jalon knows.

    Raises Unreachable when it cannot be read, when it does not promise durability, or when its schema is
    another one. With `create`, an absent or empty database gets the schema first; with `upgrading`, one of an
    earlier schema is brought forward with its data, and `upgraded` says so.
    """

    def __init__(self, url: str, *, create: bool = False, upgrading: Upgrading | None = None) -> None:
        self.url, self.dialect = known(url)
        self.upgraded: Upgraded | None = None
        self._kept = threading.local()
        self._all: WeakSet[PoolProxiedConnection] = WeakSet()
        try:
            self.dialect.assert_ours(self.url, create=create)
            self.engine = self.dialect.engine(self.url)
            try:
                self._open(create=create, upgrading=upgrading)
            except BaseException:
                self.close()
                raise
        except BaseException as fault:
            raise_in_french(fault, self.dialect)
            raise

    def _open(self, *, create: bool, upgrading: Upgrading | None) -> None:
        schema = self._schema()
        if schema is None and create:
            from models.database.migrate import upgrade  # alembic takes 0.4 s to import: only when a schema is made

            upgrade(self.engine)
            schema = self._schema()
        elif schema is not None and FIRST_SCHEMA <= schema < SCHEMA:
            from models.database.migrate import bring_forward

            self.upgraded = bring_forward(self.engine, self.dialect, schema, upgrading)
            schema = self._schema()
        with self.transaction(write=False) as cursor:
            self.dialect.assert_durable(cursor)
        _assert_schema(schema)

    def close(self) -> None:
        """Close every connection, those of other threads too."""
        self._forget()
        for connection in list(self._all):
            connection.invalidate()
        self.engine.dispose()

    def compile(self, statement: ClauseElement) -> str:
        """The text of a statement, with parameters by name, for the driver of this database."""
        return self.dialect.compiled(statement, self.engine)

    def lock(self, rows: Select[R]) -> tuple[str, ...]:
        """What `transaction` needs to lock these rows."""
        locking = self.dialect.lock(rows)
        return () if locking is None else (self.compile(locking),)

    def transaction(
        self, *, write: bool = True, locks: Sequence[str] = (), parameters: Row = NOTHING_ASKED, waits: bool = True
    ) -> AbstractContextManager[Cursor]:
        """One transaction: committed when the block ends, rolled back when it raises. Raises Unreachable.

        `locks` are rows (see `lock`, with their `parameters`) that nobody else writes to before the commit. One that does not wait
        raises Unreachable at once where somebody else writes.
        """
        return _Transaction(self, locks, parameters, write=write, waits=waits)

    def begun(self, locks: Sequence[str], parameters: Row, *, write: bool, waits: bool) -> Cursor:
        """A cursor in a new transaction. A connection is kept for each thread; one that has died meanwhile is replaced once."""
        connection = getattr(self._kept, "connection", None)
        if connection is not None:
            try:
                return self._begin(connection, locks, parameters, write=write, waits=waits)
            except Exception:
                self._forget()
                if not self.dialect.outlives_connections:
                    raise
        self._kept.connection = self.engine.raw_connection()
        self._all.add(self._kept.connection)
        return self._begin(self._kept.connection, locks, parameters, write=write, waits=waits)

    def _begin(self, connection: PoolProxiedConnection, locks: Sequence[str], parameters: Row, *, write: bool, waits: bool) -> Cursor:
        cursor: Cursor = connection.cursor()  # type: ignore[assignment] # that of the driver
        self.dialect.begin(cursor, write=write, locks=locks, parameters=parameters, waits=waits)
        return cursor

    def roll_back(self, cursor: Cursor) -> None:
        """Undo what the transaction of `cursor` has done so far."""
        try:
            cursor.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - the first fault is the one to tell; a lost connection has rolled back already
            self._forget()

    def _forget(self) -> None:
        connection = getattr(self._kept, "connection", None)
        self._kept.connection = None
        if connection is not None:
            self._all.discard(connection)
            connection.invalidate()

    def _schema(self) -> str | None:
        with self.transaction(write=False) as cursor:
            cursor.execute(self.dialect.version_table())
            row = cursor.fetchone()
            if row is None or row[0] is None:
                return None
            cursor.execute("SELECT version_num FROM alembic_version")
            row = cursor.fetchone()
            return str(row[0]) if row else ""


def writable(text: str) -> bool:
    """Whether a database can hold `text`: UTF-8, without the letter that ends a text in C."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _assert_schema(schema: str | None) -> None:
    if schema is None:
        raise empty_database()
    if not schema:
        raise OtherSchema("La base ne dit plus de quel schéma elle est : quelqu’un l’a modifiée ; restaurez une copie.")
    if schema > SCHEMA:
        raise OtherSchema(f"La base est d’un schéma plus récent ({schema}) que ce jalon ({SCHEMA}) : installez la version à jour.")
    if schema < SCHEMA:
        raise OtherSchema(f"La base est d’un schéma d’avant la version 0.1.0 ({schema}) : ce jalon ({SCHEMA}) ne sait pas la reprendre.")
