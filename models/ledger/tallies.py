"""How many dossiers stand where, until when, and their money: counted in the transaction of each step, read without a look at a dossier.

A step that moves a dossier adds two rows, one that takes it away where it was and one that adds it where it is: steps never wait for
each other. What counts is the sum. Whoever reads many rows puts them together.
"""

from __future__ import annotations

from contextlib import suppress
from operator import add
from typing import NamedTuple

from sqlalchemy import bindparam, case, delete, func, insert, literal_column, select
from sqlalchemy.sql import ColumnElement

from models import tables
from models.database.faults import Unreachable
from models.database.store import Cursor, Store
from states.vocabulary import State

T = tables.tallies.c
LOOSE_AT_MOST = 1000  # rows that nobody has put together yet
PLACE, SUMS = ("state", "due_on"), ("dossiers", "engaged_cents", "ordered_cents", "paid_cents")


class Total(NamedTuple):
    """One state: how many dossiers, how many of them late or soon due, and their money in integer cents."""

    state: State
    dossiers: int
    late: int
    soon: int
    engaged_cents: int
    ordered_cents: int
    paid_cents: int


class Tallies:
    """The counters of one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        late, soon = T.due_on < bindparam("today"), T.due_on.between(bindparam("today"), bindparam("soon"))
        sums = (T.dossiers, _those(late), _those(soon), T.engaged_cents, T.ordered_cents, T.paid_cents, T.loose)
        self._totals = store.compile(select(T.state, *map(func.sum, sums)).group_by(T.state))
        self._in_all = store.compile(select(func.coalesce(func.sum(T.dossiers), literal_column("0")), func.sum(T.loose)))
        self._take = store.compile(delete(tables.tallies).returning(*(T[name] for name in (*PLACE, *SUMS))))
        new: dict[str, object] = {name: bindparam(name) for name in (*PLACE, *SUMS)}
        self._put = store.compile(insert(tables.tallies).values(new | {"loose": literal_column("0")}))
        self._loose = 0

    def totals(self, cursor: Cursor, today: str, soon: str) -> tuple[Total, ...]:
        """Each state that has a dossier, in the order of the lifecycle; a deadline before `today` is late, one to `soon` soon (ISO)."""
        cursor.execute(self._totals, {"today": today, "soon": soon})
        rows = cursor.fetchall()
        self._loose = int(sum(row[-1] for row in rows))
        found = {state: tuple(map(int, sums)) for state, *sums, _ in rows}
        totals = (Total(state, *found[state.value]) for state in State if state.value in found)
        return tuple(total for total in totals if total.dossiers)

    def in_all(self, cursor: Cursor) -> int:
        """How many dossiers the house has."""
        cursor.execute(self._in_all)
        many, loose = cursor.fetchone()
        self._loose = int(loose or 0)
        return int(many)

    def tidy(self) -> None:
        """Put rows together if many were found apart; whoever may not write, or finds somebody writing, leaves them and goes on."""
        if self._loose > LOOSE_AT_MOST:
            with suppress(Unreachable):
                self.fold(waits=False)

    def fold(self, *, waits: bool = True) -> None:
        """Put together the rows that are committed by now: one for each state and deadline. The sums stay what they are.

        Raises Unreachable, at once when it does not wait for others who write.
        """
        with self._store.transaction(waits=waits) as cursor:
            cursor.execute(self._take)
            sums: dict[tuple[str, str | None], list[int]] = {}
            for state, due_on, *values in cursor.fetchall():
                sums[state, due_on] = [*map(add, sums.get((state, due_on), [0] * len(SUMS)), values)]
            for place, values in sums.items():
                if any(values):
                    cursor.execute(self._put, dict(zip((*PLACE, *SUMS), (*place, *values), strict=True)))


def _those(which: ColumnElement[bool]) -> ColumnElement[int]:
    return case((which, T.dossiers), else_=literal_column("0"))
