"""SQLite: one file, one writer at a time, statements that cost no journey."""

from __future__ import annotations

import itertools
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, Index, PrimaryKeyConstraint, Select, Table, UniqueConstraint, column, create_engine, event, func, select
from sqlalchemy.dialects.sqlite import dialect as speech
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import URL
from sqlalchemy.sql import ClauseElement, ColumnElement

from models.database.dialect import Cursor, Dialect, Expression, Promises, R, Row
from models.database.faults import Unreachable, empty_database, no_answer, unreadable_address
from models.database.writes import OF_DOSSIER, Write, one_row
from models.tables.dossier import partnerships
from states.values.french import unreadable

if TYPE_CHECKING:
    from models.database.snapshots import Landing, Snapshot

BUSY_SECONDS = 10
# SQLite names the columns of a unique constraint, not the constraint.
UNIQUE_COLUMNS = {
    ", ".join(f"{table.name}.{column.name}" for column in unique.columns): str(unique.name)
    for table in partnerships.metadata.tables.values()
    for unique in (*table.constraints, *table.indexes)
    if (isinstance(unique, UniqueConstraint | PrimaryKeyConstraint) and unique.name) or (isinstance(unique, Index) and unique.unique)
}
FAULTS = (
    ("not a database", "Le fichier de la base n’est pas une base de données lisible."),
    ("malformed", "Le fichier de la base est abîmé : restaurez une sauvegarde."),
    ("readonly", "La base est en lecture seule : rien n’a été enregistré."),
    ("unable to open", "La base ne peut pas être ouverte : vérifiez le chemin et les droits."),
    ("locked", "La base est occupée par un autre programme : réessayez dans un instant."),
    ("disk is full", "Le disque est plein : rien n’a été enregistré."),
    ("disk I/O error", "Le disque ne répond pas correctement : rien n’a été enregistré."),
    ("no such table", "La base n’a pas les tables de jalon."),
)


class EachInTurn:
    """One statement after the other: none has far to go, and the shortest ones are the fastest."""

    def __init__(self, compiled: Callable[[ClauseElement], str]) -> None:
        self._compiled = compiled
        self._texts: dict[str, str] = {}

    def send(self, cursor: Cursor, head: Write, row: Row, writes: Iterable[tuple[Write, Sequence[Row]]]) -> int | None:
        """See `Sender`."""
        cursor.execute(self._text(head), row)
        if head.keys and cursor.rowcount == 0:
            return None
        id_ = int(str(row["id_"]) if head.keys else cursor.fetchone()[0])
        for write, rows in writes:
            whose = {OF_DOSSIER: id_, f"{OF_DOSSIER}_": id_} if write.of_dossier else {}
            if len(rows) == 1:
                cursor.execute(self._text(write), {**whose, **rows[0]})
            else:
                cursor.executemany(self._text(write), [{**whose, **fields} for fields in rows])
        return id_

    def send_alone(self, cursor: Cursor, write: Write, row: Row) -> None:
        """See `Sender`."""
        cursor.execute(self._text(write), row)

    def _text(self, write: Write) -> str:
        text = self._texts.get(write.name)
        if text is None:
            text = self._texts[write.name] = self._compiled(one_row(write))
        return text


