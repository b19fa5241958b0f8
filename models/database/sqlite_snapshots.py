"""A snapshot of a SQLite file is another SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from models.database.faults import Damaged
from models.database.snapshots import Landing, Snapshot
from states.values.french import listed

LEDGER, LANDED = "ledger.sqlite", "jalon.db"
CHUNK = 1024 * 1024
SHAPE = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
NAMED_AT_MOST = 5


@contextmanager
def snapshot(path: Path, folder: Path) -> Iterator[Snapshot]:
    """Copy what is committed now into `folder`, row by row: what was erased is in no page of the copy, and writers go on meanwhile."""
    copy = folder / LEDGER
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        cursor: Any = connection.cursor()
        yield Snapshot(cursor, iter([(LEDGER, _content(copy))]))
        cursor.close()


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


@contextmanager
def landed(folder: Path, schema: str) -> Iterator[Landing]:
    """The file of a snapshot in `folder`, under the name that it will have: whoever moves the folder publishes it."""
    path = (folder / LEDGER).replace(folder / LANDED)
    try:
        faults = tuple(_faults(path, folder, schema))
    except sqlite3.DatabaseError:
        raise Damaged("La base de la sauvegarde n’est pas une base SQLite lisible.") from None
    yield Landing(str(URL.create("sqlite", database=str(path))), faults, lambda: None)


def _faults(path: Path, folder: Path, schema: str) -> Iterator[str]:
    """What is not as jalon makes it. A trigger that somebody has put there would act long after every proof has held."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        checked = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)")]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchone()
        found = set(connection.execute(SHAPE))
        numbers = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
    if checked != ["ok"]:
        yield "Le fichier de la base est abîmé."
    if orphans is not None:
        yield "Des lignes de la base appartiennent à un dossier qui n’existe pas."
    if numbers != [schema]:
        raise Damaged("La base de la sauvegarde n’est pas du schéma que son manifeste annonce.")
    odd = sorted({str(name) for _, name, _, _ in found ^ _as_made(folder, schema)})
    if odd:
        more = ["d’autres"] if len(odd) > NAMED_AT_MOST else []
        yield f"La base n’est pas faite comme jalon la fait : {listed([*odd[:NAMED_AT_MOST], *more])}."


def _as_made(folder: Path, schema: str) -> set[tuple[object, ...]]:
    from models.database.migrate import upgrade  # it stands on the dialects
    from models.database.sqlite import SQLITE

    path = folder / "as-made.db"
    engine = SQLITE.engine(URL.create("sqlite", database=str(path)))
    try:
        upgrade(engine, schema)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        made = set(connection.execute(SHAPE))
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        (folder / name).unlink(missing_ok=True)
    return made
