"""The journal of the register, read from its bytes: its chain is looked at each time, as few people make a short one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import orjson
from sqlalchemy import select

from models import tables
from models.database.faults import Unreachable
from models.database.store import Cursor, Fetched, Store
from states.register.facts import RegisterEntry
from states.register.fold import House, Unreadable, register_entry

J = tables.register_journal.c
GENESIS = "0" * 64  # what the first entry of a chain follows


def digest_of(entry: RegisterEntry) -> tuple[str, str]:
    """The canonical text of an entry (RFC 8785: keys sorted, no floats), and its sha256."""
    content = orjson.dumps(entry.fields(), option=orjson.OPT_SORT_KEYS)
    return content.decode(), hashlib.sha256(content).hexdigest()


class Journal:
    """The register's journal on one database."""

    def __init__(self, store: Store) -> None:
        self._rows = store.compile(select(J.id, J.entry, J.digest).order_by(J.id))

    def rows(self, cursor: Cursor) -> list[Fetched]:
        """Every row, `(number, entry, digest)`."""
        cursor.execute(self._rows)
        return list(cursor.fetchall())

    def read(self, cursor: Cursor) -> list[tuple[RegisterEntry, str]]:
        """The entries, each with its digest. Raises Unreachable when the chain does not hold."""
        entries: list[tuple[RegisterEntry, str]] = []
        for fault in linked(self.rows(cursor), entries):
            raise Unreachable(f"{fault} Lancez : jalon verify, et prévenez l’exploitant.")
        return entries

    def house(self, cursor: Cursor) -> House:
        """The register as the entries add up. Raises Unreachable when they do not."""
        house = House()
        try:
            for entry, digest in self.read(cursor):
                house.add(entry, digest)
        except Unreadable as fault:
            raise Unreachable(f"Le registre des personnes ne se relit pas : {fault}.") from fault
        return house


def linked(rows: list[Fetched], entries: list[tuple[RegisterEntry, str]]) -> Iterator[str]:
    """What is wrong with the chain, the first fault only; the entries that hold are put into `entries`."""
    before = GENESIS
    for place, (n, content, sealed) in enumerate(rows, start=1):
        try:
            entry = register_entry(orjson.loads(content))
        except ValueError:
            yield f"Entrée {place} du registre : elle n’a pas la forme d’une entrée de jalon."
            return
        if digest_of(entry) != (content, sealed) or entry.prev != before or not n == place == entry.n:
            yield f"Entrée {place} du registre : son empreinte, son numéro ou ce qu’elle suit n’est pas ce qui fut écrit."
            return
        before = sealed
        entries.append((entry, sealed))