class Sqlite(Dialect):
    """What jalon asks of SQLite."""

    drivers = ("sqlite", "sqlite+pysqlite")
    outlives_connections = False

    def assert_ours(self, url: URL, *, create: bool) -> None:
        """Without touching it: opening it for writing would already change somebody else's."""
        if url.database in (None, "", ":memory:"):
            raise unreadable_address()
        path = Path(url.database or "")
        if not path.exists():
            _assert_made(path, create=create)
            return
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "alembic_version" not in tables:
            raise Unreachable(f"Le fichier {path} est la base d’un autre programme.")
        if not tables and not create:
            raise empty_database()

    def engine(self, url: URL) -> Engine:
        engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": BUSY_SECONDS}, pool_size=0)
        event.listen(engine, "connect", _set_up)
        return engine

    def version_table(self) -> str:
        return "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"

    def assert_durable(self, cursor: Cursor) -> None:
        settings = {}
        for pragma in ("journal_mode", "synchronous", "foreign_keys"):
            cursor.execute(f"PRAGMA {pragma}")
            settings[pragma] = cursor.fetchone()[0]
        if settings != {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}:
            raise Unreachable(f"La base ne garantit pas la durée des écritures ({settings}) : jalon refuse de s’en servir.")

    def promises(self, cursor: Cursor) -> Promises:
        found = {}
        for pragma in ("journal_mode", "synchronous", "foreign_keys", "quick_check"):
            cursor.execute(f"PRAGMA {pragma}")
            found[pragma] = str(cursor.fetchone()[0])
        checked = found.pop("quick_check")
        sound = checked == "ok"
        settings = ", ".join(f"{name}={value}" for name, value in found.items())
        return Promises(f"SQLite, {settings} ; fichier {'sain' if sound else 'abîmé'}.", () if sound else (checked,))

    def objects(self, cursor: Cursor) -> dict[str, str]:
        cursor.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'")
        return {name: " ".join(text.split()) for name, text in cursor.fetchall()}

    def assert_leave(self, url: URL, schema: str, *, agreed: bool) -> None:
        """A file is copied by jalon itself: nobody needs to be asked."""

    def keep_copy(self, url: URL, schema: str) -> Path | None:
        return copy_beside(Path(url.database or ""), schema)

    def snapshot(self, engine: Engine, folder: Path) -> AbstractContextManager[Snapshot]:
        from models.database import sqlite_snapshots

        return sqlite_snapshots.snapshot(Path(engine.url.database or ""), folder)

    def weight(self, cursor: Cursor) -> int:
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(cursor.fetchone()[0])

    def assert_empty(self, url: URL) -> None:
        """The file goes into the folder of the restore, which is another question."""

    def landed(self, url: URL, folder: Path, schema: str) -> AbstractContextManager[Landing]:  # noqa: ARG002 - see `assert_empty`
        from models.database import sqlite_snapshots

        return sqlite_snapshots.landed(folder, schema)

    def begin(self, cursor: Cursor, *, write: bool, locks: Sequence[str], parameters: Row, waits: bool) -> None:  # noqa: ARG002 - IMMEDIATE locks the whole database
        if waits:
            cursor.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            return
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")

    def compiled(self, statement: ClauseElement, engine: Engine) -> str:  # noqa: ARG002 - one speech for every file
        return str(statement.compile(dialect=speech(paramstyle="named")))

    def lock(self, rows: Select[R]) -> Select[R] | None:  # noqa: ARG002 - see `begin`
        return None

    def unheld(self, rows: Select[R], table: Table) -> Select[R]:  # noqa: ARG002 - nobody else writes
        return rows

    def sender(self, compiled: Callable[[ClauseElement], str]) -> EachInTurn:
        return EachInTurn(compiled)

    def upsert(self, table: Table, key: str, values: Mapping[str, object], version: str) -> ClauseElement:
        new = insert(table).values(values)
        replaced = {name: new.excluded[name] for name in values if name != key}
        return new.on_conflict_do_update(index_elements=[key], set_=replaced, where=table.c[version] <= new.excluded[version])

    def array(self, *columns: Expression) -> ColumnElement[str]:
        return func.json_array(*columns)

    def arrays(self, *columns: Expression) -> ColumnElement[str]:
        return func.json_group_array(func.json_array(*columns))

    def listed(self, texts: ColumnElement[str]) -> Select[tuple[str]]:
        return select(func.json_each(texts).table_valued(column("value")).c.value)

    def violated(self, cause: BaseException) -> bool:
        return isinstance(cause, sqlite3.IntegrityError)

    def constraint(self, cause: BaseException) -> str | None:
        found = re.fullmatch(r"(CHECK|UNIQUE) constraint failed: (.+)", str(cause)) if self.violated(cause) else None
        return UNIQUE_COLUMNS.get(found[2], found[2]) if found else None

    def sentence(self, cause: BaseException) -> str | None:
        if not isinstance(cause, sqlite3.Error | OSError):
            return None
        message = str(cause)
        return next((sentence for sign, sentence in FAULTS if sign in message), no_answer(cause))


SQLITE = Sqlite()


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file."""
    return str(URL.create("sqlite", database=str(path)))


def copy_beside(path: Path, schema: str) -> Path:
    """Copy a SQLite database, as it is committed now, to a new file beside it that bears the schema; where it is. Raises Unreachable.

    An earlier copy is never overwritten: it may be the only good one.
    """
    names = (f"{path.name}.schema-{schema}{f'-{number}' if number > 1 else ''}" for number in itertools.count(1))
    copy = next(candidate for name in names if not (candidate := path.with_name(name)).exists())
    part = copy.with_name(f"{copy.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)  # names of trainees are in it
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(copy)
    except (OSError, sqlite3.Error) as fault:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        why = unreadable(fault) if isinstance(fault, OSError) else str(fault)
        raise Unreachable(f"La base ne peut pas être copiée à côté avant sa reprise ({why}) : rien n’a changé.") from fault
    return copy


def _assert_made(path: Path, *, create: bool) -> None:
    """An empty file where there is none yet; readable by its owner alone, as names of trainees and secrets of codes will be in it."""
    if not create:
        raise Unreachable(f"La base {path} n’existe pas encore : commencez par « jalon people first ».")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as fault:
        raise Unreachable(f"Le dossier {path.parent} ne peut pas être créé ({unreadable(fault)}).") from fault


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours alone
    cursor = connection.cursor()
    _set_wal(cursor)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _set_wal(cursor: sqlite3.Cursor) -> None:
    """Put the file into WAL mode once. SQLite does not wait for a lock to change it, so we do."""
    limit = time.monotonic() + BUSY_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() > limit:
                raise
            time.sleep(0.05)
