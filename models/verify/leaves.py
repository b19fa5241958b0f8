"""What a night seals besides the dossiers: one leaf for each chain or table of the house, each made in one function here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson
from sqlalchemy import literal_column, select

from models import tables
from models.database.store import Cursor, Store
from models.ledger.chain import GENESIS
from models.tables import SCHEMA
from models.verify.nights import Nights
from models.verify.registering import RegisterProof
from models.verify.schema import objects, schema_digest
from models.verify.seals import REGISTER, Leaf, title_of
from models.verify.seals import SCHEMA as SCHEMA_LEAF

J = tables.register_journal.c


def register_leaf(store: Store, cursor: Cursor) -> Leaf:
    """The register of people: how many entries its journal has, and the digest of the last."""
    n, head, _ = _last(store, cursor)
    return {"kind": REGISTER, "n": n, "head": head}


def register_newest(store: Store, cursor: Cursor) -> str:
    """The newest instant of the register, ISO in UTC; empty when nobody is in it."""
    return _last(store, cursor)[2]


def _last(store: Store, cursor: Cursor) -> tuple[int, str, str]:
    cursor.execute(
        store.compile(select(J.id, J.digest, J.entry).order_by(J.id.desc()).limit(literal_column("1")).offset(literal_column("0")))
    )
    row = cursor.fetchone()
    try:
        return (row[0], row[1], str(orjson.loads(row[2])["recorded_at"])) if row is not None else (0, GENESIS, "")
    except (ValueError, TypeError, LookupError):  # what no jalon writes: the proof of the register says so
        return row[0], row[1], ""


def register_faults(store: Store, nights: Nights) -> Iterator[str]:
    """What does not hold of the register: its chain, its rows, or what a night has sealed of it and is no longer there."""
    proof = RegisterProof(store)
    with store.transaction(write=False) as cursor:
        yield from proof.faults(cursor)[2]
        cursor.execute(store.compile(select(J.id, J.digest)))
        heads: dict[int, str] = {row[0]: row[1] for row in cursor.fetchall()}
    for sealed in nights.registers:
        if sealed.n and heads.get(sealed.n) != sealed.head:
            when = title_of(sealed.night)
            entry = f"l’entrée {sealed.n} du journal des personnes"
            yield f"Registre : {entry} n’y est plus, ou y est autrement que dans le {when[0].lower()}{when[1:]}."
            return


def schema_leaf(store: Store, cursor: Cursor) -> Leaf:
    """The schema: its number, and a digest of tables, indexes and triggers as the database tells them."""
    found = objects(store, cursor)
    return {"kind": SCHEMA_LEAF, "version": SCHEMA, "database": store.url.get_backend_name(), "digest": schema_digest(found)}


LEAVES: tuple[Callable[[Store, Cursor], Leaf], ...] = (register_leaf, schema_leaf)


def house_leaves(store: Store) -> list[Leaf]:
    """All of these, as they stand now."""
    with store.transaction(write=False) as cursor:
        return [leaf(store, cursor) for leaf in LEAVES]
