"""The Prefect server, as `python -m flows.prefect_server HOST PORT`: as Prefect starts it, patient with SQLite, and talking to nobody else.

Prefect reads first, and asks SQLite for its lock only when it writes. When others write at the same moment, that fails at once
(« database is locked »), and what is left of the failed command can later freeze the event loop for a minute: the garbage collector
waits for a connection that waits for the lock, whose holder needs the loop to let go of it. So here a transaction takes the lock
as it begins, and waits for its turn. PostgreSQL needs nothing of this.

The pages of the interface ask an analytics host by themselves, whatever the settings say: a header tells browsers not to.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from prefect.server.api.server import create_app
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.database.dependencies import temporary_database_config
from prefect.server.utilities.database import get_dialect
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE_ONLY = (b"content-security-policy", b"connect-src 'self'")


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


def confined(app: ASGIApp) -> ASGIApp:
    """The same application, whose pages may ask no other host for anything."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), HERE_ONLY]}
            await send(message)

        await app(scope, receive, answer)

    return serve


def main(host: str, port: int) -> None:
    """Serve until a signal ends it."""
    url = str(PREFECT_API_DATABASE_CONNECTION_URL.value())
    with temporary_database_config(PatientSqlite(connection_url=url) if get_dialect(url).name == "sqlite" else None):
        uvicorn.run(confined(create_app(final=True)), host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
