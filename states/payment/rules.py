"""What the convention and the public accounts demand of a settlement, an order and a payment."""

from __future__ import annotations

from datetime import date

from states.grammar.case import Case
from states.grammar.guard import Needs, guard
from states.partnership import Partnership
from states.payment.calculation import UNDECIDED, entitlement, in_force
from states.values.french import day, euros, listed
from states.values.law import EXTRA_MONTHS, PRESCRIPTION, PRESCRIPTION_YEARS, SEPARATION, YEARLY
from states.vocabulary import Role, Severity


def _by_the_terms(partnership: Partnership, on: date) -> Severity:
    return Severity(in_force(partnership, on)[-1].result_policy)


@guard(
    "RESULT_NOT_PRESENTED",
    needs=Needs.DOSSIER,
    clears="l’université, qui le présente ; le responsable finances le consigne",
    weigh=_by_the_terms,
    reads=("trainings", "terms"),
)
def result_is_presented(case: Case) -> str | None:
    """Le résultat d’exploitation est présenté à la date de l’étape (blocage, alerte ou rien, selon la convention)."""
    training = case.partnership.training
    if training is not None and training.presented_on is not None and training.presented_on <= case.effective_on:
        return None
    return "Le résultat d’exploitation de la formation n’a pas été présenté."


@guard("INVOICE_ABOVE_ENTITLEMENT", needs=Needs.DOSSIER, clears=Role.FINANCE_OFFICER)
def invoice_is_still_within_entitlement(case: Case) -> str | None:
    """Au moment de liquider, la facture ne dépasse toujours pas le droit à subvention."""
    invoice, due = case.partnership.invoice, case.once(entitlement)
    if invoice is None or invoice.amount <= due.amount or any(line.status in UNDECIDED for line in due.lines):
        return None  # What is due for somebody who left may not be known yet: POLICY_REQUIRED and HOURS_REQUIRED say so.
    return (
        f"La facture de {euros(invoice.amount)} dépasse maintenant le droit à subvention de {euros(due.amount)} : "
        "rejetez-la et attendez-en une autre."
    )


@guard("PRESCRIBED", clears="personne : la prescription est acquise", source=PRESCRIPTION)
def right_is_not_prescribed(case: Case) -> str | None:
    """Un droit est prescrit quatre années pleines après celle où il est né : celui de l’année N, le 1er janvier N+5."""
    training = case.partnership.training
    if training is None or training.ended_on is None:
        return None
    barred_on = date(training.ended_on.year + PRESCRIPTION_YEARS.value + 1, 1, 1)
    if case.effective_on < barred_on:
        return None
    return f"La créance de l’année {training.ended_on.year} est prescrite depuis le {day(barred_on)} : elle ne peut plus être mandatée."


@guard("FISCAL_YEAR_DIFFERS", clears=Role.AUTHORISING_OFFICER, source=YEARLY)
def fiscal_year_is_that_of_the_order(case: Case) -> str | None:
    """L’exercice est celui de l’année du mandat, ou l’année d’avant pendant la journée complémentaire (janvier)."""
    year, day_ordered = case.request.fiscal_year, case.effective_on
    if year == day_ordered.year or (year == day_ordered.year - 1 and day_ordered.month <= EXTRA_MONTHS.value):
        return None
    return f"Un mandat du {day(day_ordered)} ne peut pas porter sur l’exercice {year}."


@guard("SAME_PERSON", needs=Needs.ACTOR, clears="une autre personne du même rôle", source=SEPARATION)
def certifier_orderer_and_payer_differ(case: Case) -> str | None:
    """Certifier, mandater et payer sont le fait de trois personnes différentes."""
    settlement = case.partnership.settlement
    if settlement is None or case.actor is None:
        return None
    paying = settlement.ordered_by is not None
    certified, ordered = {settlement.certified_by, settlement.certified_for}, {settlement.ordered_by, settlement.ordered_for}
    acting = [name for name in (case.actor.name, case.on_behalf_of) if name is not None]
    for name in acting:
        did = ["certifié"] if name in certified else []
        did += ["mandaté"] if paying and name in ordered else []
        if did:
            return f"{name} a déjà {listed(did)} cette somme : une autre personne doit la {'payer' if paying else 'mandater'}."
    return None


@guard("AMOUNT_DIFFERS", clears=Role.PUBLIC_ACCOUNTANT)
def payment_is_the_amount_ordered(case: Case) -> str | None:
    """La somme payée est celle du mandat."""
    settlement = case.partnership.settlement
    if settlement is None or settlement.ordered is None or case.request.amount == settlement.ordered:
        return None
    return f"Le paiement de {euros(case.request.amount)} diffère du mandat de {euros(settlement.ordered)}."


@guard("PAID_BEFORE_ORDER", clears=Role.PUBLIC_ACCOUNTANT, source=SEPARATION)
def payment_follows_the_order(case: Case) -> str | None:
    """Le paiement suit le mandat."""
    settlement = case.partnership.settlement
    if settlement is None or settlement.ordered_on is None or case.effective_on >= settlement.ordered_on:
        return None
    return f"Le paiement du {day(case.effective_on)} précède le mandat du {day(settlement.ordered_on)}."


@guard("ENTITLEMENT_NOT_NIL", needs=Needs.DOSSIER, clears=Role.FINANCE_OFFICER)
def entitlement_is_nil(case: Case) -> str | None:
    """Aucune subvention n’est due."""
    due = case.once(entitlement)
    return None if due.amount == 0 else f"Une subvention de {euros(due.amount)} est due : le dossier ne peut pas être clos sans paiement."
