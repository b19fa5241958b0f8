"""Bring a database to the schema of this jalon, by the migrations beside this file; a copy of a SQLite file is put beside it first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from models.database.dialect import Dialect
from models.database.faults import OtherSchema
from models.database.store import Upgraded, Upgrading
from models.tables import SCHEMA

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(
    engine: Engine,
    revision: str = "head",
    *,
    at: datetime | None = None,
    seal: Callable[[str, str], str] | None = None,
    keep_copy: Callable[[str], None] = lambda _: None,
) -> None:
    """Run every missing migration, in one transaction. `at` is the instant of the upgrade, UTC: what it writes bears it.

    `seal(folded name, secret)` gives the text to store of a secret; without it, secrets of before are forgotten.
    `keep_copy` is called with the schema of before, once nobody else can write any more.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes.update(engine=engine, at=at, seal=seal, keep_copy=keep_copy)
    command.upgrade(config, revision)


def bring_forward(engine: Engine, dialect: Dialect, schema: str, upgrading: Upgrading | None) -> Upgraded:
    """Upgrade a database of before, a file after a copy of it was put beside it. Raises OtherSchema without leave."""
    if upgrading is None:
        raise OtherSchema(f"La base est du schéma {schema}, d’avant ce jalon ({SCHEMA}) : lancez « jalon upgrade » pour la reprendre.")
    dialect.assert_leave(engine.url, schema, agreed=upgrading.agreed)
    copies: list[Path | None] = []
    upgrade(engine, at=upgrading.at, seal=upgrading.seal, keep_copy=lambda found: copies.append(dialect.keep_copy(engine.url, found)))
    return Upgraded(schema, copies[0] if copies else None)
