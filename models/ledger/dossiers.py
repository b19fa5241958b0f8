"""A dossier in and out of its rows: loaded whole by one statement, written by the difference between two values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Integer, Table, Text, bindparam, case, cast, delete, func, insert, literal_column, select, update
from sqlalchemy.sql import ColumnElement

from models import tables
from models.answers import Invalid
from models.database.store import Cursor, Store
from models.ledger.codec import COLLECTIONS, cents, facts_of, row_of
from states.dossier.facts import Finding
from states.journal.fold import Changed
from states.partnership import Partnership
from states.trainees.facts import Identity
from states.vocabulary import State

P = tables.partnerships.c
KNOWN_AT_MOST = 1000


class Loaded(NamedTuple):
    """A dossier as it stands, with its place in its own chain: `n` entries, the last digest is `head`."""

    id: int
    n: int
    head: str
    partnership: Partnership


class Writes:
    """The statements that change a dossier, compiled once for one database."""

    def __init__(self, store: Store) -> None:
        self.open = store.compile(insert(tables.partnerships).values(_parameters(tables.partnerships, "id")).returning(P.id))
        self.move = store.compile(
            update(tables.partnerships)
            .where(P.id == bindparam("id_"), P.n == bindparam("n_"))
            .values({name: bindparam(name) for name in MOVED} | _marked())
        )
        self.insert = {name: store.compile(insert(table).values(_parameters(table))) for name, (table, _) in COLLECTIONS.items()}
        self.delete = {name: store.compile(_deletion(table)) for name, (table, _) in COLLECTIONS.items()}
        self.amend = {name: store.compile(_amendment(table)) for name, (table, _) in COLLECTIONS.items()}
        self.name = store.compile(insert(tables.identities).values(_parameters(tables.identities)))
        self.forget = store.compile(_deletion(tables.identities))
        self.find = store.compile(insert(tables.findings).values(_parameters(tables.findings, "id", "resolved_at")))
        self.resolve = store.compile(_open_finding().values(resolved_at=bindparam("resolved_at")))
        self.reword = store.compile(_open_finding().values({name: bindparam(name) for name in ("severity", "reason", "source")}))


class Dossiers:
    """The statements that read and write dossiers, compiled once for one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = None if store.is_sqlite else store.compile(_of_reference(select(P.id)).with_for_update())
        self._known: dict[str, Loaded] = {}
        self._load = store.compile(_of_reference(select(P.id, P.n, P.head, *PLAIN, *self._collections())))
        self._references = store.compile(select(P.reference).order_by(P.reference))

    @cached_property
    def _writes(self) -> Writes:
        """What changes a dossier; most commands only read."""
        return Writes(self._store)

    def load(self, cursor: Cursor, reference: str) -> Loaded | None:
        """The dossier of that reference as its rows say, or None. Raises Invalid when a row cannot be read."""
        cursor.execute(self._load, {"reference": reference})
        row = cursor.fetchone()
        try:
            return None if row is None else _loaded(row)
        except (ValueError, TypeError):
            raise Invalid(f"Les données du dossier {reference} sont abîmées : prévenez l’exploitant.") from None

    def lock(self, cursor: Cursor, reference: str) -> None:
        """Nobody else writes to this dossier before the commit. (On SQLite, BEGIN IMMEDIATE has said so already.)"""
        if self._lock is not None:
            cursor.execute(self._lock, {"reference": reference})

    def at(self, cursor: Cursor, reference: str, place: tuple[int, int, str]) -> Loaded:
        """The dossier whose row is at `place` (id, n, head), as the same transaction has just read.

        Facts change only together with the head of the chain, so a dossier whose head has not moved is not read again.
        """
        known = self._known.get(reference)
        if known is not None and known[:3] == place:
            return known
        loaded = self.load(cursor, reference)
        assert loaded is not None, "the row was read a moment ago, in the same transaction"
        return loaded

    def remember(self, loaded: Loaded) -> None:
        """Keep a dossier in memory, for as long as its head is the one in the database."""
        if len(self._known) >= KNOWN_AT_MOST:
            self._known.clear()
        self._known[loaded.partnership.reference] = loaded

    def references(self, cursor: Cursor) -> list[str]:
        """Every reference, sorted."""
        cursor.execute(self._references)
        return [row[0] for row in cursor.fetchall()]

    def open(self, cursor: Cursor, new: Partnership, n: int, head: str) -> int:
        """Write the row of a new dossier and answer with its id."""
        cursor.execute(
            self._writes.open,
            {
                **_moved(new, n, head),
                "reference": new.reference,
                "imported": int(new.imported),
                "pepper": new.pepper,
                "last_change": n,
                "last_move": n,
                "behind": 1,
            },
        )
        return int(cursor.fetchone()[0])

    def move(self, cursor: Cursor, loaded: Loaded, after: Partnership, n: int, head: str) -> bool:
        """Move the row on, if nobody else has since it was loaded."""
        cursor.execute(self._writes.move, {**_moved(after, n, head), "id_": loaded.id, "n_": loaded.n})
        return cursor.rowcount == 1

    def write(self, cursor: Cursor, id_: int, before: Partnership, after: Partnership, changes: Iterable[Changed], at: str) -> None:
        """Write what `changes` says of the facts, and the findings in which `after` differs from `before`."""
        for name, added, differing, gone in changes:
            rows = [{"partnership_id": id_, **row_of(fact)} for fact in added]
            if len(rows) == 1:
                cursor.execute(self._writes.insert[name], rows[0])
            elif rows:
                cursor.executemany(self._writes.insert[name], rows)
            for _, fact in differing:
                cursor.execute(self._writes.amend[name], {**row_of(fact), "partnership_id_": id_, "number_": fact.number})
            for number in gone:
                cursor.execute(self._writes.delete[name], {"partnership_id_": id_, "number_": number})
                if name == "trainees":
                    cursor.execute(self._writes.forget, {"partnership_id_": id_, "trainee_": number})
        if before.findings is not after.findings and before.findings != after.findings:
            self._write_findings(cursor, id_, before, after, at)

    def name(self, cursor: Cursor, id_: int, identities: tuple[Identity, ...]) -> None:
        """Write who trainees are, in the one table that may hold it."""
        rows = [{"partnership_id": id_, **row_of(identity)} for identity in identities]
        if len(rows) == 1:
            cursor.execute(self._writes.name, rows[0])
        elif rows:
            cursor.executemany(self._writes.name, rows)

    def _write_findings(self, cursor: Cursor, id_: int, before: Partnership, after: Partnership, at: str) -> None:
        """Open the new ones, resolve those that are gone; one that only says it otherwise stays open since when it was."""
        known = {(one.code, one.subject): one for one in before.findings}
        still = {(one.code, one.subject) for one in after.findings}
        for code, subject in known.keys() - still:
            cursor.execute(self._writes.resolve, {"id_": id_, "code_": code, "subject_": subject, "resolved_at": at})
        for one in after.findings:
            was = known.get((one.code, one.subject))
            if was is None:
                cursor.execute(self._writes.find, {"partnership_id": id_, **one._asdict(), "opened_at": at})
            elif was != one:
                said = {"severity": one.severity, "reason": one.reason, "source": one.source}
                cursor.execute(self._writes.reword, {"id_": id_, "code_": one.code, "subject_": one.subject, **said})

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

    def _array(self, table: Table, columns: list[Any], *conditions: ColumnElement[bool]) -> ColumnElement[str]:
        """All rows of the dossier in `table`, as one JSON text."""
        if self._store.is_sqlite:
            rows: Any = func.json_group_array(func.json_array(*columns))
        else:
            rows = cast(func.json_agg(func.json_build_array(*columns)), Text)
        return select(func.coalesce(rows, literal_column("'[]'"))).where(table.c.partnership_id == P.id, *conditions).scalar_subquery()


