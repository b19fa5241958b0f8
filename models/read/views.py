"""What people and programs read of the ledger: a dossier, its history, what is missing, the list. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, select

from models import tables
from models.answers import Invalid
from models.database.store import Cursor, Row, Store
from models.ledger.dossiers import Dossiers, Loaded
from models.ledger.reading import as_read, legible, parsed
from models.read.as_json import entitlement_as_json, fact_as_json, reason_as_json, sum_as_json, terms_as_json
from models.read.history import HistoryLine, lines_of
from states.convention.facts import Terms
from states.grammar.case import Actor
from states.journal.entry import Entry
from states.partnership import Partnership
from states.payment.calculation import Entitlement, entitlement, in_force
from states.trainees.facts import Trainee
from states.values.plain import Json

if TYPE_CHECKING:
    from states.engine.decide import Next

P, J, F, WHO = tables.partnerships.c, tables.journal.c, tables.findings.c, tables.identities.c
# The collections of facts that `show` gives as they are; trainees are shown by the calculation.
SHOWN = ("parties", "acts", "invoices", "settlements", "recoveries", "payee_changes", "delegations", "appeals")
OBSTACLES_AT_MOST = 3  # of an undo, in a list


class DatedFinding(NamedTuple):
    """A finding, since when it is true and until when it was (ISO instants in UTC)."""

    code: str
    severity: str
    reason: str
    source: str
    subject: str
    opened_at: str
    resolved_at: str | None


class Dossier(NamedTuple):
    """One moment of a dossier: its facts, what is due by the terms in force, its findings and its history."""

    partnership: Partnership
    terms: Terms
    due: Entitlement
    findings: tuple[DatedFinding, ...]
    resolved: tuple[DatedFinding, ...]
    history: list[HistoryLine]

    @property
    def entries(self) -> list[Entry]:
        return [line.entry for line in self.history]

    def as_json(self) -> dict[str, object]:
        """What `jalon show --json` answers."""
        return {
            "reference": self.partnership.reference,
            "state": self.partnership.state.value,
            "version": self.partnership.version,
            "terms": terms_as_json(self.terms),
            "entitlement": sum_as_json(self.due),
            "findings": [finding._asdict() for finding in self.findings],
            "resolved_findings": [finding._asdict() for finding in self.resolved],
            "trainees": [{"number": line.trainee, "status": line.status, "reason": line.reason} for line in self.due.lines],
            "history": [line.as_json() for line in self.history],
            **{name: [fact_as_json(fact) for fact in getattr(self.partnership, name)] for name in SHOWN},
        }


class NamedTrainee(NamedTuple):
    """A trainee and who that is; names and birth (ISO date) are None once they were erased."""

    trainee: Trainee
    family_name: str | None
    given_name: str | None
    born_on: str | None

    def as_json(self) -> dict[str, Json]:
        names: dict[str, Json] = {"family_name": self.family_name, "given_name": self.given_name, "born_on": self.born_on}
        return {**names, **fact_as_json(self.trainee)}


class Possibilities(NamedTuple):
    """What may come next in a dossier, by whom, until when, and every condition that is not met yet."""

    partnership: Partnership
    due: Entitlement
    steps: tuple[Next, ...]

    def as_json(self) -> dict[str, Json]:
        """What `jalon why --json` answers."""
        return {
            "state": self.partnership.state.value,
            "entitlement": entitlement_as_json(self.due),
            "next": [
                {
                    "trigger": step.trigger,
                    "label": step.label,
                    "by": [role.value for role in step.by],
                    "due_on": due_on.isoformat() if due_on else None,
                    "unmet": [reason_as_json(reason) for reason in unmet],
                }
                for step, due_on, unmet in self.steps
            ],
        }


class DossierLine(NamedTuple):
    """A dossier in the list; `since` is the legal date of its state, an ISO date."""

    reference: str
    state: str
    version: int
    since: str | None


class Undoable(NamedTuple):
    """An entry that an undo may name: what would be taken back, and `because`, why it would be refused, if it would."""

    entry: Entry
    takes_back: str
    because: str | None


class Views:
    """The reads of one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dossiers = Dossiers(store)
        self._journal = store.compile(select(J.entry, J.digest).where(J.partnership_id == bindparam("partnership_id")).order_by(J.n))
        self._findings = store.compile(
            select(*(F[name] for name in DatedFinding._fields)).where(F.partnership_id == bindparam("partnership_id")).order_by(F.id)
        )
        self._people = store.compile(
            select(WHO.trainee, WHO.family_name, WHO.given_name, WHO.born_on).where(WHO.partnership_id == bindparam("partnership_id"))
        )
        self._list = store.compile(select(P.reference, P.state, P.version, P.entered_on).order_by(P.reference))

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

        partnership = self.partnership(reference)
        if trigger is None:
            steps = next_steps(partnership, at=at, actor=actor)
        elif trigger in STEPS:
            step = STEPS[trigger]
            due = due_on(step.within, partnership) if partnership.state in step.source else None
            steps = (Next(step, due, why_not(partnership, step, at=at, actor=actor)),)
        else:
            raise Invalid(f"L’étape « {trigger} » n’existe pas.")
        return Possibilities(partnership, entitlement(partnership, paris_day(at)), steps)

    def dossiers(self) -> list[DossierLine]:
        """Every dossier, by reference."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._list)
            return [DossierLine(*row) for row in cursor.fetchall()]

    def undoable(self, reference: str, most: int, actor: Actor) -> list[Undoable]:
        """The newest entries that an undo may name.

        Raises Invalid when there is no such dossier, or its journal cannot be read.
        """
        from models.ledger.earlier import with_facts
        from models.ledger.history import unreadable_journal
        from states.dossier.rules import SUPERIOR
        from states.journal.fold import ODD_JSON
        from states.journal.undoing import candidates, named, taken_with  # deciding again: only for who takes something back

        entries = with_facts([line.entry for line in self.history(reference)])
        found = []
        for entry in candidates(entries)[:most]:
            try:
                past = named(reference, entries, entry.n)
            except ODD_JSON:
                raise unreadable_journal(reference) from None
            because = None if actor.name == entry.actor or SUPERIOR in actor.roles else f"{entry.actor} ou l’ordonnateur peut l’annuler"
            because = "un paiement a été mandaté" if past.money_moved else because
            if past.obstacles:
                shown = past.obstacles[:OBSTACLES_AT_MOST]
                because = " ; ".join(f"l’entrée {obstacle.n} (« {obstacle.label} ») {obstacle.because}" for obstacle in shown)
            found.append(Undoable(entry, taken_with(entry), past.never or because))
        return found

    def history(self, reference: str) -> list[HistoryLine]:
        """The history of a dossier. Raises Invalid when there is no such dossier, or its journal cannot be read."""
        with self._store.transaction(write=False) as cursor:
            loaded = self._loaded(cursor, reference)
            cursor.execute(self._journal, {"partnership_id": loaded.id})
            return _lines(reference, cursor.fetchall())

    def _loaded(self, cursor: Cursor, reference: str) -> Loaded:
        loaded = self._dossiers.load(cursor, reference)
        if loaded is None:
            raise Invalid(f"Aucun dossier ne porte la référence {reference}.")
        return loaded


def _lines(reference: str, rows: Iterable[Row]) -> list[HistoryLine]:
    try:
        return lines_of((as_read(legible(parsed(content))), digest) for content, digest in rows)
    except (ValueError, TypeError):
        raise Invalid(f"Le journal de {reference} est abîmé : lancez « jalon verify {reference} ».") from None
