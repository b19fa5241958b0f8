"""What people and programs read of the ledger: a dossier, its history, what is missing, the list. Nothing here writes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from models import tables
from models.answers import Invalid
from models.dossiers import Dossiers, Loaded
from models.store import Cursor, Store
from states.calculation import entitlement
from states.facts import Actor, Partnership, Terms

P, J = tables.partnerships.c, tables.journal.c


class Views:
    """The reads of one database; every answer is made of plain JSON values, amounts as text with two decimals."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dossiers = Dossiers(store)
        self._journal = store.compile(select(J.entry, J.digest).where(J.partnership_id == bindparam("partnership_id")).order_by(J.n))
        self._list = store.compile(select(P.reference, P.state, P.version, P.entered_on).order_by(P.reference))

    def partnership(self, reference: str) -> Partnership:
        """The facts of a dossier. Raises Invalid when there is none of that reference."""
        with self._store.transaction(write=False) as cursor:
            return self._loaded(cursor, reference).partnership

    def show(self, reference: str) -> dict[str, Any]:
        """A dossier whole: state, terms, entitlement, findings, trainees by number, history."""
        with self._store.transaction(write=False) as cursor:
            loaded = self._loaded(cursor, reference)
            cursor.execute(self._journal, {"partnership_id": loaded.id})
            rows = cursor.fetchall()
        partnership = loaded.partnership
        due = entitlement(partnership)
        return {
            "reference": reference,
            "state": partnership.state.value,
            "version": partnership.version,
            "terms": terms_told(partnership.terms_in_force),
            "entitlement": {"eligible": due.eligible, "subsidised": due.subsidised, "amount": format(due.amount, ".2f")},
            "findings": [
                {"code": one.code, "severity": one.severity, "reason": one.reason} for one in partnership.findings
            ],
            "trainees": [{"number": line.trainee, "status": line.status, "reason": line.reason} for line in due.lines],
            "history": [_history(one) for one in _parsed(reference, rows)],
        }  # fmt: skip

    def why(self, reference: str, *, at: datetime, trigger: str | None = None, actor: Actor | None = None) -> dict[str, Any]:
        """What may come next, by whom, until when, and every condition that is not met yet."""
        from states.decide import next_steps, why_not  # the rules and the forms: 0.1 s that `show` does not need
        from states.delays import due_on
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

    def dossiers(self) -> list[dict[str, Any]]:
        """Every dossier: reference, state, version and the legal date of its state."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._list)
            rows = cursor.fetchall()
        return [dict(zip(("reference", "state", "version", "since"), row, strict=True)) for row in rows]

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
    return {
        name: format(value, ".2f") if name in ("rate", "fee_continuing", "fee_initial") and value is not None
        else value.isoformat() if name in ("year_starts_on", "year_ends_on")
        else value
        for name, value in terms._asdict().items()
        if name != "number"
    }  # fmt: skip


def reason_told(reason: Any) -> dict[str, str]:
    """A reason as JSON."""
    return {"code": reason.code, "reason": reason.reason, "who": reason.who, "source": reason.source}


def _parsed(reference: str, rows: list[Any]) -> list[dict[str, Any]]:
    try:
        return [{**json.loads(entry), "digest": digest} for entry, digest in rows]
    except (ValueError, TypeError):
        raise Invalid(f"Le journal de {reference} est abîmé : lancez « jalon verify {reference} ».") from None


def _history(told: dict[str, Any]) -> dict[str, Any]:
    same = {name: told[name] for name in ("n", "trigger", "from", "to", "outcome", "actor", "role", "effective_on", "recorded_at")}
    return {**same, "hash": told["digest"]}
