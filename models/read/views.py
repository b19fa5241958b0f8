"""What people and programs read of the ledger: a dossier, its history, what is missing, the list. Facts are only read here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from sqlalchemy import Integer, bindparam, func, literal_column, select

from models import tables
from models.answers import Invalid
from models.database.store import Cursor, Fetched, Store
from models.ledger.dossiers import Dossiers, Loaded
from models.ledger.reading import as_read, legible, parsed
from models.ledger.tallies import Tallies
from models.read.as_json import entitlement_as_json
from models.read.dossier import DatedFinding, Dossier, DossierLine, NamedTrainee, Possibilities, Slice, Undoable
from models.read.history import HistoryLine, lines_of
from states.grammar.case import Actor, Lookups
from states.partnership import Partnership
from states.payment.calculation import entitlement, in_force
from states.values.plain import Json

P, J, F, WHO = tables.partnerships.c, tables.journal.c, tables.findings.c, tables.identities.c
READ_AT_ONCE = 1000
LEFT_AT_MOST = 1000  # dossiers that are counted one by one behind a slice


class Views:
    """The reads of one database."""

    def __init__(self, store: Store, *, waits: int = 1) -> None:
        """`waits`: see `models.ledger.ledger.Ledger`."""
        self._waits = waits
        self._store = store
        self._dossiers = Dossiers(store)
        self._journal = store.compile(select(J.entry, J.digest).where(J.partnership_id == bindparam("partnership_id")).order_by(J.n))
        self._findings = store.compile(
            select(*(F[name] for name in DatedFinding._fields)).where(F.partnership_id == bindparam("partnership_id")).order_by(F.id)
        )
        self._people = store.compile(
            select(WHO.trainee, WHO.family_name, WHO.given_name, WHO.born_on).where(WHO.partnership_id == bindparam("partnership_id"))
        )
        self._tallies = Tallies(store)
        most = bindparam("most", type_=Integer)
        further = select(P.reference, P.state, P.version, P.entered_on).where(P.reference > bindparam("after")).order_by(P.reference)
        self._list = store.compile(further.limit(most).offset(literal_column("0")))
        self._left = store.compile(select(func.count()).select_from(further.limit(most).offset(literal_column("0")).subquery()))

    def partnership(self, reference: str) -> Partnership:
        """The facts of a dossier. Raises Invalid when there is none of that reference."""
        with self._store.transaction(write=False) as cursor:
            return self._loaded(cursor, reference).partnership

    def show(self, reference: str, *, on: date | None = None) -> dict[str, object]:
        """A dossier whole, as programs read it."""
        return self.dossier(reference, on=on).as_json()

    def dossier(self, reference: str, *, on: date | None = None) -> Dossier:
        """A dossier whole, with what is due by the terms in force on `on`. Raises Invalid when there is none, or it cannot be read."""
        with self._store.transaction(write=False) as cursor:
            loaded = self._loaded(cursor, reference)
            cursor.execute(self._journal, {"partnership_id": loaded.id})
            rows = cursor.fetchall()
            cursor.execute(self._findings, {"partnership_id": loaded.id})
            findings = [DatedFinding(*row) for row in cursor.fetchall()]
        partnership = loaded.partnership
        return Dossier(
            partnership,
            in_force(partnership, on)[-1],
            entitlement(partnership, on),
            tuple(finding for finding in findings if finding.resolved_at is None),
            tuple(finding for finding in findings if finding.resolved_at is not None),
            _lines(reference, rows),
        )

    def people(self, reference: str) -> list[NamedTrainee]:
        """Who the trainees are, by number: the one answer that holds names, for the officer who looks after them."""
        with self._store.transaction(write=False) as cursor:
            loaded = self._loaded(cursor, reference)
            cursor.execute(self._people, {"partnership_id": loaded.id})
            names = {row[0]: row[1:] for row in cursor.fetchall()}
        return [NamedTrainee(trainee, *names.get(trainee.number, (None,) * 3)) for trainee in loaded.partnership.trainees]

    def entitlement(self, reference: str, *, on: date | None = None) -> dict[str, Json]:
        """The calculation, trainee by trainee in the order used."""
        return entitlement_as_json(entitlement(self.partnership(reference), on))

    def why(self, reference: str, *, at: datetime, trigger: str | None = None, actor: Actor | None = None) -> Possibilities:
        """What may come next. Raises Invalid when there is no such step or dossier."""
        from states.engine.decide import Next, next_steps, why_not  # the rules and the forms: 0.1 s that `show` does not need
        from states.grammar.deadlines import due_on, paris_day
        from states.lifecycle import STEPS

        partnership, lookups = self.partnership(reference), Lookups(waits=self._waits)
        if trigger is None:
            steps = next_steps(partnership, at=at, actor=actor, lookups=lookups)
        elif trigger in STEPS:
            step = STEPS[trigger]
            due = due_on(step.within, partnership) if partnership.state in step.source else None
            steps = (Next(step, due, why_not(partnership, step, at=at, actor=actor, lookups=lookups)),)
        else:
            raise Invalid(f"L’étape « {trigger} » n’existe pas.")
        return Possibilities(partnership, entitlement(partnership, paris_day(at)), steps)

    def dossiers(self, most: int, *, after: str = "") -> Slice:
        """At most so many dossiers after a reference: reference, state, version and the legal date of the state."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._list, {"after": after, "most": most})
            rows = cursor.fetchall()
            in_all = self._tallies.in_all(cursor)
            left = in_all - len(rows) if not after else 0
            if after and len(rows) == most:
                cursor.execute(self._left, {"after": rows[-1][0], "most": LEFT_AT_MOST + 1})
                left = int(cursor.fetchone()[0])
        self._tallies.tidy()
        at_least = bool(after) and left > LEFT_AT_MOST
        return Slice(tuple(DossierLine(*row) for row in rows), in_all, min(left, LEFT_AT_MOST) if at_least else left, at_least)

    def all_dossiers(self, *, after: str = "") -> Iterator[Slice]:
        """Every dossier after a reference, slice by slice."""
        while (found := self.dossiers(READ_AT_ONCE, after=after)).dossiers:
            yield found
            after = found.dossiers[-1].reference

    def undoable(self, reference: str, most: int, actor: Actor, *, at: datetime) -> list[Undoable]:
        """The newest entries that an undo may name, and which of them are not up to `actor` now.

        Raises Invalid when there is no such dossier, or its journal cannot be read.
        """
        from models.ledger.earlier import with_facts
        from models.read.taking_back import undoable  # deciding again: only for who takes something back

        loaded, lines = self._read(reference)
        return undoable(self._store, loaded.partnership, with_facts([line.entry for line in lines]), actor, at=at, most=most)

    def history(self, reference: str) -> list[HistoryLine]:
        """The history of a dossier. Raises Invalid when there is no such dossier, or its journal cannot be read."""
        return self._read(reference)[1]

    def _read(self, reference: str) -> tuple[Loaded, list[HistoryLine]]:
        with self._store.transaction(write=False) as cursor:
            loaded = self._loaded(cursor, reference)
            cursor.execute(self._journal, {"partnership_id": loaded.id})
            rows = cursor.fetchall()
        return loaded, _lines(reference, rows)

    def _loaded(self, cursor: Cursor, reference: str) -> Loaded:
        loaded = self._dossiers.load(cursor, reference)
        if loaded is None:
            raise Invalid(f"Aucun dossier ne porte la référence {reference}.")
        return loaded


def _lines(reference: str, rows: Iterable[Fetched]) -> list[HistoryLine]:
    try:
        return lines_of((as_read(legible(parsed(content))), digest) for content, digest in rows)
    except (ValueError, TypeError):
        raise Invalid(f"Le journal de {reference} est abîmé : lancez « jalon verify {reference} ».") from None
