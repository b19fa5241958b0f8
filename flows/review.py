"""The check of one dossier: the proof is made, then what changed rules find is recorded. Needs no Prefect."""

from __future__ import annotations

from typing import NamedTuple

from flows.home import Home
from flows.ports.clock import now
from models.people.register import CLOCK
from states.dossier.requests import Review
from states.engine import findings
from states.grammar.deadlines import paris_day
from states.lifecycle import REVIEW
from states.payment.calculation import entitlement
from states.values.french import counted, euros


class Checked(NamedTuple):
    """What a check found: `holds` is false when the journal or the facts do not; `message` is a French sentence."""

    holds: bool
    message: str


def check(home: Home, reference: str) -> Checked:
    """Check one dossier. Raises Invalid when there is none of that reference, Unreachable."""
    verified = home.verifier.verify(reference)
    if verified.faults:
        return Checked(holds=False, message=" ".join(verified.faults))
    partnership = home.views.partnership(reference)
    if {finding for finding in partnership.findings if finding.code in findings.STANDING_CODES} != set(findings.standing(partnership)):
        key = f"review:{reference}:{partnership.version}"
        home.ledger.fire(reference, REVIEW.trigger, Review(reviewed_on=None), actor=CLOCK, at=now(), key=key, via="checks")
        partnership = home.views.partnership(reference)
    due = entitlement(partnership, paris_day(now()))
    parts = (
        counted(verified.entries, "entrée vérifiée", "entrées vérifiées"),
        f"droit à subvention {euros(due.amount)} ({counted(due.subsidised, 'stagiaire', 'stagiaires')})",
        counted(len(partnership.findings), "constat", "constats"),
    )
    return Checked(holds=True, message=f"{' ; '.join(parts)}.")
