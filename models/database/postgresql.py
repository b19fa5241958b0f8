"""PostgreSQL: a server that may be far away, so that what counts is how often one waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import (
    CTE,
    JSON,
    Delete,
    Engine,
    Insert,
    Select,
    Table,
    TableValuedAlias,
    Text,
    Update,
    bindparam,
    cast,
    column,
    create_engine,
    delete,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.sql import ClauseElement, ColumnElement

from models.database.dialect import Cursor, Dialect, Expression, Promises, R, Row
from models.database.faults import OtherSchema, Unreachable
from models.database.writes import OF_DOSSIER, Write, one_row
from models.tables import SCHEMA

if TYPE_CHECKING:
    from models.database.snapshots import Landing, Snapshot

VIOLATIONS = ("IntegrityError", "UniqueViolation", "CheckViolation", "ForeignKeyViolation", "NotNullViolation")
# A step finds its rows by their keys: there is one good plan, whatever the values, and to make it takes longer than to follow it.
GENERIC = "SET LOCAL plan_cache_mode = force_generic_plan"
AT_ONCE = "SET LOCAL lock_timeout = 1"  # the shortest there is, in milliseconds: 0 would be for ever
MOST_OFTEN = 100  # shapes of a step, kept for each ledger; a life has some forty


# What the schema in use is made of. A trigger that is there and disabled says so in its text.
OBJECTS = """
SELECT type || ' ' || name, sql FROM (WITH ours AS (
  SELECT c.oid, c.relname, c.relkind FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace)
SELECT 'table', relname, (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attnotnull THEN 'NOT NULL' END, pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped) FROM ours WHERE relkind = 'r'
UNION ALL SELECT 'index', relname, replace(pg_get_indexdef(oid), current_schema() || '.', '') FROM ours WHERE relkind = 'i'
UNION ALL SELECT 'view', relname, pg_get_viewdef(oid) FROM ours WHERE relkind IN ('v', 'm')
UNION ALL SELECT 'constraint', relname || '.' || conname, replace(pg_get_constraintdef(k.oid), current_schema() || '.', '')
  FROM pg_constraint k JOIN ours ON ours.oid = k.conrelid WHERE contype <> 'n'
UNION ALL SELECT 'trigger', tgname, replace(pg_get_triggerdef(t.oid), current_schema() || '.', '') || ' ' || tgenabled::text
  FROM pg_trigger t JOIN ours ON ours.oid = t.tgrelid WHERE NOT tgisinternal
UNION ALL SELECT 'rule', relname || '.' || rulename, pg_get_ruledef(r.oid)
  FROM pg_rewrite r JOIN ours ON ours.oid = r.ev_class WHERE relkind = 'r'
UNION ALL SELECT 'server', '', (current_setting('server_version_num')::integer / 10000)::text
UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace) AS things (type, name, sql)
"""


class AllInOne:
    """All that a step writes in one statement, whose parts hang on the row of the dossier: where it has moved, none is written.

    Such a statement is made for each shape of a step (which kinds of rows it writes) and kept; the rows of one kind are one parameter.
    """

    def __init__(self, compiled: Callable[[ClauseElement], str]) -> None:
        self._compiled = compiled
        self._texts: dict[tuple[str, ...], str] = {}

    def send(self, cursor: Cursor, head: Write, row: Row, writes: Iterable[tuple[Write, Sequence[Row]]]) -> int | None:
        """See `Sender`."""
        parts = list(writes)
        shape = (head.name, *(write.name for write, _ in parts))
        text = self._texts.get(shape)
        if text is None:
            text = self._keep(shape, head, [write for write, _ in parts])
        rows = {write.name: orjson.dumps(found).decode() for write, found in parts}
        cursor.execute(text, {head.name: orjson.dumps([row]).decode(), **rows})
        found = cursor.fetchone()
        return None if found is None else int(found[0])

    def send_alone(self, cursor: Cursor, write: Write, row: Row) -> None:
        """See `Sender`."""
        cursor.execute(self._compiled(one_row(write)), row)

    def _keep(self, shape: tuple[str, ...], head: Write, writes: Sequence[Write]) -> str:
        if len(self._texts) >= MOST_OFTEN:
            self._texts.clear()
        text = self._texts[shape] = self._compiled(all_in_one(head, writes))
        return text


def all_in_one(head: Write, writes: Iterable[Write]) -> Select[tuple[int]]:
    """One statement for the row of a dossier and rows that belong to it; it answers with the dossier's id, or nothing."""
    dossier = _written(head, None).returning(head.table.c.id).cte("dossier")
    return select(dossier.c.id).add_cte(*(_written(write, dossier).cte(write.name) for write in writes))


def _written(write: Write, dossier: CTE | None) -> Insert | Update | Delete:
    """One kind of write, its rows from the parameter of its name."""
    rows = _rows(write)
    whose = dossier if write.of_dossier else None
    if not write.keys:
        values = [rows.c[name] for name in write.values]
        if whose is None:
            return insert(write.table).from_select(write.values, select(*values))
        return insert(write.table).from_select((OF_DOSSIER, *write.values), select(whose.c.id, *values).join_from(whose, rows, true()))
    which = [write.table.c[key] == rows.c[f"{key}_"] for key in write.keys]
    if whose is not None:
        which.append(write.table.c[OF_DOSSIER] == whose.c.id)
    if not write.values:
        return delete(write.table).where(*which, *write.conditions())
    return update(write.table).where(*which, *write.conditions()).values({name: rows.c[name] for name in write.values})


def _rows(write: Write) -> TableValuedAlias:
    """The rows in a parameter, typed as the columns that they are for."""
    typed = [column(name, write.table.c[name].type) for name in write.values]
    typed += [column(f"{key}_", write.table.c[key].type) for key in write.keys]
    rows = func.json_to_recordset(cast(bindparam(write.name, type_=Text), JSON))
    return rows.table_valued(*typed).render_derived(name=f"rows_{write.name}", with_types=True)


