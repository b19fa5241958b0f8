"""What the convention demands of an invoice."""

from __future__ import annotations

import re

from states.grammar.case import Case
from states.grammar.guard import guard
from states.payment.calculation import UNDECIDED, entitlement
from states.values.french import counted, day, euros
from states.values.law import HOUSE, PAYEE
from states.vocabulary import Role


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
    return f"Le SIRET {case.request.supplier_siret} n’est pas celui de l’université partenaire ({university.name}, {university.siret})."


@guard("IBAN_DIFFERS", clears=Role.FINANCE_OFFICER, source=PAYEE)
def iban_is_that_of_the_convention(case: Case) -> str | None:
    """L’IBAN de la facture, s’il y en a un, est celui que la convention fixe, ou le dernier confirmé."""
    if case.request.iban in (None, case.partnership.payee[1]):
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
    due = case.once(entitlement)
    if case.request.amount <= due.amount or any(line.status in UNDECIDED for line in due.lines):
        return None  # what is due for somebody who left is decided before the settlement, which compares again
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
