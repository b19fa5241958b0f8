"""The dashboard: one line for each dossier, kept beside the ledger and computed again at will, and the few queries that sum them up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from sqlalchemy import BigInteger, Integer, Text, Update, bindparam, literal_column, null, or_, select, tuple_, update

from models import tables
from models.database.store import Fetched, Store
from models.ledger.codec import cents, euros
from models.ledger.tallies import Tallies, Total
from models.ledger.writing import WEIGHED
from states.overview.outlook import Outlook
from states.vocabulary import Role, State

P, L = tables.partnerships.c, tables.outlooks.c
LINE = (P.reference, L.state, L.entered_on, L.step, L.by, L.due_on, L.blocked, L.findings, L.engaged_cents, L.ordered_cents, L.paid_cents)
DUE = 5  # where the deadline stands in a line
SLICE = 100  # lines read at once
KEPT = tuple(column.name for column in tables.outlooks.columns if column.name != "page")


class PageSeal(NamedTuple):
    """A page of a dossier as it was at one version of it, told by the sha256 of its text."""

    reference: str
    version: int
    sha256: str


class Dashboard:
    """The dashboard of one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._place = store.compile(select(P.id, P.version).where(P.reference == bindparam("reference")))
        self._keep = store.compile(
            store.dialect.upsert(tables.outlooks, "partnership_id", {name: bindparam(name) for name in KEPT}, "version")
        )
        self._shown = store.compile(_caught_up())
        self._tallies = Tallies(store)
        self._publish = store.compile(
            update(tables.outlooks).where(L.partnership_id == bindparam("partnership_id")).values(page=bindparam("page"))
        )  # fmt: skip
        lines = select(*LINE).join_from(tables.outlooks, tables.partnerships)
        most = bindparam("most", type_=Integer)
        page = select(L.page).join_from(tables.outlooks, tables.partnerships)
        self._page = store.compile(page.where(P.reference == bindparam("reference")))
        self._forget = store.compile(update(tables.outlooks).values(page=null()))
        after = tuple_(L.due_on, L.partnership_id) > tuple_(bindparam("since", type_=Text), bindparam("after", type_=BigInteger))
        due = lines.add_columns(L.partnership_id).where(after, L.due_on <= bindparam("until"))
        self._due = store.compile(due.order_by(L.due_on, L.partnership_id).limit(most).offset(literal_column("0")))
        self._all = store.compile(
            lines.where(P.reference > bindparam("after")).order_by(P.reference).limit(most).offset(literal_column("0"))
        )
        self._references = store.compile(
            select(P.reference).where(P.reference > bindparam("after")).order_by(P.reference).limit(most).offset(literal_column("0"))
        )  # fmt: skip
        self._behind = store.compile(
            select(P.reference)
            .where(P.behind == literal_column("1"), P.reference > bindparam("after"))
            .order_by(P.reference)
            .limit(most)
            .offset(literal_column("0"))
        )
        self._in = store.compile(
            select(P.reference).where(P.state == bindparam("state")).order_by(P.reference).limit(most).offset(literal_column("0"))
        )  # fmt: skip

    def keep(self, lines: Iterable[tuple[Outlook, int]]) -> None:
        """Write lines, each as it was at a version of its dossier; an older one never replaces a newer one.

        The row of a dossier that has not moved on since is no longer behind, and counts as its line does.
        """
        with self._store.transaction() as cursor:
            for outlook, version in lines:
                cursor.execute(self._place, {"reference": outlook.reference})
                found = cursor.fetchone()
                if found is not None:
                    row = {"partnership_id": found[0], "version": version, **_row(outlook)}
                    cursor.execute(self._keep, row)
                    cursor.execute(self._shown, {name: row[name] for name in ("partnership_id", "version", *WEIGHED)})

    def published(self, references: Iterable[str]) -> dict[str, str]:
        """The sha256 of the page that was last published for each of these dossiers, where there is one."""
        found = {}
        with self._store.transaction(write=False) as cursor:
            for reference in references:
                cursor.execute(self._page, {"reference": reference})
                row = cursor.fetchone()
                if row is not None and row[0] is not None:
                    found[reference] = row[0]
        return found

    def publish(self, pages: Iterable[PageSeal]) -> list[str]:
        """Note pages once they are published; the dossiers that have moved on since, whose pages may be the older ones."""
        moved = []
        with self._store.transaction() as cursor:
            for page in pages:
                cursor.execute(self._place, {"reference": page.reference})
                found = cursor.fetchone()
                if found is not None:
                    cursor.execute(self._publish, {"partnership_id": found[0], "page": page.sha256})
                    moved += [page.reference] if found[1] > page.version else []
        return moved

    def forget_pages(self) -> None:
        """Every page is to be published again: Prefect may have lost them."""
        with self._store.transaction() as cursor:
            cursor.execute(self._forget)

    def totals(self, today: date, soon: date) -> tuple[Total, ...]:
        """Each state that has a dossier, in the order of the lifecycle."""
        with self._store.transaction(write=False) as cursor:
            totals = self._tallies.totals(cursor, today.isoformat(), soon.isoformat())
        self._tallies.tidy()
        return totals

    def due(self, most: int, *, since: date = date.min) -> tuple[Outlook, ...]:
        """The dossiers with a deadline on `since` or later, the most pressing first."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._due, {"since": since.isoformat(), "after": 0, "until": date.max.isoformat(), "most": most})
            return tuple(_line(row[:-1]) for row in cursor.fetchall())

    def all_due(self, until: date) -> tuple[Outlook, ...]:
        """Every dossier with a deadline up to `until`, the most pressing first."""
        found, place = [], (date.min.isoformat(), 0)
        with self._store.transaction(write=False) as cursor:
            while True:
                cursor.execute(self._due, {"since": place[0], "after": place[1], "until": until.isoformat(), "most": SLICE})
                rows = cursor.fetchall()
                found += [_line(row[:-1]) for row in rows]
                if len(rows) < SLICE:
                    return tuple(found)
                place = (rows[-1][DUE], rows[-1][-1])

    def after(self, reference: str, most: int) -> tuple[Outlook, ...]:
        """A slice of the whole dashboard, by reference."""
        return self._lines(self._all, after=reference, most=most)

    def references(self, after: str, most: int) -> list[str]:
        """A slice of all references of the ledger, on the dashboard or not yet."""
        return self._names(self._references, after=after, most=most)

    def behind(self, after: str, most: int) -> list[str]:
        """A slice of the dossiers that have moved on since their line was kept, by reference."""
        return self._names(self._behind, after=after, most=most)

    def in_state(self, state: State, most: int) -> list[str]:
        """The first dossiers in a state."""
        return self._names(self._in, state=state.value, most=most)

    def _names(self, statement: str, **parameters: object) -> list[str]:
        with self._store.transaction(write=False) as cursor:
            cursor.execute(statement, parameters)
            return [row[0] for row in cursor.fetchall()]

    def _lines(self, statement: str, **parameters: object) -> tuple[Outlook, ...]:
        with self._store.transaction(write=False) as cursor:
            cursor.execute(statement, parameters)
            return tuple(_line(row) for row in cursor.fetchall())


def _caught_up() -> Update:
    """The row of a dossier whose line of this very version is kept; nothing is written where nothing changes."""
    here = (P.id == bindparam("partnership_id"), P.version == bindparam("version"))
    differs = or_(P.behind == literal_column("1"), *(P[name].is_distinct_from(bindparam(name)) for name in WEIGHED))
    weighed: dict[str, object] = {name: bindparam(name) for name in WEIGHED}
    return update(tables.partnerships).where(*here, differs).values(weighed | {"behind": literal_column("0")})


def _row(outlook: Outlook) -> dict[str, object]:
    return {
        "state": outlook.state.value,
        "entered_on": outlook.entered_on.isoformat() if outlook.entered_on else None,
        "step": outlook.step,
        "by": json.dumps([role.value for role in outlook.by]),
        "due_on": outlook.due_on.isoformat() if outlook.due_on else None,
        "blocked": outlook.blocked,
        "findings": outlook.findings,
        "engaged_cents": cents(outlook.engaged),
        "ordered_cents": cents(outlook.ordered),
        "paid_cents": cents(outlook.paid),
    }


def _line(row: Fetched) -> Outlook:
    reference, state, entered_on, step, by, due_on, blocked, findings, *money = row
    return Outlook(
        reference,
        State(state),
        date.fromisoformat(entered_on) if entered_on else None,
        step,
        tuple(map(Role, json.loads(by))),
        date.fromisoformat(due_on) if due_on else None,
        blocked,
        findings,
        *map(euros, money),
    )
