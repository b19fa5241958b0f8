"""How many commands a test sends to a database, and how often it waits for the answer."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from databases import beneath
from sqlalchemy import event

from models.database.store import Store


def commands(store: Store, ask: Callable[[], object]) -> list[str]:
    """Every command that one question sends, on a new connection: told by SQLite itself, or by what libpq puts on the wire."""
    with heard(store) as wire:
        ask()
        return beneath(store).commands(said(wire))


def round_trips(store: Store, ask: Callable[[], object]) -> int:
    """How often one question waits for an answer of the database, on a new connection."""
    with heard(store) as wire:
        ask()
        return beneath(store).round_trips(said(wire))


@contextmanager
def heard(store: Store) -> Iterator[TextIO]:
    """All that new connections of a store send and receive in the block, as its kind of database tells it."""
    with tempfile.TemporaryFile("w+") as wire:

        def listen(connection, record) -> None:
            beneath(store).listen(connection, wire)

        store.close()
        event.listen(store.engine, "connect", listen)
        try:
            yield wire
        finally:
            store.close()
            event.remove(store.engine, "connect", listen)


def said(wire: TextIO) -> str:
    """All that was heard so far; reading leaves the place at the end, where the next line is written."""
    wire.flush()
    wire.seek(0)
    return wire.read()
