"""What grows in Prefect's own database, and what of it is deleted: inside the server, on its own connections, whatever the database is.

The newest version of each page stays, however old: it is what its address draws. So Prefect's own vacuum, which deletes a page with
the run that published it, stays off.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import sqlalchemy as sa
from prefect.server.database import provide_database_interface
from prefect.server.schemas.states import TERMINAL_STATES
from sqlalchemy.engine import make_url
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from flows.server.routes import PURGE, SIZES

PATHS = frozenset({SIZES, PURGE})
AT_ONCE = 500  # rows of one statement: the lock of SQLite is held that long, and no longer
Interface = Any  # of Prefect’s database: its tables are made when it starts, and have no types


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer jalon's own two questions."""
    if scope["path"] == SIZES:
        found: Response = JSONResponse(await sizes())
    else:
        (before,) = parse_qs(scope["query_string"].decode())["before"]
        found = JSONResponse(await purged(datetime.fromisoformat(before)))
    await found(scope, receive, send)


async def sizes() -> dict[str, int]:
    """How many runs, log lines, events and versions of pages there are, and how many bytes all takes."""
    db: Interface = provide_database_interface()
    async with db.session_context() as session:
        found = {name: await session.scalar(sa.select(sa.func.count()).select_from(model)) for name, model in _kinds(db).items()}
        return {**found, "bytes": await _bytes(db, session)}


def _kinds(db: Interface) -> dict[str, Interface]:
    return {"runs": db.FlowRun, "logs": db.Log, "events": db.Event, "artifacts": db.Artifact}


async def _bytes(db: Interface, session: Interface) -> int:
    url = make_url(db.database_config.connection_url)
    if url.get_backend_name() != "sqlite":
        return int(await session.scalar(sa.text("SELECT pg_database_size(current_database())")))
    file = Path(url.database or "")
    return sum(path.stat().st_size for path in (file, file.with_name(f"{file.name}-wal")) if path.exists())


async def purged(before: datetime) -> dict[str, int]:
    """Delete what ended, was told or was replaced before an instant; how many rows of each kind."""
    db: Interface = provide_database_interface()
    latest = sa.select(db.ArtifactCollection.latest_id)
    ended = sa.and_(db.FlowRun.state_type.in_(TERMINAL_STATES), sa.func.coalesce(db.FlowRun.end_time, db.FlowRun.updated) < before)
    conditions: dict[str, tuple[Interface, Interface]] = {
        "runs": (db.FlowRun, ended),
        "logs": (db.Log, db.Log.timestamp < before),
        "resources": (db.EventResource, db.EventResource.occurred < before),
        "events": (db.Event, db.Event.occurred < before),
        "artifacts": (db.Artifact, sa.and_(db.Artifact.created < before, db.Artifact.id.not_in(latest))),
    }
    return {name: await _deleted(db, model, condition) for name, (model, condition) in conditions.items()}


async def _deleted(db: Interface, model: Interface, condition: Interface) -> int:
    """Delete rows a few at a time, so that whoever waits for the database gets it in between."""
    deleted, many = 0, AT_ONCE
    while many == AT_ONCE:
        async with db.session_context(begin_transaction=True) as session:
            some = sa.select(model.id).where(condition).limit(AT_ONCE)
            many = (await session.execute(sa.delete(model).where(model.id.in_(some)))).rowcount
        deleted += many
    return deleted
