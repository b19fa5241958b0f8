"""A house of many dossiers, made quickly: a few real lives, and as many copies of their rows as asked, written by the database itself.

A copy is there to be searched among: its journal is as long as that of the life, but the text of its entries is left out.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Table, text
from walks import AT, RIGHT, Walk

from models import tables
from models.dashboard import Dashboard
from models.database.sqlite import Sqlite
from models.database.store import Store
from models.ledger.dossiers import Dossiers
from models.once import Marks
from models.outbox import Outbox
from models.tables.columns import metadata
from states.overview.outlook import outlook
from states.vocabulary import State

# Where the real lives have come to; there are as many copies of each.
LIVES = (State.PROPOSED, State.APPROVED, State.SIGNED, State.ACTED, State.REJECTED, State.TERMINATED, State.PROPOSED, State.TRAINED)
FAR = 10_000  # between the numbers of one copy and those of the next
DAYS = 100  # over which deadlines are spread
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
SPREAD = {
    True: f"date('2026-01-01', '+' || (k % {DAYS}) || ' days')",
    False: f"to_char(date '2026-01-01' + k % {DAYS}, 'YYYY-MM-DD')",
}


def filled(store: Store, dossiers: int) -> list[str]:
    """Fill an empty database with so many dossiers, delivered and shown but for the real ones; the references of these.

    Some letters of theirs failed, and some were given up.
    """
    unread = RIGHT["open"]["terms"] | {"quorum_verified": False}  # and so each life has a finding
    walks = [Walk(store, f"VIE-{place}").until(state, terms=unread) for place, state in enumerate(LIVES, start=1)]
    references = [walk.reference for walk in walks]
    _shown(store, references)
    on_sqlite = isinstance(store.dialect, Sqlite)
    with store.engine.connect() as connection:
        connection.execute(text("BEGIN"))
        for table in COPIED:
            _copy(connection, table, dossiers // len(LIVES) - 1, on_sqlite=on_sqlite)
            if not on_sqlite:  # the dossiers are counted; of the facts, nothing has to be looked at again
                connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("COMMIT"))
        if not on_sqlite:
            _settle(connection)
    _failed(store)
    walks[0].do("attach")
    return references


def _settle(connection: Connection) -> None:
    """What a PostgreSQL database that has grown by itself would know: its next numbers, and statistics. (SQLite gathers none.)"""
    for table in metadata.sorted_tables:
        if "id" in table.columns:
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT max(id) + 1 FROM {table.name}))"))
    connection.execute(text("ANALYZE"))


def _shown(store: Store, references: list[str]) -> None:
    dossiers, marks = Dossiers(store), Marks(store)
    with store.transaction(write=False) as cursor:
        found = [one.partnership for reference in references if (one := dossiers.load(cursor, reference)) is not None]
    Dashboard(store).keep((outlook(one, AT), one.version) for one in found)
    marks.set("deliver", "1 courrier envoyé", now=AT)


def _failed(store: Store) -> None:
    outbox = Outbox(store)
    for place, parcel in enumerate(outbox.take(now=AT + timedelta(days=1), lease="first", most=10)):
        outbox.failed(parcel, "panne", now=AT + timedelta(days=1), for_good=place < 4)


def _copy(connection: Connection, table: Table, copies: int, *, on_sqlite: bool) -> None:
    series = (
        f"(WITH RECURSIVE c(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM c WHERE k < {copies}) SELECT k FROM c) AS series"
        if on_sqlite
        else f"generate_series(1, {copies}) AS series(k)"
    )
    columns = [column.name for column in table.columns]
    listed, told = (
        ", ".join(f'"{name}"' for name in columns),
        ", ".join(_in_copy(table.name, name, on_sqlite=on_sqlite) for name in columns),
    )
    connection.execute(text(f'INSERT INTO "{table.name}" ({listed}) SELECT {told} FROM "{table.name}", {series}'))


def _in_copy(table: str, name: str, *, on_sqlite: bool) -> str:
    if name in ("id", "partnership_id"):
        return f'"{name}" + k * {FAR}'
    if name == "due_on":
        return f"CASE WHEN due_on IS NULL THEN NULL ELSE {SPREAD[on_sqlite]} END"
    return OWN.get((table, name), f'"{name}"')
