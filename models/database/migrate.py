"""Bring a database to the schema of this jalon, by the migrations beside this file; a copy of a SQLite file is put beside it first."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from models.database.faults import OtherSchema, Unreachable
from models.database.store import Upgraded, Upgrading
from models.tables import SCHEMA
from states.values.french import unreadable

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(
    engine: Engine, revision: str = "head", *, at: datetime | None = None, keep_copy: Callable[[str], None] = lambda _: None
) -> None:
    """Run every missing migration, in one transaction. `at` is the instant of the upgrade, UTC: what it writes bears it.

    `keep_copy` is called with the schema of before, once nobody else can write any more.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes.update(engine=engine, at=at, keep_copy=keep_copy)
    command.upgrade(config, revision)


def bring_forward(engine: Engine, schema: str, upgrading: Upgrading | None) -> Upgraded:
    """Upgrade a database of before, a SQLite file after a copy of it was put beside it. Raises OtherSchema without leave."""
    if upgrading is None:
        raise OtherSchema(f"La base est du schéma {schema}, d’avant ce jalon ({SCHEMA}) : lancez « jalon upgrade » pour la reprendre.")
    sqlite = engine.dialect.name == "sqlite"
    if not sqlite and not upgrading.agreed:
        address = URL.create(**(engine.url._asdict() | {"drivername": "postgresql", "password": None})).render_as_string()
        raise OtherSchema(
            f"La base PostgreSQL est du schéma {schema} ; ce jalon en demande la reprise au schéma {SCHEMA}. Faites-en d’abord une "
            f"copie : pg_dump --format=custom --file=jalon-{schema}.dump '{address}' ; puis lancez « jalon upgrade --yes »."
        )
    copies: list[Path] = []

    def keep_copy(found: str) -> None:
        if sqlite:
            copies.append(copy_beside(Path(engine.url.database or ""), found))

    upgrade(engine, at=upgrading.at, keep_copy=keep_copy)
    return Upgraded(schema, copies[0] if copies else None)


def copy_beside(path: Path, schema: str) -> Path:
    """Copy a SQLite database, as it is committed now, to a new file beside it that bears the schema; where it is. Raises Unreachable.

    An earlier copy is never overwritten: it may be the only good one.
    """
    names = (f"{path.name}.schema-{schema}{f'-{number}' if number > 1 else ''}" for number in itertools.count(1))
    kept = next(one for name in names if not (one := path.with_name(name)).exists())
    part = kept.with_name(f"{kept.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)  # names of trainees are in it
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(kept)
    except (OSError, sqlite3.Error) as fault:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        why = unreadable(fault) if isinstance(fault, OSError) else str(fault)
        raise Unreachable(f"La base ne peut pas être copiée à côté avant sa reprise ({why}) : rien n’a changé.") from fault
    return kept
