"""What a night seals besides the dossiers: one leaf for each chain or table of the house, each made in one function here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sqlalchemy import select

from models import tables
from models.database.store import Cursor, Store
from models.ledger.chain import canonical
from models.tables import SCHEMA
from models.verify.nights import Nights
from models.verify.schema import objects, schema_digest
from models.verify.seals import REGISTER, Leaf, title_of
from models.verify.seals import SCHEMA as SCHEMA_LEAF

P, R = tables.people.c, tables.people_roles.c


def register_leaf(store: Store, cursor: Cursor) -> Leaf:
    """The register of people: a digest of names, addresses and roles, without the secrets and counters of codes."""
    everyone = select(P.folded, P.name, P.mail, R.role).outerjoin_from(tables.people, tables.people_roles, R.person_id == P.id)
    cursor.execute(store.compile(everyone))
    rows = sorted([str(value or "") for value in row] for row in cursor.fetchall())
    return {"kind": REGISTER, "digest": hashlib.sha256(canonical(rows)).hexdigest()}


def register_newest(_store: Store, _cursor: Cursor) -> str:
    """The newest instant of the register, ISO in UTC; empty, as it keeps none."""
    return ""


def register_remark(nights: Nights, today: Leaf) -> str | None:
    """What to say of a register that is no longer the one of the last seal: it keeps no journal that would tell by whom."""
    sealed = nights.leaf(REGISTER)
    if sealed is None or nights.last is None or sealed == today:
        return None
    return (
        f"Le registre des personnes (noms, rôles ou adresses) a changé depuis le {title_of(nights.last.night)[0].lower()}"
        f"{title_of(nights.last.night)[1:]} : relisez « jalon people list »."
    )


def schema_leaf(store: Store, cursor: Cursor) -> Leaf:
    """The schema: its number, and a digest of tables, indexes and triggers as the database tells them."""
    found = objects(store, cursor)
    return {"kind": SCHEMA_LEAF, "version": SCHEMA, "database": store.url.get_backend_name(), "digest": schema_digest(found)}


LEAVES: tuple[Callable[[Store, Cursor], Leaf], ...] = (register_leaf, schema_leaf)


def house_leaves(store: Store) -> list[Leaf]:
    """All of these, as they stand now."""
    with store.transaction(write=False) as cursor:
        return [leaf(store, cursor) for leaf in LEAVES]
