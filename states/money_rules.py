"""What the convention and the public accounts demand of an invoice, a settlement, an order and a payment."""

from __future__ import annotations

import re
from datetime import date

from states.calculation import entitlement, tied_at_cap
from states.facts import Partnership, Role, Severity
from states.french import counted, day, euros, listed
from states.guard import HOUSE, Case, Needs, Source, guard

SEPARATION = Source("Séparation de l’ordonnateur et du comptable, décret n° 2012-1246 du 7 novembre 2012, art. 9", verified=False)
FOUR_YEARS = Source("Prescription quadriennale, loi n° 68-1250 du 31 décembre 1968, art. 1er", verified=True)
YEARLY = Source("Annualité budgétaire et journée complémentaire, CGCT art. L1612-11", verified=False)
PAYEE = Source("Compte fixé par la convention ; un changement d’IBAN demande deux personnes", verified=True)


def normalised(invoice_number: str) -> str:
    """An invoice number without case, leading zeros or kinds of separator: « f-0012 » and « F 12 » are one, « F-1-2 » is not."""
    groups = re.findall(r"[^\W_]+", invoice_number.upper())
    return "-".join(group.lstrip("0") or "0" for group in groups) or invoice_number


@guard("INVOICE_BEFORE_TRAINING_END", clears=Role.UNIVERSITY_REFERENT)
def invoice_follows_the_training(case: Case) -> str | None:
    """La facture est présentée au terme de la formation."""
    training = case.partnership.training
    if training is None or training.ended_on is None or case.request.issued_on >= training.ended_on:
        return None
    return f"La facture est datée du {day(case.request.issued_on)}, avant la fin de la formation ({day(training.ended_on)})."


@guard("SUPPLIER_IS_NOT_PARTNER", clears=Role.FINANCE_OFFICER)
def supplier_is_the_university(case: Case) -> str | None:
    """La facture vient de l’université de la convention."""
    university = case.partnership.university
    if case.request.supplier_siret == university.siret:
        return None
    return f"Le SIRET {case.request.supplier_siret} n’est pas celui de {university.name} ({university.siret})."


@guard("IBAN_DIFFERS", clears=Role.FINANCE_OFFICER, source=PAYEE)
def iban_is_that_of_the_convention(case: Case) -> str | None:
    """L’IBAN de la facture, s’il y en a un, est celui que la convention fixe."""
    if case.request.iban in (None, case.partnership.university.payee_iban):
        return None
    return (
        "L’IBAN écrit sur la facture n’est pas celui que la convention fixe : appelez l’université à un numéro que vous connaissiez déjà."
    )


@guard("DUPLICATE", clears=Role.FINANCE_OFFICER, source=HOUSE)
def invoice_is_new(case: Case) -> str | None:
    """Une facture ne se reçoit qu’une fois : ni le même numéro, ni le même fichier, même après un rejet."""
    for invoice in case.partnership.invoices:
        if invoice.normalised_number == normalised(case.request.number):
            return f"La facture {case.request.number} a déjà été reçue dans ce dossier."
        if invoice.document_sha256 == case.request.document_sha256:
            return f"Ce fichier a déjà été reçu dans ce dossier, sous le numéro {invoice.invoice_number}."
    return None


@guard("AMOUNT_EXCEEDS_ENTITLEMENT", clears=Role.UNIVERSITY_REFERENT)
def amount_is_within_entitlement(case: Case) -> str | None:
    """La facture ne dépasse pas le droit à subvention calculé."""
    due = entitlement(case.partnership)
    if case.request.amount <= due.amount:
        return None
    return (
        f"La facture de {euros(case.request.amount)} dépasse le droit à subvention de {euros(due.amount)} "
        f"({counted(due.subsidised, 'stagiaire subventionné', 'stagiaires subventionnés')})."
    )


@guard("AMOUNT_IS_NIL", clears=Role.UNIVERSITY_REFERENT, source=HOUSE)
def amount_is_not_nil(case: Case) -> str | None:
    """Une facture demande une somme."""
    return None if case.request.amount > 0 else "La facture est de 0,00 € : il n’y a rien à payer."


@guard("CURRENCY", clears=Role.UNIVERSITY_REFERENT)
def currency_is_euro(case: Case) -> str | None:
    """La facture est en euros."""
    return None if case.request.currency == "EUR" else f"La facture est en {case.request.currency} : seul l’euro est accepté."


@guard("CREDIT_NOTE", clears=Role.UNIVERSITY_REFERENT)
def paper_is_an_invoice(case: Case) -> str | None:
    """La pièce est une facture, pas un avoir."""
    return None if case.request.kind == "invoice" else "Cette pièce est un avoir : une facture est attendue."


