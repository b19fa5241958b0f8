"""`prefect server start` as `python -m flows.prefect_server`, patient with SQLite.

Prefect reads first, and asks SQLite for its lock only when it writes. When others write at the same moment, that fails at once
(« database is locked »), and what is left of the failed command can later freeze the event loop for a minute: the garbage collector
waits for a connection that waits for the lock, whose holder needs the loop to let go of it. So here a transaction takes the lock
as it begins, and waits for its turn. PostgreSQL needs nothing of this.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prefect.cli import app
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.database.dependencies import temporary_database_config
from prefect.server.utilities.database import get_dialect
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


class PatientSqlite(AioSqliteConfiguration):
    """Begins each transaction of the server with SQLite's lock."""

    @asynccontextmanager
    async def begin_transaction(
        self,
        session: AsyncSession,
        with_for_update: bool = False,  # noqa: ARG002, FBT001, FBT002 - as Prefect declares it
    ) -> AsyncGenerator[AsyncSessionTransaction, None]:
        """Begin as Prefect does for rows that it will update, whatever it is asked for."""
        async with super().begin_transaction(session, with_for_update=True) as transaction:
            yield transaction


def main() -> None:
    """Start the server that the arguments ask for; it ends with the process."""
    sys.argv[1:1] = ["server", "start"]
    url = str(PREFECT_API_DATABASE_CONNECTION_URL.value())
    with temporary_database_config(PatientSqlite(connection_url=url) if get_dialect(url).name == "sqlite" else None):
        app()


if __name__ == "__main__":
    main()
