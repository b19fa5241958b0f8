"""A house of many dossiers, made quickly: copies of the rows of a few real lives, written by the database itself.

A copy is there to be searched among: its journal is as long as that of the life, but the text of its entries is left out.
"""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection, Table, text

from models import tables
from models.database.dialect import Dialect
from models.database.postgresql import PostgreSql
from models.database.sqlite import Sqlite
from models.database.store import Store
from models.ledger.tallies import Tallies
from models.tables.columns import metadata

FAR = 10_000  # between the numbers of one copy and those of the next
FIRST_DAY, DAYS = date(2026, 1, 1), 100  # over which deadlines are spread
# What becomes, in copy number k, of a value that two dossiers may not have in common, or would not.
OWN = {
    ("partnerships", "reference"): "reference || '-' || k",
    ("marks", "name"): "'event'",
    ("marks", "key"): "'key-' || k",
    ("journal", "key"): "\"key\" || '-' || k",
    ("journal", "entry"): """'{"law"\\:1}'""",
    ("outbox", "key"): "\"key\" || '-' || k",
    ("outbox", "sent_at"): "due_at",  # delivered long ago
}
COPIED = [tables.partnerships, tables.marks]  # people are some hundreds, however many dossiers
COPIED += [table for table in metadata.sorted_tables if "partnership_id" in table.columns]
# Once the dossiers are counted, nothing of their facts has to be looked at again: PostgreSQL would, row by row.
COUNTED: dict[type[Dialect], tuple[str, ...]] = {Sqlite: (), PostgreSql: ("SET LOCAL session_replication_role = replica",)}
# What a database that has grown by itself would know: its next numbers, and statistics. (SQLite gathers none.)
SETTLED: dict[type[Dialect], tuple[str, ...]] = {
    Sqlite: (),
    PostgreSql: (
        *(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), coalesce((SELECT max(id) + 1 FROM {table.name}), 1))"  # noqa: S608
            for table in metadata.sorted_tables
            if "id" in table.columns
        ),
        "VACUUM ANALYZE",
        "VACUUM FULL tallies",  # copied at once, the loose rows of 100,000 dossiers have left a thousand empty pages that no step would
    ),
}


def copied(store: Store, copies: int) -> None:
    """Put so many copies beside each dossier that a database holds."""
    kind = type(store.dialect)
    with store.engine.connect() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE copies (k INTEGER PRIMARY KEY, day TEXT)"))
        connection.execute(text("BEGIN"))
        days = [{"k": k, "day": (FIRST_DAY + timedelta(days=k % DAYS)).isoformat()} for k in range(1, copies + 1)]
        connection.execute(text("INSERT INTO copies (k, day) VALUES (:k, :day)"), days)
        for place, table in enumerate(COPIED):
            _copy(connection, table)
            for statement in COUNTED[kind] if place == 0 else ():
                connection.execute(text(statement))
        connection.execute(text("COMMIT"))
        connection.execute(text("DROP TABLE copies"))
        Tallies(store).fold()  # as whoever reads the dashboard does every thousand steps
        for statement in SETTLED[kind]:
            connection.execute(text(statement))


def _copy(connection: Connection, table: Table) -> None:
    columns = [column.name for column in table.columns]
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(_in_copy(table.name, name) for name in columns)
    connection.execute(text(f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM "{table.name}", copies'))  # noqa: S608


def _in_copy(table: str, name: str) -> str:
    if name in ("id", "partnership_id"):
        return f'"{name}" + k * {FAR}'
    if name == "due_on":
        return "CASE WHEN due_on IS NULL THEN NULL ELSE day END"
    return OWN.get((table, name), f'"{name}"')