@guard("MOTIVE_REQUIRED", source=HOUSE)
def motive_is_given(case: Case) -> str | None:
    """Une décision défavorable porte son motif."""
    return None if case.request.motive else "Un motif est obligatoire."


@guard("RESIDENCE_UNVERIFIED", needs=Needs.DOSSIER, clears=Role.TRAINING_OFFICER)
def residences_are_verified(case: Case) -> str | None:
    """La résidence de chaque stagiaire retenu est vérifiée."""
    missing = [f"n° {one.number}" for one in case.partnership.trainees if one.verified_on is None]
    if not missing:
        return None
    shown = listed(missing) if len(missing) <= 12 else f"{', '.join(missing[:12])} et {counted(len(missing) - 12, 'autre', 'autres')}"
    return f"La résidence n’est pas vérifiée pour {'le stagiaire' if len(missing) == 1 else 'les stagiaires'} {shown}."


@guard("RANK_TIE", needs=Needs.DOSSIER, clears=Role.TRAINING_OFFICER)
def ranks_decide_at_the_cap(case: Case) -> str | None:
    """Au plafond, les rangs départagent les stagiaires."""
    tied = tied_at_cap(case.partnership)
    if not tied:
        return None
    return f"Les stagiaires {listed([f'n° {number}' for number in tied])} ont le même rang au plafond : la sélection doit les départager."


def _by_the_terms(partnership: Partnership) -> Severity:
    return Severity(partnership.terms_in_force.result_policy)


@guard("RESULT_NOT_PRESENTED", needs=Needs.DOSSIER, clears=Role.UNIVERSITY_REFERENT, weigh=_by_the_terms)
def result_is_presented(case: Case) -> str | None:
    """Le résultat d’exploitation est présenté (blocage, alerte ou rien, selon la convention)."""
    training = case.partnership.training
    if training is not None and training.presented_on is not None:
        return None
    return "Le résultat d’exploitation de la formation n’a pas été présenté."


@guard("INVOICE_ABOVE_ENTITLEMENT", needs=Needs.DOSSIER, clears=Role.FINANCE_OFFICER)
def invoice_is_still_within_entitlement(case: Case) -> str | None:
    """Au moment de liquider, la facture ne dépasse toujours pas le droit à subvention."""
    invoice, due = case.partnership.invoice, entitlement(case.partnership)
    if invoice is None or invoice.amount <= due.amount:
        return None
    return (
        f"La facture de {euros(invoice.amount)} dépasse maintenant le droit à subvention de {euros(due.amount)} : "
        "rejetez-la et attendez-en une autre."
    )


@guard("PRESCRIBED", clears="personne : la prescription est acquise", source=FOUR_YEARS)
def right_is_not_prescribed(case: Case) -> str | None:
    """Un droit de l’année N est prescrit le 1er janvier N+5."""
    training = case.partnership.training
    if training is None or training.ended_on is None:
        return None
    barred_on = date(training.ended_on.year + 5, 1, 1)
    if case.effective_on < barred_on:
        return None
    return f"La créance de l’année {training.ended_on.year} est prescrite depuis le {day(barred_on)} : elle ne peut plus être mandatée."


@guard("FISCAL_YEAR_DIFFERS", clears=Role.AUTHORISING_OFFICER, source=YEARLY)
def fiscal_year_is_that_of_the_order(case: Case) -> str | None:
    """L’exercice est celui de l’année du mandat, ou l’année d’avant pendant la journée complémentaire (janvier)."""
    year, day_ordered = case.request.fiscal_year, case.effective_on
    if year == day_ordered.year or (year == day_ordered.year - 1 and day_ordered.month == 1):
        return None
    return f"Un mandat du {day(day_ordered)} ne peut pas porter sur l’exercice {year}."


@guard("SAME_PERSON", needs=Needs.ACTOR, clears="une autre personne du même rôle", source=SEPARATION)
def certifier_orderer_and_payer_differ(case: Case) -> str | None:
    """Certifier, mandater et payer sont le fait de trois personnes différentes."""
    settlement = case.partnership.settlement
    if settlement is None or case.actor is None:
        return None
    paying = case.trigger == "pay"
    did = ["certifié"] if settlement.certified_by == case.actor.name else []
    did += ["mandaté"] if paying and settlement.ordered_by == case.actor.name else []
    if not did:
        return None
    return f"{case.actor.name} a déjà {listed(did)} cette somme : une autre personne doit la {'payer' if paying else 'mandater'}."


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
    due = entitlement(case.partnership)
    return None if due.amount == 0 else f"Une subvention de {euros(due.amount)} est due : le dossier ne peut pas être clos sans paiement."
