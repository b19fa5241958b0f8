"""What the convention owes: who counts, in which order, up to the cap, at which unit price.

Source: the seed's resolution of 9 December 2025 (rate, cap, residence) and the terms of each convention. With
amended terms, a trainee is judged by the terms in force on the day of the selection; the cap is the most
favourable one from that day on, so that an amendment never takes away what was due before it.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from states.convention.facts import Terms
from states.partnership import Partnership
from states.recovery.facts import Recovery
from states.trainees.facts import Trainee
from states.training.facts import Training

NOTHING = Decimal("0.00")
CENT = Decimal("0.01")

REASONS = {
    "COUNTED": "résidence vérifiée dans le département, dans la limite du plafond",
    "OVER_CAP": "au-delà du nombre maximal de stagiaires de la convention, en liste d’attente",
    "OUTSIDE_DEPARTMENT": "réside hors du département de la convention",
    "RESIDENCE_UNVERIFIED": "résidence pas encore vérifiée",
    "WITHDRAWN": "désistement avant le début de la formation",
    "DROPPED_OUT": "a quitté la formation ; la convention ne paie rien dans ce cas",
    "POLICY_REQUIRED": "a quitté la formation ; la convention ne dit pas ce qui est dû dans ce cas",
    "HOURS_REQUIRED": "a quitté la formation ; les heures suivies ne sont pas connues",
    "EXCLUDED": "reconnu inéligible après le paiement",
}
ELIGIBLE = frozenset({"COUNTED", "OVER_CAP"})
UNDECIDED = frozenset({"POLICY_REQUIRED", "HOURS_REQUIRED"})


class Line(NamedTuple):
    """One trainee in the calculation; `unit` in euros, zero when the trainee does not count."""

    trainee: int
    rank: int
    status: str
    unit: Decimal

    @property
    def reason(self) -> str:
        return REASONS[self.status]

    @property
    def counted(self) -> bool:
        return self.status == "COUNTED"


class Entitlement(NamedTuple):
    """The right to subsidy: how many trainees are eligible, how many are subsidised, and the sum in euros."""

    eligible: int
    subsidised: int
    amount: Decimal
    lines: tuple[Line, ...]


def department_of(insee: str) -> str:
    """The department of a commune by its INSEE code: two signs, three overseas (97x, 98x)."""
    return insee[:3] if insee[:2] in ("97", "98") else insee[:2]


def in_force(partnership: Partnership, on: date | None) -> tuple[Terms, ...]:
    """The versions of the terms that have taken effect by `on` (all of them when it is None); the first always holds."""
    return tuple(terms for place, terms in enumerate(partnership.terms) if not place or on is None or terms.takes_effect_on <= on)


def ceiling(partnership: Partnership, on: date | None = None) -> Decimal:
    """The most that the convention can pay, in euros: the highest cap times the highest rate of its versions."""
    versions = in_force(partnership, on)
    return max(terms.cap for terms in versions) * max(terms.rate for terms in versions)


def unit_for(trainee: Trainee, terms: Terms) -> Decimal:
    """Euros for one subsidised trainee: the rate, or the university's fee when it is lower and the terms cap at it."""
    fee = terms.fee(trainee.fee_regime)
    return min(terms.rate, fee) if terms.amount_mode == "capped_at_fee" and fee is not None else terms.rate


def entitlement(partnership: Partnership, on: date | None = None) -> Entitlement:
    """The calculation over all retained trainees, in the order of their ranks (then of their numbers), by the terms in force on `on`."""
    versions = in_force(partnership, on)
    training = partnership.training
    policy = versions[-1].dropout_policy
    lines: list[Line] = []
    eligible = subsidised = 0
    amount = NOTHING
    for trainee in sorted(partnership.trainees, key=_rank):
        own, cap = _own(versions, trainee)
        status = _status(trainee, own, training, policy)
        if status == "COUNTED":
            eligible += 1
            status = "COUNTED" if subsidised < cap else "OVER_CAP"
        unit = _unit(trainee, own, training, policy) if status == "COUNTED" else NOTHING
        subsidised += status == "COUNTED"
        amount += unit
        lines.append(Line(trainee.number, trainee.rank, status, unit))
    return Entitlement(eligible, subsidised, amount, tuple(lines))


