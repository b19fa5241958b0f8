"""The French words that several pages share: days, instants, labels, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from models.read.history import HistoryLine
from states.grammar.deadlines import PARIS, Age, age
from states.journal.entry import Entry
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


def roles_label(entry: Entry) -> str:
    """« comptable public »; every role of somebody whose attempt came to nothing: none of them decided."""
    return ", ".join(role_label(role) for role in entry.role.split(","))


def delegation(entry: Entry, written: Callable[[str], str] = str) -> str:
    """« , par délégation de Omar », nothing where the role was the actor's own."""
    return f", par délégation de {written(entry.on_behalf_of)}" if entry.on_behalf_of else ""


def is_proven(entry: Entry) -> bool:
    """Whether the person was who they said, as far as anybody asked."""
    return entry.proof in (None, "right")


def actor_label(entry: Entry, written: Callable[[str], str] = str) -> str:
    """« Claude Girard (comptable public) », with the name of who has delegated the role; `written`: how a page writes a name.

    An attempt whose code proved nothing is not the deed of whom it names.
    """
    if not is_proven(entry):
        return f"quelqu’un au nom de {written(entry.actor)}, sans preuve"
    return f"{written(entry.actor)} ({roles_label(entry)}){delegation(entry, written)}"


def undoing_label(line: HistoryLine) -> str:
    """« annulé par l’entrée 9 », nothing where the entry stands."""
    return "" if line.undone_by is None else f"annulé par l’entrée {line.undone_by}"


def due_label(due: date | None, today: date) -> str:
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
