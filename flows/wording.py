"""The French words that several pages share: days, instants, labels, outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from states.grammar.deadlines import PARIS, Age, age
from states.values.french import counted
from states.vocabulary import ROLE_LABELS, Role, State

SIGNS = {Age.LATE: "🔴", Age.SOON: "🟡", Age.CALM: "🟢"}


def wall_time(recorded_at: str) -> str:
    """An instant as people in Paris write it: « 23/11/2026 10:41 »."""
    return f"{datetime.fromisoformat(recorded_at).astimezone(PARIS):%d/%m/%Y %H:%M}"


def short_day(effective_on: str) -> str:
    """An ISO date as « 09/12/2025 »."""
    year, month, day = effective_on.split("-")
    return f"{day}/{month}/{year}"


def state_label(state: str) -> str:
    return State(state).label


def role_label(role: str) -> str:
    return ROLE_LABELS[Role(role)] if role in set(Role) else role


STATUSES = {
    "COUNTED": "subventionné",
    "OVER_CAP": "hors plafond",
    "OUTSIDE_DEPARTMENT": "hors département",
    "RESIDENCE_UNVERIFIED": "à vérifier",
    "WITHDRAWN": "désisté",
    "DROPPED_OUT": "abandon",
    "POLICY_REQUIRED": "abandon, à trancher",
    "HOURS_REQUIRED": "abandon, heures à donner",
    "EXCLUDED": "inéligible",
}
INVOICES = {"received": "reçue", "suspended": "suspendue", "rejected": "rejetée"}
OUTCOMES = {"done": "fait", "refused": "refusé", "conflict": "sans effet", "carried": "repris"}


def due_told(due: date | None, today: date) -> str:
    """« 🔴 08/12/2025 (351 jours de retard) », nothing without a deadline: the colour for the eye, the words for whoever sees none."""
    if due is None:
        return ""
    late = (today - due).days
    overdue = f" ({counted(late, 'jour', 'jours')} de retard)" if late > 0 else ""
    return f"{SIGNS[age(due, today)]}\u00a0{short_day(due.isoformat())}{overdue}"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Aligned columns under their titles; the last column runs free."""
    cells = [titles, *rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(titles) - 1)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in cells]
    return [lines[0], "  ".join("─" * width for width in (*widths, len(titles[-1]))), *lines[1:]]
