"""Which named constraint a database objected with, on both drivers."""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError

from models.tables.dossier import partnerships

# SQLite names the columns of a unique constraint, not the constraint.
UNIQUE_COLUMNS = {
    ", ".join(f"{table.name}.{column.name}" for column in unique.columns): str(unique.name)
    for table in partnerships.metadata.tables.values()
    for unique in (*table.constraints, *table.indexes)
    if (isinstance(unique, UniqueConstraint | PrimaryKeyConstraint) and unique.name) or (isinstance(unique, Index) and unique.unique)
}


def violated(fault: Exception) -> str | None:
    """The name of the constraint that `fault` is about, or None when it is another fault."""
    cause = fault.orig if isinstance(fault, DBAPIError) and fault.orig is not None else fault
    if isinstance(cause, sqlite3.IntegrityError):
        found = re.fullmatch(r"(CHECK|UNIQUE) constraint failed: (.+)", str(cause))
        return UNIQUE_COLUMNS.get(found[2], found[2]) if found else None
    name = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return str(name) if name else None


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
