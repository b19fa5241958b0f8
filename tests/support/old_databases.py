"""Databases of schema 0003, with whole lives in them: the file that version 0.1.0 wrote, and the same rows in PostgreSQL."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from enlisting import TEST_VAULT
from golden_lives import OLD_DATABASE, OLD_PAGES
from lending import new_database
from sqlalchemy import create_engine, inspect, text

from models.database.migrate import upgrade
from models.database.store import Store, Upgrading, sqlite_url
from models.tables.columns import metadata

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BEFORE: dict[str, dict[str, Any]] = json.loads(OLD_PAGES.read_text(encoding="utf-8"))


def old_file(folder: Path) -> str:
    """A copy of the database file that version 0.1.0 wrote; its address."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(OLD_DATABASE, folder / "jalon.db")
    return sqlite_url(folder / "jalon.db")


def old_rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of that file, table by table, parents first."""
    with closing(sqlite3.connect(f"{OLD_DATABASE.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        database.row_factory = sqlite3.Row
        here = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        names = [table.name for table in metadata.sorted_tables if table.name in here]
        return {name: [dict(row) for row in database.execute(f'SELECT * FROM "{name}"')] for name in names}


def old_postgresql(url: str) -> str:
    """The same rows in a PostgreSQL database of the same schema."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    upgrade(engine, "0003")
    with engine.connect() as connection:
        for table, rows in old_rows().items():
            for row in rows:
                names = ", ".join(f'"{name}"' for name in row)
                connection.execute(text(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(f":{name}" for name in row)})'), row)
        for table in ("partnerships", "journal", "outbox", "findings", "people"):
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def old_blank(postgresql: str) -> str:
    """The name of a PostgreSQL database of schema 0003, to be copied."""
    name = new_database(postgresql)
    old_postgresql(postgresql.format(database=name))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of schema 0003, with whole lives in it."""
    if request.param == "postgresql":
        postgresql: str = request.getfixturevalue("postgresql")
        return postgresql.format(database=new_database(postgresql, request.getfixturevalue("old_blank")))
    return old_file(tmp_path / "old")


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row, read without jalon."""
    engine = create_engine(url)
    with engine.connect() as connection:
        names = [name for name in inspect(engine).get_table_names() if name != "alembic_version"]
        found = {name: sorted(map(tuple, connection.execute(text(f'SELECT * FROM "{name}"'))), key=repr) for name in names}
        found["alembic_version"] = [tuple(row) for row in connection.execute(text("SELECT * FROM alembic_version"))]
    engine.dispose()
    return found


def changed(url: str, *statements: str, **values: Any) -> None:
    """Change a database of before as somebody with every right could, without jalon."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement), values)
    engine.dispose()


def opened(url: str) -> Store:
    return Store(url, upgrading=Upgrading(AT, agreed=True, seal=TEST_VAULT.seal))
