"""What the convention owes: who counts, in which order, up to the cap, at which unit price.

Source: docs/glossary.md, « droit à subvention »; the seed's resolution of 9 December 2025 (rate, cap, residence).
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from states.facts import Partnership, Terms, Trainee

NOTHING = Decimal("0.00")

REASONS = {
    "COUNTED": "résidence vérifiée dans le département, dans la limite du plafond",
    "OVER_CAP": "au-delà du nombre maximal de stagiaires de la convention",
    "OUTSIDE_DEPARTMENT": "réside hors du département de la convention",
    "RESIDENCE_UNVERIFIED": "résidence pas encore vérifiée",
}


class Line(NamedTuple):
    """One trainee in the calculation; `unit` in euros, zero when the trainee does not count."""

    trainee: int
    rank: int
    status: str
    unit: Decimal

    @property
    def reason(self) -> str:
        return REASONS[self.status]


class Entitlement(NamedTuple):
    """The right to subsidy: how many trainees are eligible, how many are subsidised, and the sum in euros."""

    eligible: int
    subsidised: int
    amount: Decimal
    lines: tuple[Line, ...]


def department_of(insee: str) -> str:
    """The department of a commune by its INSEE code: two signs, three overseas (97x, 98x)."""
    return insee[:3] if insee[:2] in ("97", "98") else insee[:2]


def unit_for(trainee: Trainee, terms: Terms) -> Decimal:
    """Euros for one subsidised trainee: the rate, or the university's fee when it is lower and the terms cap at it."""
    fee = terms.fee(trainee.fee_regime)
    return min(terms.rate, fee) if terms.amount_mode == "capped_at_fee" and fee is not None else terms.rate


def entitlement(partnership: Partnership) -> Entitlement:
    """The calculation over all retained trainees, in the order of their ranks (then of their numbers)."""
    if not partnership.trainees:
        return Entitlement(0, 0, NOTHING, ())
    terms = partnership.terms_in_force
    lines: list[Line] = []
    eligible = 0
    amount = NOTHING
    for trainee in sorted(partnership.trainees, key=lambda one: (one.rank, one.number)):
        status = _status(trainee, terms, eligible)
        unit = unit_for(trainee, terms) if status == "COUNTED" else NOTHING
        eligible += status in ("COUNTED", "OVER_CAP")
        amount += unit
        lines.append(Line(trainee.number, trainee.rank, status, unit))
    return Entitlement(eligible, min(eligible, terms.cap), amount, tuple(lines))


def _status(trainee: Trainee, terms: Terms, eligible_before: int) -> str:
    if trainee.verified_on is None:
        return "RESIDENCE_UNVERIFIED"
    if department_of(trainee.insee) != terms.department:
        return "OUTSIDE_DEPARTMENT"
    return "COUNTED" if eligible_before < terms.cap else "OVER_CAP"


def tied_at_cap(partnership: Partnership) -> tuple[int, ...]:
    """The numbers of the eligible trainees who share the rank on which the cap falls, when the cap parts them."""
    lines = [line for line in entitlement(partnership).lines if line.status in ("COUNTED", "OVER_CAP")]
    cap = partnership.terms_in_force.cap
    if len(lines) <= cap or lines[cap - 1].rank != lines[cap].rank:
        return ()
    return tuple(line.trainee for line in lines if line.rank == lines[cap].rank)
