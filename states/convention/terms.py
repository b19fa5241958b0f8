"""What an amendment changes in the terms, told in French."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from states.convention.facts import Terms
from states.partnership import Partnership
from states.values.choices import LABELS
from states.values.french import day, euros

TERM_LABELS = {
    "rate": "montant par stagiaire",
    "cap": "nombre maximal de stagiaires",
    "department": "département de résidence",
    "academic_year": "année universitaire",
    "year_starts_on": "début de l’année universitaire",
    "year_ends_on": "fin de l’année universitaire",
    "amount_mode": "mode de calcul",
    "fee_continuing": "tarif en formation continue",
    "fee_initial": "tarif en formation initiale",
    "dropout_policy": "règle en cas d’abandon",
    "result_policy": "règle en l’absence de résultat d’exploitation",
}


def differences(before: Terms, after: Terms) -> tuple[str, ...]:
    """« nombre maximal de stagiaires : 20 → 22 », for each term that changes."""
    values = ((label, getattr(before, name), getattr(after, name)) for name, label in TERM_LABELS.items())
    return tuple(f"{label} : {_shown(old)} → {_shown(new)}" for label, old, new in values if old != new)


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return euros(value)
    if isinstance(value, date):
        return day(value)
    return "non précisé" if value is None else LABELS.get(str(value), str(value))


def terms_changed(before: Partnership, after: Partnership) -> tuple[str, ...]:
    """What an amendment changes, term by term."""
    changed = differences(before.terms_in_force, after.terms_in_force)
    return tuple(f"À partir du {day(after.terms_in_force.takes_effect_on)}, {change}." for change in changed)
