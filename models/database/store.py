"""A database that keeps its promises: opened, asserted and handed out here, one transaction at a time."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TypeAlias
from weakref import WeakSet

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import ClauseElement

from models.database.faults import FRENCH_FAULTS, OtherSchema, Unreachable, raise_in_french
from models.tables import SCHEMA
from states.values.french import unreadable

BUSY_SECONDS = 10
FIRST_SCHEMA = "0003"  # of version 0.1.0: what is older was never released


Row: TypeAlias = Any  # what a driver gives: a tuple of the columns asked for, or None where there is none


class Cursor(Protocol):
    """What both drivers share."""

    rowcount: int

    def execute(self, sql: str, parameters: Mapping[str, object] = ..., /) -> object: ...
    def executemany(self, sql: str, parameters: Sequence[Mapping[str, object]], /) -> object: ...
    def fetchone(self) -> Row: ...
    def fetchall(self) -> list[Row]: ...


class Upgrading(NamedTuple):
    """Leave to bring an earlier database forward, at an aware instant; `agreed`: somebody has made a copy of a PostgreSQL database."""

    at: datetime
    agreed: bool = False


class Upgraded(NamedTuple):
    """What became of a database of before: from which schema it came, and where its copy is (SQLite)."""

    schema: str
    copy: Path | None


class _Transaction:
    """One transaction of a store: see `Store.transaction`."""

    __slots__ = ("_begin", "_cursor", "_store")

    def __init__(self, store: Store, begin: str) -> None:
        self._store = store
        self._begin = begin

    def __enter__(self) -> Cursor:
        with FRENCH_FAULTS:
            self._cursor = self._store.begun(self._begin)
        return self._cursor

    def __exit__(self, _kind: type[BaseException] | None, fault: BaseException | None, _trace: TracebackType | None) -> None:
        if fault is not None:
            self._store.roll_back(self._cursor)
            raise_in_french(fault)
            return
        try:
            self._cursor.execute("COMMIT")
        except BaseException as late:
            self._store.roll_back(self._cursor)
            raise_in_french(late)
            raise


class Store:
    """One database, SQLite or PostgreSQL, of the schema that this jalon knows.

    Raises Unreachable when it cannot be read, when it does not promise durability, or when its schema is
    another one. With `create`, an absent or empty database gets the schema first; with `upgrading`, one of an
    earlier schema is brought forward with its data, and `upgraded` says so.
    """

    def __init__(self, url: str, *, create: bool = False, upgrading: Upgrading | None = None) -> None:
        self.url = _known_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # Reads of one page see one moment; a write locks its row and then reads what is committed by now.
        self._begin = (
            {True: "BEGIN IMMEDIATE", False: "BEGIN"}
            if self.is_sqlite
            else {True: "BEGIN ISOLATION LEVEL READ COMMITTED", False: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
        )
        self.upgraded: Upgraded | None = None
        self._kept = threading.local()
        self._all: WeakSet[Any] = WeakSet()
        with FRENCH_FAULTS:
            if self.is_sqlite:
                _assert_ours(Path(self.url.database or ""), create=create)
            self.engine = self._engine()
            try:
                self._open(create=create, upgrading=upgrading)
            except BaseException:
                self.close()
                raise

    def _open(self, *, create: bool, upgrading: Upgrading | None) -> None:
        schema = self._schema()
        if schema is None and create:
            from models.database.migrate import upgrade  # alembic takes 0.4 s to import: only when a schema is made

            upgrade(self.engine)
            schema = self._schema()
        elif schema is not None and FIRST_SCHEMA <= schema < SCHEMA:
            from models.database.migrate import bring_forward

            self.upgraded = bring_forward(self.engine, schema, upgrading)
            schema = self._schema()
        if self.is_sqlite:
            self._assert_sqlite()
        else:
            self._assert_postgresql()
        _assert_schema(schema)

    def close(self) -> None:
        """Close every connection, those of other threads too."""
        self._forget()
        for connection in list(self._all):
            connection.invalidate()
        self.engine.dispose()

    def compile(self, statement: ClauseElement) -> str:
        """The text of a statement, with parameters by name, for the driver of this database."""
        dialect: Dialect = sqlite_dialect(paramstyle="named") if self.is_sqlite else self.engine.dialect
        return str(statement.compile(dialect=dialect))

    def transaction(self, *, write: bool = True) -> AbstractContextManager[Cursor]:
        """One transaction: committed when the block ends, rolled back when it raises. Raises Unreachable."""
        return _Transaction(self, self._begin[write])

    def begun(self, begin: str) -> Cursor:
        """A cursor in a new transaction. A connection is kept for each thread; one that has died meanwhile is replaced once."""
        kept = getattr(self._kept, "connection", None)
        if kept is not None:
            try:
                return self._execute(kept, begin)
            except Exception:
                self._forget()
                if self.is_sqlite:
                    raise
        self._kept.connection = self.engine.raw_connection()
        self._all.add(self._kept.connection)
        return self._execute(self._kept.connection, begin)

    def _execute(self, connection: Any, sql: str) -> Cursor:
        cursor: Cursor = connection.cursor()
        cursor.execute(sql)
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

    def _engine(self) -> Engine:
        if not self.is_sqlite:
            return create_engine(self.url, isolation_level="AUTOCOMMIT", pool_pre_ping=True, pool_size=0)
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", connect_args={"timeout": BUSY_SECONDS}, pool_size=0)
        event.listen(engine, "connect", _set_sqlite)
        return engine

    def _schema(self) -> str | None:
        with self.transaction(write=False) as cursor:
            if self.is_sqlite:
                cursor.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
            else:
                cursor.execute("SELECT to_regclass('alembic_version')")
            row = cursor.fetchone()
            if row is None or row[0] is None:
                return None
            cursor.execute("SELECT version_num FROM alembic_version")
            row = cursor.fetchone()
            return str(row[0]) if row else ""

    def _assert_sqlite(self) -> None:
        with self.transaction(write=False) as cursor:
            settings = {}
            for pragma in ("journal_mode", "synchronous", "foreign_keys"):
                cursor.execute(f"PRAGMA {pragma}")
                settings[pragma] = cursor.fetchone()[0]
        if settings != {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}:
            raise Unreachable(f"La base ne garantit pas la durée des écritures ({settings}) : jalon refuse de s’en servir.")

    def _assert_postgresql(self) -> None:
        with self.transaction(write=False) as cursor:
            cursor.execute("SHOW synchronous_commit")
            commit = cursor.fetchone()[0]
            cursor.execute("SHOW fsync")
            fsync = cursor.fetchone()[0]
        if commit == "off" or fsync != "on":
            raise Unreachable(
                f"PostgreSQL ne garantit pas la durée des écritures (synchronous_commit={commit}, fsync={fsync}) : "
                "jalon refuse de s’en servir."
            )


def writable(text: str) -> bool:
    """Whether a database can hold `text`: UTF-8, without the letter that ends a text in C."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _known_url(url: str) -> URL:
    try:
        known = make_url(url)
        supported = known.drivername in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
    except (SQLAlchemyError, ValueError):
        supported = False
    if not supported or (known.drivername.startswith("sqlite") and known.database in (None, "", ":memory:")):
        raise Unreachable(
            "L’adresse JALON_DATABASE_URL n’est pas lisible : écrivez sqlite:////chemin/jalon.db ou postgresql+psycopg://utilisateur@serveur/base."
        )
    return known


