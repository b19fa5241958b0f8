"""What a test sees and does behind the ledger's back: rows as they stand, SQL of its own, the triggers gone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from databases import beneath
from sqlalchemy import text
from walks import Walk

from models.database.store import Store
from models.ledger.dossiers import Dossiers, Loaded
from models.tables.columns import metadata

SUPPORT = Path(__file__).parent


def sql(store: Store, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Run one statement, committed at once, and answer with its rows."""
    with store.engine.connect() as connection:
        found = connection.execute(text(statement), values)
        return [tuple(row) for row in found] if found.returns_rows else []


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with store.engine.connect() as connection:
        return {name: sorted(map(tuple, connection.execute(text(f'SELECT * FROM "{name}"'))), key=repr) for name in metadata.tables}


def journal(store: Store, reference: str) -> list[tuple[Any, ...]]:
    """The entries of a dossier, in order, as `(n, entry, digest)`."""
    return sql(
        store,
        "SELECT j.n, j.entry, j.digest FROM journal j JOIN partnerships p ON p.id = j.partnership_id WHERE p.reference = :r ORDER BY j.n",
        r=reference,
    )


def fresh(walk: Walk) -> Loaded:
    """The dossier as its rows say, read without any memory."""
    with walk.store.transaction(write=False) as cursor:
        loaded = _reader(walk.store).load(cursor, walk.reference)
    assert loaded is not None
    return loaded


_reader = lru_cache(maxsize=1)(Dossiers)  # to compile its statements takes longer than to run them


def drop_triggers(store: Store) -> None:
    """Take away what keeps the journal append-only, as somebody with all rights on the database could."""
    for (name,) in sql(store, beneath(store).triggers):
        sql(store, f"DROP {name} CASCADE" if name.startswith("FUNCTION") else f"DROP {name}")


@contextmanager
def unguarded(store: Store) -> Iterator[None]:
    """Without the triggers while the block runs: whoever may take them away may put them back."""
    kept = sql(store, "SELECT 'DROP TRIGGER ' || name, sql FROM sqlite_master WHERE type = 'trigger'") if _is_sqlite(store) else []
    off = [drop for drop, _ in kept] or [f'ALTER TABLE "{name}" DISABLE TRIGGER ALL' for name in metadata.tables]
    on = [create for _, create in kept] or [f'ALTER TABLE "{name}" ENABLE TRIGGER ALL' for name in metadata.tables]
    with store.engine.connect() as connection:
        for statement in off:
            connection.exec_driver_sql(statement)
    try:
        yield
    finally:
        with store.engine.connect() as connection:
            for statement in on:
                connection.exec_driver_sql(statement)


def _is_sqlite(store: Store) -> bool:
    return store.url.get_backend_name() == "sqlite"


def child(code: str, *arguments: str, prefix: Sequence[str] = (), **settings: str) -> subprocess.Popen[str]:
    """Another Python process that runs `code` on the same sources and these tests, with more environment variables."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT), str(SUPPORT.parents[1])]), **settings}
    command = [*prefix, sys.executable, "-c", code, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