PLAIN = (P.reference, P.imported, P.state, P.version, P.entered_on, P.pepper)


def _of_reference(statement: Any) -> Any:
    return statement.where(P.reference == bindparam("reference"))


def _parameters(table: Table, *but: str) -> dict[str, Any]:
    return {column.name: bindparam(column.name) for column in table.columns if column.name not in but}


def _amendment(table: Table) -> Any:
    keys = [column.name for column in table.primary_key]
    return update(table).where(*(table.c[key] == bindparam(f"{key}_") for key in keys)).values(_parameters(table, *keys))


def _deletion(table: Table) -> Any:
    return delete(table).where(*(column == bindparam(f"{column.name}_") for column in table.primary_key))


def _open_finding() -> Any:
    found = tables.findings.c
    return update(tables.findings).where(
        found.partnership_id == bindparam("id_"),
        found.code == bindparam("code_"),
        found.subject == bindparam("subject_"),
        found.resolved_at.is_(None),
    )


# What `_moved` gives.
MOVED = ("state", "version", "n", "head", "entered_on", "due_on", "engaged_cents", "ordered_cents", "paid_cents")


def _moved(after: Partnership, n: int, head: str) -> dict[str, Any]:
    from states.overview.outlook import weighed  # the rules and the forms, which whoever only reads does not need

    due_on, *money = weighed(after)
    days = (after.entered_on.isoformat() if after.entered_on else None, due_on.isoformat() if due_on else None)
    return dict(zip(MOVED, (after.state.value, after.version, n, head, *days, *map(cents, money)), strict=True))


def _marked() -> dict[str, Any]:
    """What the row of a dossier remembers of an entry, if it changed the dossier, or moved its state."""
    n, changed = bindparam("n", type_=Integer), P.version != bindparam("version")
    return {
        "last_change": case((changed, n), else_=P.last_change),
        "last_move": case((P.state != bindparam("state"), n), else_=P.last_move),
        "behind": case((changed, literal_column("1")), else_=P.behind),
    }


def _loaded(row: Any) -> Loaded:
    id_, n, head, reference, imported, state, version, entered_on, pepper, *arrays, findings, identities = row
    collections = {name: facts_of(kind, text) for (name, (_, kind)), text in zip(COLLECTIONS.items(), arrays, strict=True)}
    partnership = Partnership(
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
