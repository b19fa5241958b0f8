"""How many commands a test sends to a database."""

import re
import tempfile
from collections.abc import Callable
from itertools import groupby

from sqlalchemy import event

from models.database.store import Store


def commands(store: Store, ask: Callable[[], object]) -> list[str]:
    """Every command that one question sends, on a new connection: told by SQLite itself, or by what libpq puts on the wire."""
    heard: list[str] = []
    with tempfile.TemporaryFile("w+") as wire:

        def listen(connection, record) -> None:
            if store.is_sqlite:
                connection.set_trace_callback(heard.append)
            else:
                connection.pgconn.trace(wire.fileno())

        store.close()
        event.listen(store.engine, "connect", listen)
        try:
            ask()
        finally:
            store.close()
            event.remove(store.engine, "connect", listen)
        wire.seek(0)
        heard += re.findall(r"\tF\t\d+\t(Query\t.*|Execute)", wire.read())
    return [one for one, _ in groupby(heard) if "PRAGMA" not in one] if store.is_sqlite else heard  # a trigger tells its statement twice
