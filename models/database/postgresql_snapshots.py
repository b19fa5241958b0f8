"""A snapshot of a PostgreSQL database is one CSV file for each table; it lands in a schema of its own, which nobody looks into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.engine import URL

from models.database.faults import Damaged, Occupied, Unreachable
from models.database.snapshots import Landing, Snapshot
from models.tables.columns import metadata

FOLDER, SUFFIX = "ledger", ".csv"
HIDDEN = "jalon_restoring"
ALONE = 6211  # the number of the lock that two restores ask for
CHUNK = 1024 * 1024
# What would be in the way of tables, where they will stand.
ANYTHING = (
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind IN ('r','p','v','m','f','S')"
)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename"
FUNCTIONS = "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %s ORDER BY p.proname"
SEQUENCE = "SELECT pg_get_serial_sequence(%s, 'id')"

CopyCursor = Any  # psycopg’s: it copies, which the cursors of both databases do not share


@contextmanager
def snapshot(engine: Engine) -> Iterator[Snapshot]:
    """One read-only transaction, in which all tables are read."""
    connection = engine.raw_connection()
    try:
        cursor: CopyCursor = connection.cursor()
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield Snapshot(cursor, ((f"{FOLDER}/{table.name}{SUFFIX}", _content(cursor, table.name)) for table in metadata.sorted_tables))
        cursor.execute("COMMIT")
    finally:
        connection.invalidate()


def _content(cursor: CopyCursor, table: str) -> Iterator[bytes]:
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in metadata.tables[table].columns)
    statement = sql.SQL("COPY {} ({}) TO STDOUT WITH (FORMAT csv, HEADER true, ENCODING 'UTF8')").format(sql.Identifier(table), columns)
    with cursor.copy(statement) as copy:
        for part in copy:
            yield bytes(part)


def assert_empty(engine: Engine) -> None:
    """Raises Occupied when there is anything where the tables would stand."""
    connection = engine.raw_connection()
    try:
        cursor: CopyCursor = connection.cursor()
        _assert_empty(cursor, _stage(cursor))
    finally:
        connection.invalidate()


def _stage(cursor: CopyCursor) -> str:
    """The schema in which jalon's tables stand, for whoever connects as we do."""
    cursor.execute("SELECT current_schema()")
    found = cursor.fetchone()[0]
    if found is None:
        raise Unreachable("La base PostgreSQL n’a pas de schéma où écrire : créez « public », ou corrigez search_path.")
    return str(found)


def _assert_empty(cursor: CopyCursor, stage: str) -> None:
    cursor.execute(ANYTHING, (stage,))
    if cursor.fetchone() is not None:
        raise Occupied("La base PostgreSQL n’est pas vide : une restauration va dans une base neuve, que « createdb » fait.")


@contextmanager
def landed(engine: Engine, url: URL, folder: Path, schema: str) -> Iterator[Landing]:
    """Put the tables into a schema of their own, from which `publish` moves them all at once. Nothing is left there when the block ends."""
    hidden = url.update_query_dict({"options": f"{url.query.get('options', '')} -csearch_path={HIDDEN}".strip()})
    connection = engine.raw_connection()
    cursor: CopyCursor = connection.cursor()
    try:
        stage = _stage(cursor)
        _assert_empty(cursor, stage)
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (ALONE,))
        if not cursor.fetchone()[0]:
            raise Unreachable("Une autre restauration est en cours dans cette base.")
        _clear(cursor)  # what a restore that was killed has left
        cursor.execute(f"CREATE SCHEMA {HIDDEN}")
        try:
            _fill(hidden, folder, schema)
            yield Landing(hidden.render_as_string(hide_password=False), (), lambda: _publish(cursor, stage))
        finally:
            _clear(cursor)
    finally:
        connection.invalidate()


def _clear(cursor: CopyCursor) -> None:
    cursor.execute(f"DROP SCHEMA IF EXISTS {HIDDEN} CASCADE")


def _fill(hidden: URL, folder: Path, schema: str) -> None:
    """Make the tables of a schema and copy the rows into them, in one transaction."""
    from models.database.migrate import upgrade  # it stands on the dialects

    engine = create_engine(hidden, isolation_level="AUTOCOMMIT", pool_size=0)
    try:
        upgrade(engine, schema)
        columns = {name: [column["name"] for column in inspect(engine).get_columns(name)] for name in inspect(engine).get_table_names()}
        order = [name for name, _ in inspect(engine).get_sorted_table_and_fkc_names() if name and name != "alembic_version"]
        connection = engine.raw_connection()
        try:
            _fill_tables(connection.cursor(), folder, order, columns)
        finally:
            connection.invalidate()
    finally:
        engine.dispose()


def _fill_tables(cursor: CopyCursor, folder: Path, order: list[str], columns: dict[str, list[str]]) -> None:
    """Triggers rest meanwhile: they would count each dossier again, and refuse entries of times that are over. Constraints are asked."""
    files = {path.stem: path for path in (folder / FOLDER).iterdir()}
    for name in sorted(files.keys() ^ set(order)):
        raise Damaged(f"La sauvegarde n’a pas les tables de son schéma : « {name} » manque ou est de trop.")
    cursor.execute("BEGIN")
    for name in reversed(order):
        cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))  # what the migrations have put there
    for name in order:
        _fill_table(cursor, name, files[name], columns[name])
        cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(name)))
    cursor.execute("COMMIT")


def _fill_table(cursor: CopyCursor, name: str, path: Path, columns: list[str]) -> None:
    with path.open("rb") as file:
        given = file.readline().decode("utf-8", "replace").rstrip("\r\n").split(",")
        if sorted(given) != sorted(columns):
            raise Damaged(f"La table « {name} » de la sauvegarde n’a pas les colonnes de son schéma.")
        names = sql.SQL(", ").join(map(sql.Identifier, given))
        statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')").format(sql.Identifier(name), names)
        try:
            with cursor.copy(statement) as copy:
                while chunk := file.read(CHUNK):
                    copy.write(chunk)
        except (psycopg.DataError, psycopg.IntegrityError) as fault:
            raise Damaged(f"La base refuse des lignes de la table « {name} » de la sauvegarde : jalon ne les a pas écrites.") from fault
    cursor.execute(SEQUENCE, (name,)) if "id" in columns else None
    sequence = cursor.fetchone()[0] if "id" in columns else None
    if sequence is not None:
        cursor.execute(
            sql.SQL("SELECT setval(%s, (SELECT coalesce(max(id), 0) + 1 FROM {}), false)").format(sql.Identifier(name)), (sequence,)
        )


def _publish(cursor: CopyCursor, stage: str) -> None:
    """Move everything to where jalon looks for it, in one transaction."""
    cursor.execute("BEGIN")
    _assert_empty(cursor, stage)
    for kind, question in (("TABLE", TABLES), ("FUNCTION", FUNCTIONS)):
        cursor.execute(question, (HIDDEN,))
        for (name,) in cursor.fetchall():
            statement = sql.SQL("ALTER {} {} SET SCHEMA {}")
            cursor.execute(statement.format(sql.SQL(kind), sql.Identifier(HIDDEN, name), sql.Identifier(stage)))
    cursor.execute(f"DROP SCHEMA {HIDDEN}")  # which is refused unless everything has moved
    cursor.execute("COMMIT")
