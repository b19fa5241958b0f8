"""The Prefect server, as `python -m flows.server.prefect_server HOST PORT`: as Prefect starts it, patient, behind a gate.

Who may ask what is said in `flows.server.gate`.

Prefect reads first, and asks SQLite for its lock only when it writes. When others write at the same moment, that fails at once
(« database is locked »), and what is left of the failed command can later freeze the event loop for a minute: the garbage collector
waits for a connection that waits for the lock, whose holder needs the loop to let go of it. So here a transaction takes the lock
as it begins, and waits for its turn. PostgreSQL needs nothing of this.

The pages of the interface ask an analytics host by themselves, whatever the settings say: a header tells browsers not to.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import uvicorn
from prefect.server.api.server import create_app
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.database.dependencies import temporary_database_config
from prefect.server.utilities.database import get_dialect
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_HOME
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.server import credential, server
from flows.server.gate import Gate

CONFINED = (b"content-security-policy", b"connect-src 'self'; frame-ancestors 'none'")
NEAR = frozenset({"127.0.0.1", "localhost", "::1"})


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


def confined(app: ASGIApp, *, open_to_all: bool) -> ASGIApp:
    """The same application, whose scripts speak to their own server only, and that no page of another site can drive.

    Without a password whoever speaks to this machine is let in, and so would be any page that its browser opens: then we answer
    under the names of this machine only, and to pages of our own only. `open_to_all`: a password does that.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), CONFINED]}
            await send(message)

        if scope["type"] in ("http", "websocket") and not open_to_all and _is_foreign(dict(scope["headers"])):
            await PlainTextResponse("Cette adresse n’est pas celle du bureau de jalon.", 403)(scope, receive, send)
            return
        await app(scope, receive, answer)

    return serve


def _is_foreign(headers: dict[bytes, bytes]) -> bool:
    """Whether somebody asks under a name that is not this machine's, or from a page that is not ours."""
    host, origin = headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin", b"").decode("latin-1")
    return urlsplit(f"//{host}").hostname not in NEAR or (origin != "" and urlsplit(origin).netloc != host)


def main(host: str, port: int) -> None:
    """Serve until a signal ends it."""
    folder, password = PREFECT_HOME.value(), os.environ.get(server.SECRET, "")
    kept = credential.read(folder, port)
    if kept is None or kept.password != password:  # `up` makes it before, so that others can start meanwhile
        kept = credential.made(folder, port, password)
    url = str(PREFECT_API_DATABASE_CONNECTION_URL.value())
    with temporary_database_config(PatientSqlite(connection_url=url) if get_dialect(url).name == "sqlite" else None):
        app = confined(Gate(create_app(final=True), kept), open_to_all=bool(kept.password))
        uvicorn.run(app, host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