def _rank(trainee: Trainee) -> tuple[int, int]:
    return trainee.rank, trainee.number


def own_terms(versions: tuple[Terms, ...], trainee: Trainee) -> Terms:
    """The terms that a trainee is judged by: those in force on the day of the selection."""
    return next((terms for terms in reversed(versions[1:]) if terms.takes_effect_on <= trainee.retained_on), versions[0])


def _own(versions: tuple[Terms, ...], trainee: Trainee) -> tuple[Terms, int]:
    """The terms that a trainee is judged by, and the highest cap from the selection on."""
    if len(versions) == 1:
        return versions[0], versions[0].cap
    own = own_terms(versions, trainee)
    return own, max(terms.cap for terms in versions[versions.index(own) :])


def _status(trainee: Trainee, terms: Terms, training: Training | None, policy: str | None) -> str:
    if trainee.excluded_on is not None:
        return "EXCLUDED"
    if trainee.verified_on is None:
        return "RESIDENCE_UNVERIFIED" if not _withdrew(trainee, training) else "WITHDRAWN"
    if department_of(trainee.insee) != terms.department:
        return "OUTSIDE_DEPARTMENT"
    return _status_after_leaving(trainee, training, policy) if trainee.left_on else "COUNTED"


def _withdrew(trainee: Trainee, training: Training | None) -> bool:
    """Whether the trainee left before the training began: that never counts."""
    return trainee.left_on is not None and (training is None or trainee.left_on < training.starts_on)


def _status_after_leaving(trainee: Trainee, training: Training | None, policy: str | None) -> str:
    if _withdrew(trainee, training):
        return "WITHDRAWN"
    if policy is None:
        return "POLICY_REQUIRED"
    if policy == "none":
        return "DROPPED_OUT"
    return "HOURS_REQUIRED" if policy == "prorata" and trainee.hours_done is None else "COUNTED"


def _unit(trainee: Trainee, terms: Terms, training: Training | None, policy: str | None) -> Decimal:
    unit = unit_for(trainee, terms)
    if trainee.left_on is None or policy != "prorata" or trainee.hours_done is None or training is None:
        return unit
    done = min(trainee.hours_done, training.hours)
    return (unit * done / training.hours).quantize(CENT, ROUND_HALF_UP)


def tied_at_cap(due: Entitlement) -> tuple[int, ...]:
    """The numbers of the eligible trainees who share a rank on both sides of the cap."""
    lines = [line for line in due.lines if line.status in ELIGIBLE]
    split = {line.rank for line in lines if line.counted} & {line.rank for line in lines if not line.counted}
    return tuple(line.trainee for line in lines if line.rank in split)


def without(partnership: Partnership, trainee: int, on: date) -> Partnership:
    """The dossier in which that trainee is found ineligible on `on`."""
    return partnership._replace(
        trainees=tuple(other._replace(excluded_on=on) if other.number == trainee else other for other in partnership.trainees)
    )


def overpaid(partnership: Partnership) -> Decimal:
    """Euros that were paid beyond what the facts give now, less what was already ordered back."""
    settlement = partnership.settlement
    if settlement is None or settlement.paid is None:
        return NOTHING
    ordered_back = sum((recovery.amount for recovery in partnership.recoveries), NOTHING)
    return max(NOTHING, settlement.paid - entitlement(partnership, settlement.certified_on).amount - ordered_back)


def open_recoveries(partnership: Partnership) -> tuple[Recovery, ...]:
    """What was ordered back and has not come yet."""
    return tuple(recovery for recovery in partnership.recoveries if recovery.recovered_on is None)
