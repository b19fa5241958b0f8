"""Which named constraint a database objected with, and what a person reads of it."""

from __future__ import annotations

from models.database.faults import cause_of
from models.database.store import Store


def violated(store: Store, fault: Exception) -> str | None:
    """The name of the constraint of a database that `fault` is about, or None when it is another fault."""
    return store.dialect.constraint(cause_of(fault))


# The rule that a constraint repeats, by its code, where there is one.
RULES = {
    "uq_identities_person": "TRAINEE_ALREADY_RETAINED",
    "uq_invoices_supplier_number": "DUPLICATE",
    "uq_invoices_supplier_document": "DUPLICATE",
    "ck_settlements_three_people": "SAME_PERSON",
    "ck_recoveries_two_people": "RECOVERY_SAME_PERSON",
    "ck_payee_changes_two_people": "PAYEE_SAME_PERSON",
}
# What a person reads when the database itself has refused.
SENTENCES = {
    "uq_partnerships_reference": "Un dossier porte déjà cette référence.",
    "uq_identities_person": "Cette personne est déjà retenue dans ce dossier.",
    "uq_invoices_supplier_number": "Une facture de ce fournisseur porte déjà ce numéro, dans ce dossier ou dans un autre.",
    "uq_invoices_supplier_document": "Ce fichier de facture a déjà été reçu, dans ce dossier ou dans un autre.",
    "uq_settlements_invoice": "Cette facture a déjà été liquidée.",
    "ck_settlements_ceiling": "Le droit à subvention dépasse le plafond de la convention.",
    "ck_settlements_settled": "La somme liquidée dépasse la facture ou le droit à subvention.",
    "ck_settlements_ordered": "La somme mandatée dépasse la somme liquidée.",
    "ck_settlements_paid": "La somme payée dépasse la somme mandatée.",
    "ck_settlements_three_people": "Certifier, mandater et payer sont le fait de trois personnes différentes.",
    "ck_recoveries_two_people": "Ordonner une récupération et constater l’encaissement sont le fait de deux personnes différentes.",
    "ck_payee_changes_two_people": "Un changement de compte est confirmé par une autre personne que celle qui l’a proposé.",
    "ck_trainings_ended": "La formation ne peut pas finir avant d’avoir commencé.",
}
