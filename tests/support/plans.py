"""How a database would answer each statement that jalon sends: listened to on the cursor, explained by the database, read here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from models.database.sqlite import Sqlite
from models.database.store import Store

BIG = 1000  # rows: with fewer, PostgreSQL reads a whole table rather than an index, and rightly
# Reading these indexes whole is reading what waits for somebody, and not what the house has.
FEW = {
    "ix_outbox_waiting": "letters that are not sent yet",
    "ix_outbox_follows": "the same",
    "ix_outbox_held": "letters that failed",
    "ix_outbox_dead": "letters that were given up",
    "ix_people_refused": "people with a wrong code",
    "pk_register_journal": "its last entry, from the end of the index; or the register's journal whole, some hundreds of entries",
}
# Statements that read a whole table on purpose, by how they begin, and why.
ON_PURPOSE = {
    "SELECT partnerships.reference FROM partnerships ORDER BY": "`verify` without a reference proves every dossier",
    "UPDATE outlooks SET page=NULL": "a desk that opens publishes every page again",
    "SELECT people.name, people.mail, people.standing, people_roles.role, people_roles.since FROM people "
    "LEFT OUTER JOIN people_roles ON people_roles.person_id = people.id ORDER BY": "the register is listed whole",
    "SELECT register_journal.id": "the journal of the register is read whole: some hundreds of entries, however many dossiers",
    "SELECT people.folded, people.secret FROM people WHERE": "the first sealed secret, to try the key on",
    "SELECT people.name, people.folded": "`verify` compares the register's rows with it",
    "SELECT type || ' ' || name, sql FROM": "an audit reads the schema whole",
    "SELECT vocabulary.kind": "an audit reads the words that the database takes: two dozen",
    "SELECT partnerships.state, partnerships.due_on, count(*)": "an audit counts the dossiers again, to compare the counters",
    "SELECT partnerships.reference FROM outlooks JOIN": "an audit compares every line of the board with its dossier",
    "SELECT outbox.partnership_id, count(*)": "an audit counts the letters of each dossier, those long sent too",
    "SELECT count(*) AS count_1 FROM outbox LEFT OUTER JOIN": "an audit looks for letters of no dossier",
    "SELECT outbox.lease, outbox.": "an audit that counted too many letters for a dossier looks for them; nobody else asks",
    "SELECT tallies.state": "counters: a row for each state and day with a deadline, however many dossiers",
    "SELECT coalesce(sum(tallies.dossiers)": "the same counters",
    "INSERT INTO partnerships": "SQLite looks among the facts only while a foreign key is broken, and none ever is",
    "DELETE FROM tallies": "the same counters, put together",
}
# PostgreSQL counts on a hundred rows in any JSON list: beside one, it may read the register rather than its index. A register has some
# hundreds of people, however many dossiers.
LIST, REGISTER = re.compile(r"\bjson_(to_recordset|array_elements_text)\b"), ("people", "people_roles")
NO_TABLE = re.compile(r"SCAN (CONSTANT ROW|\d+ CONSTANT ROWS|\(subquery-\d+\)|anon_\d+)")


class Scan(NamedTuple):
    """A statement that reads all of something: which, and how the database says so."""

    statement: str
    how: str

    def __str__(self) -> str:
        return f"« {self.statement} » reads everything: {self.how}."


class Heard:
    """A connection or cursor of the driver that notes each statement with the values of its first time, and how many rows it gave."""

    def __init__(self, real: Any, asked: dict[str, Mapping[str, Any]]) -> None:
        self._real, self._asked = real, asked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def cursor(self) -> Heard:
        return Heard(self._real.cursor(), self._asked)

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Any:
        self._asked.setdefault(statement, parameters or {})
        return self._real.execute(statement, parameters) if parameters is not None else self._real.execute(statement)

    def executemany(self, statement: str, rows: Any) -> Any:
        self._asked.setdefault(statement, rows[0])
        return self._real.executemany(statement, rows)


@contextmanager
def listening(store: Store) -> Iterator[dict[str, Mapping[str, Any]]]:
    """Yields every statement that is sent on `store`, or compiled for it, with values where it was sent (none otherwise)."""
    connect, compile_, asked = store.engine.raw_connection, store.compile, dict[str, Mapping[str, Any]]()
    compiled: list[str] = []
    store.close()

    def noted(statement: Any) -> str:
        compiled.append(compile_(statement))
        return compiled[-1]

    store.engine.raw_connection, store.compile = lambda: Heard(connect(), asked), noted  # type: ignore[method-assign,assignment]
    try:
        yield asked
    finally:
        store.engine.raw_connection, store.compile = connect, compile_  # type: ignore[method-assign]
        store.close()
        asked |= {one: {} for one in compiled if one not in asked}


def scans(store: Store, asked: Mapping[str, Mapping[str, Any]]) -> list[Scan]:
    """The statements that read all of something, but for those that do so on purpose."""
    found = []
    store.close()  # a connection of SQLite explains by the schema that it saw first
    with store.transaction() as cursor:
        for statement, values in asked.items():
            told = " ".join(statement.split())
            if re.match(r"(WITH|SELECT|INSERT|UPDATE|DELETE)\b", told) and not told.startswith(tuple(ON_PURPOSE)):
                hows = (
                    _on_sqlite(cursor, statement, values)
                    if isinstance(store.dialect, Sqlite)
                    else _on_postgresql(cursor, statement, values)
                )
                found += [Scan(told, how) for how in hows]
    return found


def _on_sqlite(cursor: Any, statement: str, values: Mapping[str, Any]) -> list[str]:
    named = dict.fromkeys(re.findall(r":(\w+)", statement)) | dict(values)
    cursor.execute(f"EXPLAIN QUERY PLAN {statement}", named)
    lines = [row[3] for row in cursor.fetchall()]
    return [
        line
        for line in lines
        if ("AUTOMATIC" in line or line.startswith("SCAN")) and not NO_TABLE.match(line) and line.split()[-1] not in FEW
    ]


def _on_postgresql(cursor: Any, statement: str, values: Mapping[str, Any]) -> list[str]:
    """Twice: as PostgreSQL would do it, where a table is big; and as it would if it had to use an index."""
    found = []
    for most, setting in ((BIG, "on"), (0, "off")):
        cursor.execute(f"SET LOCAL enable_seqscan = {setting}")
        if values or "%(" not in statement:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
        else:
            cursor.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {_numbered(statement)}")
        told = cursor.fetchone()[0]
        plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
        few = REGISTER if LIST.search(statement) else ()
        found += [how for how, table in _whole(plan) if table not in few and _rows(cursor, table) >= most]
    return list(dict.fromkeys(found))


def _numbered(statement: str) -> str:
    """The statement with $1, $2... for its names."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    return re.sub(r"%\((\w+)\)s", lambda name: f"${names.index(name[1]) + 1}", statement).replace("%%", "%")


def _whole(node: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """What the nodes of a plan read whole, and of which table."""
    table, kind, index = node.get("Relation Name", above), node["Node Type"], node.get("Index Name")
    if kind == "Seq Scan" and table:
        yield f"Seq Scan on {table}", table
    elif index and index not in FEW and "Index Cond" not in node:
        yield f"{kind} of all of {index}", table
    for below in node.get("Plans", ()):
        yield from _whole(below, table)


def _rows(cursor: Any, table: str) -> float:
    cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %(table)s", {"table": table})
    return float(cursor.fetchone()[0])