class PostgreSql(Dialect):
    """What jalon asks of PostgreSQL."""

    drivers = ("postgresql+psycopg",)
    outlives_connections = True

    def assert_ours(self, url: URL, *, create: bool) -> None:
        """A server says so itself, when it is asked for its schema."""

    def engine(self, url: URL) -> Engine:
        from models.database.preparing import Preparing  # psycopg takes 0.1 s to import, which who is on SQLite does not need

        given = {"cursor_factory": Preparing}
        return create_engine(url, isolation_level="AUTOCOMMIT", pool_pre_ping=True, pool_size=0, connect_args=given)

    def version_table(self) -> str:
        return "SELECT to_regclass('alembic_version')"

    def assert_durable(self, cursor: Cursor) -> None:
        commit, fsync = (_shown(cursor, name) for name in ("synchronous_commit", "fsync"))
        if commit == "off" or fsync != "on":
            raise Unreachable(
                f"PostgreSQL ne garantit pas la durée des écritures (synchronous_commit={commit}, fsync={fsync}) : "
                "jalon refuse de s’en servir."
            )

    def promises(self, cursor: Cursor) -> Promises:
        settings = ", ".join(f"{name}={_shown(cursor, name)}" for name in ("synchronous_commit", "fsync"))
        return Promises(f"PostgreSQL {_shown(cursor, 'server_version')}, {settings}.", ())

    def objects(self, cursor: Cursor) -> dict[str, str]:
        cursor.execute(OBJECTS)
        return {name.strip(): " ".join(text.split()) for name, text in cursor.fetchall()}

    def assert_leave(self, url: URL, schema: str, *, agreed: bool) -> None:
        if agreed:
            return
        address = URL.create(**(url._asdict() | {"drivername": "postgresql", "password": None})).render_as_string()
        raise OtherSchema(
            f"La base PostgreSQL est du schéma {schema} ; ce jalon en demande la reprise au schéma {SCHEMA}. Faites-en d’abord une "
            f"copie : pg_dump --format=custom --file=jalon-{schema}.dump '{address}' ; puis lancez « jalon upgrade --yes »."
        )

    def keep_copy(self, url: URL, schema: str) -> Path | None:  # noqa: ARG002 - whoever agreed has made one
        return None

    def snapshot(self, engine: Engine, folder: Path) -> AbstractContextManager[Snapshot]:  # noqa: ARG002 - nothing lies anywhere
        from models.database import postgresql_snapshots

        return postgresql_snapshots.snapshot(engine)

    def weight(self, cursor: Cursor) -> int:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])

    def assert_empty(self, url: URL) -> None:
        from models.database import postgresql_snapshots

        postgresql_snapshots.assert_empty(self.engine(url))

    def landed(self, url: URL, folder: Path, schema: str) -> AbstractContextManager[Landing]:
        from models.database import postgresql_snapshots

        return postgresql_snapshots.landed(self.engine(url), url, folder, schema)

    def begin(self, cursor: Cursor, *, write: bool, locks: Sequence[str], parameters: Row, waits: bool) -> None:
        """BEGIN and the locks are one message. What is read next is a statement of its own: it sees what was committed while one waited."""
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED" if write else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        if not waits:
            begin = f"{begin}; {AT_ONCE}"
        if locks:
            from psycopg import ClientCursor  # loaded already: there is a cursor

            begin = ClientCursor(cursor.connection).mogrify("; ".join((begin, GENERIC, *locks)), parameters)
        cursor.execute(begin)

    def compiled(self, statement: ClauseElement, engine: Engine) -> str:
        return str(statement.compile(dialect=engine.dialect))

    def lock(self, rows: Select[R]) -> Select[R] | None:
        return rows.with_for_update()

    def unheld(self, rows: Select[R], table: Table) -> Select[R]:
        return rows.with_for_update(skip_locked=True, of=table)

    def sender(self, compiled: Callable[[ClauseElement], str]) -> AllInOne:
        return AllInOne(compiled)

    def upsert(self, table: Table, key: str, values: Mapping[str, object], version: str) -> ClauseElement:
        new = postgresql.insert(table).values(values)
        replaced = {name: new.excluded[name] for name in values if name != key}
        return new.on_conflict_do_update(index_elements=[key], set_=replaced, where=table.c[version] <= new.excluded[version])

    def array(self, *columns: Expression) -> ColumnElement[str]:
        return cast(func.json_build_array(*columns), Text)

    def arrays(self, *columns: Expression) -> ColumnElement[str]:
        return cast(func.json_agg(func.json_build_array(*columns)), Text)

    def listed(self, texts: ColumnElement[str]) -> Select[tuple[str]]:
        return select(func.json_array_elements_text(cast(texts, JSON)).column_valued("text"))

    def violated(self, cause: BaseException) -> bool:
        return _of_driver(cause) and type(cause).__name__ in VIOLATIONS

    def constraint(self, cause: BaseException) -> str | None:
        name = getattr(getattr(cause, "diag", None), "constraint_name", None) if _of_driver(cause) else None
        return str(name) if name else None

    def sentence(self, cause: BaseException) -> str | None:
        if not _of_driver(cause):
            return None
        return "La base PostgreSQL ne répond pas : vérifiez qu’elle est démarrée et l’adresse JALON_DATABASE_URL."


POSTGRESQL = PostgreSql()


def _of_driver(cause: BaseException) -> bool:
    return type(cause).__module__.startswith("psycopg")


def _shown(cursor: Cursor, name: str) -> str:
    cursor.execute(f"SHOW {name}")
    return str(cursor.fetchone()[0])
