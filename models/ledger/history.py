"""The journal of one dossier, read inside the transaction of a step that must know what was done before."""

from __future__ import annotations

from sqlalchemy import Select, bindparam, select
from sqlalchemy.sql import ColumnElement

from models import tables
from models.answers import Invalid
from models.database.store import Cursor, Store
from models.ledger.dossiers import Loaded
from models.ledger.earlier import with_facts
from models.ledger.reading import parsed
from states.grammar.case import Past
from states.journal.entry import Entry
from states.journal.fold import ODD_JSON

P, J = tables.partnerships.c, tables.journal.c


class History:
    """The journals of one database."""

    def __init__(self, store: Store) -> None:
        self._all = store.compile(select(J.entry).where(J.partnership_id == bindparam("partnership_id")).order_by(J.n))
        self._last_change, self._last_move = store.compile(_entry_at(P.last_change)), store.compile(_entry_at(P.last_move))

    def entries(self, cursor: Cursor, partnership_id: int) -> list[Entry]:
        """The entries of a dossier, in order. Raises ValueError when one cannot be read."""
        cursor.execute(self._all, {"partnership_id": partnership_id})
        return [parsed(content) for (content,) in cursor.fetchall()]

    def last_change(self, cursor: Cursor, partnership_id: int, *, moves_only: bool) -> Entry | None:
        """The entry of the last change of the dossier, or of the last that moved its state; its row knows which."""
        cursor.execute(self._last_move if moves_only else self._last_change, {"partnership_id": partnership_id})
        row = cursor.fetchone()
        return parsed(row[0]) if row else None

    def past(self, cursor: Cursor, loaded: Loaded, n: int) -> Past:
        """The entry that an undo names. Raises Invalid when the journal cannot be read."""
        from states.journal.undoing import named  # deciding again: only for who takes something back

        reference = loaded.partnership.reference
        try:
            return named(reference, with_facts(self.entries(cursor, loaded.id)), n)
        except ODD_JSON:
            raise unreadable_journal(reference) from None


def _entry_at(number: ColumnElement[int]) -> Select[tuple[str]]:
    """The entry whose number the row of the dossier holds."""
    here = select(number).where(P.id == bindparam("partnership_id")).scalar_subquery()
    return select(J.entry).where(J.partnership_id == bindparam("partnership_id"), J.n == here)


def unreadable_journal(reference: str) -> Invalid:
    """What to say of a journal in which somebody has written something else than jalon."""
    return Invalid(f"Le journal de {reference} ne se relit pas : lancez « jalon verify {reference} ».")
