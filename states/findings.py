"""What a person should know about a dossier as it stands: the warnings of its steps and what the facts themselves show."""

from __future__ import annotations

from collections.abc import Iterator

from states.calculation import entitlement
from states.facts import Finding, Partnership, Severity
from states.french import euros
from states.guard import Case, Needs, Reason
from states.lifecycle import GUARDS


def rates_exceed_fees(partnership: Partnership) -> Iterator[Finding]:
    """Under the flat rate, a subsidised trainee may cost more than the university's own fee (resolution of 9 December 2025)."""
    terms = partnership.terms_in_force
    if terms.amount_mode != "flat" or not (terms.fee_continuing or terms.fee_initial):
        return
    counted = {line.trainee for line in entitlement(partnership).lines if line.status == "COUNTED"}
    for trainee in partnership.trainees:
        fee = terms.fee(trainee.fee_regime)
        if trainee.number in counted and fee is not None and terms.rate > fee:
            yield Finding(
                "RATE_EXCEEDS_FEE",
                str(trainee.number),
                Severity.WARN,
                f"Stagiaire n° {trainee.number} : le forfait de {euros(terms.rate)} dépasse le tarif de l’université ({euros(fee)}).",
            )


def remainder_is_unclaimed(partnership: Partnership) -> Iterator[Finding]:
    """An invoice below the entitlement is paid at its amount; the rest stays unclaimed."""
    settlement = partnership.settlement
    if settlement is not None and settlement.settled < settlement.entitlement:
        rest = euros(settlement.entitlement - settlement.settled)
        yield Finding("UNCLAIMED", "", Severity.WARN, f"La facture est inférieure au droit à subvention : {rest} ne sont pas réclamés.")


STANDING = (rates_exceed_fees, remainder_is_unclaimed)


def of_warning(reason: Reason, trigger: str) -> Finding:
    """The finding that a warning leaves behind."""
    return Finding(reason.code, trigger, reason.severity, reason.reason)


def after(case: Case, partnership: Partnership, warnings: tuple[Reason, ...]) -> tuple[Finding, ...]:
    """All findings of `partnership` once the step of `case` is done."""
    kept = {(one.code, one.subject): one for one in partnership.findings if one.code in GUARDS and _still_true(one, case, partnership)}
    for reason in warnings:
        kept[reason.code, case.trigger] = of_warning(reason, case.trigger)
    return (*kept.values(), *standing(partnership))


def standing(partnership: Partnership) -> tuple[Finding, ...]:
    """The findings that the facts themselves show, whatever the path that led to them."""
    return tuple(one for rule in STANDING for one in rule(partnership))


def _still_true(finding: Finding, case: Case, partnership: Partnership) -> bool:
    """A warning about the dossier goes with its cause; one about a past request stays."""
    rule = GUARDS[finding.code]
    return rule.needs is not Needs.DOSSIER or rule.judge(case._replace(partnership=partnership)) is not None