def _assert_ours(path: Path, *, create: bool) -> None:
    """Look at a SQLite file without touching it: opening it for writing would already change somebody else's."""
    if not path.exists():
        if not create:
            raise Unreachable(f"La base {path} n’existe pas encore : commencez par « jalon people add ».")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)  # names of trainees and secrets of codes will be in it
        except OSError as fault:
            raise Unreachable(f"Le dossier {path.parent} ne peut pas être créé ({unreadable(fault)}).") from fault
        return
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "alembic_version" not in tables:
        raise Unreachable(f"Le fichier {path} est la base d’un autre programme.")
    if not tables and not create:
        _assert_schema(None)


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file."""
    return str(URL.create("sqlite", database=str(path)))


def _set_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours alone
    cursor = connection.cursor()
    _set_wal(cursor)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _set_wal(cursor: Any) -> None:
    """Put the file into WAL mode once. SQLite does not wait for a lock to change it, so we do."""
    limit = time.monotonic() + BUSY_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() > limit:
                raise
            time.sleep(0.05)


def _assert_schema(schema: str | None) -> None:
    if schema is None:
        raise Unreachable("La base est vide : lancez d’abord « jalon init-db ».")
    if not schema:
        raise OtherSchema("La base ne dit plus de quel schéma elle est : quelqu’un l’a modifiée ; restaurez une copie.")
    if schema > SCHEMA:
        raise OtherSchema(f"La base est d’un schéma plus récent ({schema}) que ce jalon ({SCHEMA}) : installez la version à jour.")
    if schema < SCHEMA:
        raise OtherSchema(f"La base est d’un schéma d’avant la version 0.1.0 ({schema}) : ce jalon ({SCHEMA}) ne sait pas la reprendre.")
