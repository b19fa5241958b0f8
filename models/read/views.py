"""What people and programs read of the ledger: a dossier, its history, what is missing, the list. Nothing here writes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Integer, bindparam, func, literal_column, select

from models import tables
from models.answers import Invalid
from models.database.store import Cursor, Store
from models.ledger.dossiers import Dossiers, Loaded
from models.ledger.reading import as_read, legible, parsed
from models.ledger.tallies import Tallies
from states.board.facts import Act
from states.convention.facts import Terms
from states.grammar.case import Actor
from states.grammar.deadlines import PARIS
from states.partnership import Partnership
from states.payment.calculation import Entitlement, entitlement, in_force

P, J, F, WHO = tables.partnerships.c, tables.journal.c, tables.findings.c, tables.identities.c
# The collections of facts that `show` gives as they are; trainees are shown by the calculation.
SHOWN = ("parties", "acts", "invoices", "settlements", "recoveries", "payee_changes", "delegations", "appeals")
NAMED_AT_MOST = 3  # obstacles of an undo, in a list
LISTED = ("reference", "state", "version", "since")
LEFT_AT_MOST = 1000  # dossiers that are counted one by one behind a slice
FINDING = ("code", "severity", "reason", "source", "subject", "opened_at", "resolved_at")


class Slice(NamedTuple):
    """Some dossiers by reference, each with `LISTED`; how many the house has and how many follow, `at_least` so many when they are many."""

    dossiers: list[dict[str, Any]]
    in_all: int
    left: int
    at_least: bool


class Views:
    """The reads of one database; every answer is made of plain JSON values, amounts as text with two decimals."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dossiers = Dossiers(store)
        self._journal = store.compile(select(J.entry, J.digest).where(J.partnership_id == bindparam("partnership_id")).order_by(J.n))
        self._findings = store.compile(
            select(*(F[name] for name in FINDING)).where(F.partnership_id == bindparam("partnership_id")).order_by(F.id)
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

    def show(self, reference: str, *, on: date | None = None) -> dict[str, Any]:
        """A dossier whole: state, terms, entitlement (by the terms in force on `on`), acts, findings, trainees by number, history."""
        return self.page(reference, on=on)[0]

    def page(self, reference: str, *, on: date | None = None) -> tuple[dict[str, Any], Partnership, list[dict[str, Any]]]:
        """What `show` answers, the facts and the parsed journal behind it: one moment of the dossier."""
        with self._store.transaction(write=False) as cursor:
            loaded = self._loaded(cursor, reference)
            cursor.execute(self._journal, {"partnership_id": loaded.id})
            rows = cursor.fetchall()
            cursor.execute(self._findings, {"partnership_id": loaded.id})
            findings = [dict(zip(FINDING, row, strict=True)) for row in cursor.fetchall()]
        partnership, history = loaded.partnership, _parsed(reference, rows)
        due = entitlement(partnership, on)
        told = {
            "reference": reference,
            "state": partnership.state.value,
            "version": partnership.version,
            "terms": terms_told(in_force(partnership, on)[-1]),
            "entitlement": {"eligible": due.eligible, "subsidised": due.subsidised, "amount": format(due.amount, ".2f")},
            "findings": [one for one in findings if one["resolved_at"] is None],
            "resolved_findings": [one for one in findings if one["resolved_at"] is not None],
            "trainees": [{"number": line.trainee, "status": line.status, "reason": line.reason} for line in due.lines],
            "history": [_history(one) for one in history],
            **{name: [fact_told(one) for one in getattr(partnership, name)] for name in SHOWN},
        }
        return told, partnership, history

    def people(self, reference: str) -> list[dict[str, Any]]:
        """Who the trainees are, by number: the one answer that holds names, for the officer who looks after them."""
        with self._store.transaction(write=False) as cursor:
            loaded = self._loaded(cursor, reference)
            cursor.execute(self._people, {"partnership_id": loaded.id})
            named = {row[0]: row[1:] for row in cursor.fetchall()}
        return [
            {
                **dict(zip(("family_name", "given_name", "born_on"), named.get(one.number, (None,) * 3), strict=True)),
                **fact_told(one),
            }
            for one in loaded.partnership.trainees
        ]

    def entitlement(self, reference: str, *, on: date | None = None) -> dict[str, Any]:
        """The calculation, trainee by trainee in the order used."""
        return due_told(entitlement(self.partnership(reference), on))

    def why(self, reference: str, *, at: datetime, trigger: str | None = None, actor: Actor | None = None) -> dict[str, Any]:
        """What may come next, by whom, until when, and every condition that is not met yet."""
        from states.engine.decide import next_steps, why_not  # the rules and the forms: 0.1 s that `show` does not need
        from states.grammar.deadlines import due_on, paris_day
        from states.lifecycle import STEPS

        partnership = self.partnership(reference)
        if trigger is None:
            steps = [(found.step, found.due_on, found.unmet) for found in next_steps(partnership, at=at, actor=actor)]
        elif trigger in STEPS:
            step = STEPS[trigger]
            unmet = why_not(partnership, step, at=at, actor=actor)
            steps = [(step, due_on(step.within, partnership) if partnership.state in step.source else None, unmet)]
        else:
            raise Invalid(f"L’étape « {trigger} » n’existe pas.")
        return {
            "state": partnership.state.value,
            "entitlement": due_told(entitlement(partnership, paris_day(at))),
            "next": [
                {
                    "trigger": step.trigger,
                    "label": step.label,
                    "by": [role.value for role in step.by],
                    "due_on": due.isoformat() if due else None,
                    "unmet": [reason_told(reason) for reason in missing],
                }
                for step, due, missing in steps
            ],
        }

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
        return Slice([dict(zip(LISTED, row, strict=True)) for row in rows], in_all, min(left, LEFT_AT_MOST) if at_least else left, at_least)

    def undoable(self, reference: str, most: int, actor: Actor) -> list[dict[str, Any]]:
        """The newest entries that an undo may name: what would be taken back, and `because`, why it would be refused, if it would.

        Raises Invalid when there is no such dossier, or its journal cannot be read.
        """
        from models.ledger.earlier import with_facts
        from models.ledger.history import unreadable_journal
        from states.dossier.rules import SUPERIOR
        from states.journal.fold import ODD_JSON
        from states.journal.undoing import candidates, named, told_of  # deciding again: only for who takes something back

        entries = with_facts(self.history(reference))
        found = []
        for entry in candidates(entries)[:most]:
            try:
                past = named(reference, entries, entry["n"])
            except ODD_JSON:
                raise unreadable_journal(reference) from None
            because = (
                None if actor.name == entry["actor"] or SUPERIOR in actor.roles else f"{entry['actor']} ou l’ordonnateur peut l’annuler"
            )
            because = "un paiement a été mandaté" if past.money_moved else because
            if past.obstacles:
                because = " ; ".join(f"l’entrée {one.n} (« {one.label} ») {one.because}" for one in past.obstacles[:NAMED_AT_MOST])
            kept = {name: entry[name] for name in ("n", "label", "actor", "effective_on", "recorded_at")}
            found.append({**kept, "takes_back": told_of(entry), "because": past.never or because})
        return found

    def history(self, reference: str) -> list[dict[str, Any]]:
        """The journal of a dossier, parsed, with each entry's digest."""
        with self._store.transaction(write=False) as cursor:
            loaded = self._loaded(cursor, reference)
            cursor.execute(self._journal, {"partnership_id": loaded.id})
            return _parsed(reference, cursor.fetchall())

    def _loaded(self, cursor: Cursor, reference: str) -> Loaded:
        loaded = self._dossiers.load(cursor, reference)
        if loaded is None:
            raise Invalid(f"Aucun dossier ne porte la référence {reference}.")
        return loaded


def terms_told(terms: Terms) -> dict[str, Any]:
    """The terms as JSON: euros as text with two decimals, dates as ISO text."""
    return {name: value for name, value in fact_told(terms).items() if name != "number"}


def due_told(due: Entitlement) -> dict[str, Any]:
    """The calculation as JSON: `eligible, subsidised, amount, lines[{trainee, rank, counted, status, reason, unit}]`."""
    lines = [
        {
            "trainee": line.trainee,
            "rank": line.rank,
            "counted": line.counted,
            "status": line.status,
            "reason": line.reason,
            "unit": format(line.unit, ".2f"),
        }
        for line in due.lines
    ]
    return {"eligible": due.eligible, "subsidised": due.subsidised, "amount": format(due.amount, ".2f"), "lines": lines}


def fact_told(fact: Any) -> dict[str, Any]:
    """A fact as JSON: euros as text with two decimals, dates as ISO text; an act with the day from which it can be carried out."""
    told = {name: _told(value) for name, value in fact._asdict().items()}
    return {**told, "executory_on": _told(fact.executory_on)} if isinstance(fact, Act) else told


def _told(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, ".2f")
    return value.isoformat() if isinstance(value, date) else value


def reason_told(reason: Any) -> dict[str, str]:
    """A reason as JSON."""
    return {"code": reason.code, "reason": reason.reason, "who": reason.who, "source": reason.source}


def _parsed(reference: str, rows: list[Any]) -> list[dict[str, Any]]:
    try:
        return [{**as_read(legible(parsed(entry))), "digest": digest} for entry, digest in rows]
    except (ValueError, TypeError):
        raise Invalid(f"Le journal de {reference} est abîmé : lancez « jalon verify {reference} ».") from None


def _history(told: dict[str, Any]) -> dict[str, Any]:
    same: dict[str, Any] = {
        name: told[name] for name in ("n", "trigger", "from", "to", "outcome", "actor", "role", "effective_on", "recorded_at")
    }
    more: dict[str, Any] = {name: told[name] for name in ("on_behalf_of", "notes") if name in told}
    return {**same, **more, "days_late": days_late(told), "hash": told["digest"]}


def days_late(told: dict[str, Any]) -> int:
    """How many days after the fact it was recorded."""
    recorded = datetime.fromisoformat(told["recorded_at"]).astimezone(PARIS).date()
    return max(0, (recorded - date.fromisoformat(told["effective_on"])).days)
