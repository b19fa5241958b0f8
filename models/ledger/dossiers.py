"""A dossier out of its rows: loaded whole by one statement, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property
from typing import NamedTuple

import orjson
from sqlalchemy import Table, bindparam, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from models import tables
from models.answers import Invalid
from models.database.store import Cursor, Expression, Fetched, Store
from models.ledger.codec import COLLECTIONS, facts_of
from states.dossier.facts import Finding
from states.partnership import Partnership
from states.vocabulary import State

P = tables.partnerships.c
KNOWN_AT_MOST = 1000


class Loaded(NamedTuple):
    """A dossier as it stands, with its place in its own chain: `n` entries, the last digest is `head`.

    `newest` is the newest instant of its entries (ISO in UTC), for who writes the next one; empty where nobody has asked.
    """

    id: int
    n: int
    head: str
    partnership: Partnership
    newest: str = ""


class Dossiers:
    """The dossiers of one database, read; the statements are compiled once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Loaded] = {}
        self._references = store.compile(select(P.reference).order_by(P.reference))

    @cached_property
    def _load(self) -> str:
        return self._store.compile(select(*self.columns()).where(P.reference == bindparam("reference")))

    def load(self, cursor: Cursor, reference: str) -> Loaded | None:
        """The dossier of that reference as its rows say, or None. Raises Invalid when a row cannot be read."""
        cursor.execute(self._load, {"reference": reference})
        return self.loaded(reference, cursor.fetchone())

    def loaded(self, reference: str, row: Sequence[Fetched] | None) -> Loaded | None:
        """The dossier of that reference in a row of `columns`, None when the row holds none. Raises Invalid when it cannot be read."""
        try:
            return None if row is None or row[0] is None else _loaded(row)
        except (ValueError, TypeError):
            raise Invalid(f"Les données du dossier {reference} sont abîmées : prévenez l’exploitant.") from None

    def remembered(self, reference: str) -> Loaded | None:
        """The dossier as this process has last written it. It is right for as long as the database says the same id, length and head."""
        return self._known.get(reference)

    def remember(self, loaded: Loaded) -> None:
        """Keep a dossier in memory, for as long as its head is the one in the database."""
        if len(self._known) >= KNOWN_AT_MOST:
            self._known.clear()
        self._known[loaded.partnership.reference] = loaded

    def references(self, cursor: Cursor) -> list[str]:
        """Every reference, sorted."""
        cursor.execute(self._references)
        return [row[0] for row in cursor.fetchall()]

    def columns(self) -> tuple[Expression, ...]:
        """The whole dossier in one row of `partnerships`: its id, length and head first, then what `loaded` reads."""
        return (P.id, P.n, P.head, *PLAIN, *self._collections())

    def _collections(self) -> list[ColumnElement[str]]:
        found = [
            self._array(table, [column for column in table.columns if column.name != "partnership_id"]) for table, _ in COLLECTIONS.values()
        ]
        opened = tables.findings.c.resolved_at.is_(None)
        columns = tables.findings.c
        return [
            *found,
            self._array(
                tables.findings, [columns.id, columns.code, columns.subject, columns.severity, columns.reason, columns.source], opened
            ),
            self._array(tables.identities, [tables.identities.c.trainee, tables.identities.c.digest]),
        ]

    def _array(self, table: Table, columns: Sequence[Expression], *conditions: ColumnElement[bool]) -> ColumnElement[str]:
        """All rows of the dossier in `table`, as one JSON text."""
        rows = self._store.dialect.arrays(*columns)
        return select(func.coalesce(rows, literal_column("'[]'"))).where(table.c.partnership_id == P.id, *conditions).scalar_subquery()


PLAIN = (P.reference, P.imported, P.state, P.version, P.entered_on, P.pepper)


def _loaded(row: Fetched) -> Loaded:
    id_, n, head, reference, imported, state, version, entered_on, pepper, *arrays, findings, identities = row
    collections = {name: facts_of(kind, text) for (name, (_, kind)), text in zip(COLLECTIONS.items(), arrays, strict=True)}
    made: Callable[..., Partnership] = Partnership
    partnership = made(
        reference=reference,
        imported=bool(imported),
        state=State(state),
        version=version,
        entered_on=date.fromisoformat(entered_on) if entered_on else None,
        pepper=pepper,
        findings=tuple(Finding(*found[1:]) for found in sorted(orjson.loads(findings))),
        identity_digests=tuple((number, digest) for number, digest in sorted(orjson.loads(identities))),
        **collections,
    )
    return Loaded(id_, n, head, partnership)
