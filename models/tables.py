"""The schema, and with it the invariants: the database refuses what the rules should already have refused.

Euros are integer cents, legal dates ISO text, instants ISO text in UTC: the same bytes on SQLite and PostgreSQL.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from states.facts import Role, State

SCHEMA = "0002"  # the newest migration; a test compares it with models/migrations

metadata = MetaData()
Big = BigInteger().with_variant(Integer, "sqlite")  # STRICT tables of SQLite know INTEGER only


def _day(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable, info={"is_a_day": f"{name} LIKE '____-__-__'"})


def _text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Integer, nullable=nullable)


def _truth(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, info={"is_a_truth": f"{name} IN (0, 1)"})


def _cents(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(f"{name}_cents", Big, nullable=nullable, info={"is_not_negative": f"{name}_cents >= 0"})


def _check(name: str, truth: str) -> CheckConstraint:
    return CheckConstraint(truth, name=name)


def _one_of(name: str, column: str, values: tuple[str, ...]) -> CheckConstraint:
    return _check(name, f"{column} IN ({', '.join(repr(value) for value in values)})")


def _table(name: str, *parts: Any) -> Table:
    """A strict table; what a column promises (`info`) becomes a named constraint of the table."""
    checks = [
        _check(f"ck_{name}_{part.name}_{promise}", truth)
        for part in parts
        if isinstance(part, Column)
        for promise, truth in part.info.items()
    ]
    return Table(name, metadata, *parts, *checks, sqlite_strict=True)


def _of_dossier(name: str, *parts: Any) -> Table:
    """A table of facts of a dossier: each row is known by the dossier and its number in it."""
    return _table(
        name,
        Column("partnership_id", Big, ForeignKey("partnerships.id", name=f"fk_{name}_partnership"), nullable=False),
        _number("number"),
        *parts,
        PrimaryKeyConstraint("partnership_id", "number", name=f"pk_{name}"),
    )


partnerships = _table(
    "partnerships",
    Column("id", Big, primary_key=True),
    _text("reference"),
    _number("imported"),
    _text("state"),
    _number("version"),
    _number("n"),
    _text("head"),
    _day("entered_on", nullable=True),
    _text("pepper"),
    UniqueConstraint("reference", name="uq_partnerships_reference"),
    _one_of("ck_partnerships_state", "state", tuple(state.value for state in State if state is not State.UNOPENED)),
    _check("ck_partnerships_imported", "imported IN (0, 1)"),
    _check("ck_partnerships_version", "version >= 1 AND n >= version"),
)
Index("ix_partnerships_state", partnerships.c.state)

parties = _of_dossier(
    "parties",
    _text("side"),
    _text("name"),
    _text("siret"),
    _text("department", nullable=True),
    _text("calendar", nullable=True),
    _text("payee_holder", nullable=True),
    _text("payee_iban", nullable=True),
    _one_of("ck_parties_side", "side", ("cdg", "university")),
)

terms = _of_dossier(
    "terms",
    _text("academic_year"),
    _day("year_starts_on"),
    _day("year_ends_on"),
    _cents("rate"),
    _number("cap"),
    _text("department"),
    _text("amount_mode"),
    _cents("fee_continuing", nullable=True),
    _cents("fee_initial", nullable=True),
    _text("quorum_rule"),
    _text("result_policy"),
    _day("takes_effect_on"),
    _text("dropout_policy", nullable=True),
    _truth("proxies_count"),
    _truth("quorum_verified"),
    _number("payee_cooling_days"),
    _text("nature"),
    _number("payment_days"),
    _one_of("ck_terms_dropout_policy", "dropout_policy", ("full", "prorata", "none")),
    _one_of("ck_terms_nature", "nature", ("subsidy", "service")),
    _check("ck_terms_days", "payee_cooling_days >= 0 AND payment_days >= 0"),
    _check("ck_terms_positive", "rate_cents > 0 AND cap > 0"),
    _check("ck_terms_year", "year_starts_on < year_ends_on"),
)

acts = _of_dossier(
    "acts",
    _text("trigger"),
    _text("kind", nullable=True),
    _day("held_on"),
    _text("act_number", nullable=True),
    _number("item", nullable=True),
    _number("seats", nullable=True),
    _text("present", nullable=True),
    _text("absent", nullable=True),
    _text("excused"),
    _text("alternates"),
    _text("proxies"),
    _truth("reconvened"),
    _text("chair", nullable=True),
    _text("secretary", nullable=True),
    _number("votes_for", nullable=True),
    _number("votes_against", nullable=True),
    _number("abstentions", nullable=True),
    _day("transmitted_on", nullable=True),
    _text("receipt_number", nullable=True),
    _day("published_on", nullable=True),
    _text("publication_address", nullable=True),
    _check("ck_acts_counts", "seats > 0 AND votes_for >= 0 AND votes_against >= 0 AND abstentions >= 0"),
    _check("ck_acts_transmitted", "(transmitted_on IS NULL) = (receipt_number IS NULL)"),
    _check("ck_acts_published", "(published_on IS NULL) = (publication_address IS NULL)"),
    _check("ck_acts_order", "transmitted_on >= held_on AND published_on >= held_on"),
    _one_of("ck_acts_kind", "kind", ("principle", "authorisation", "ratification", "amendment")),
)

appeals = _of_dossier(
    "appeals",
    _number("act"),
    _text("by"),
    _day("lodged_on"),
    _day("decided_on", nullable=True),
    _one_of("ck_appeals_by", '"by"', ("third_party", "prefect")),
    _check("ck_appeals_order", "decided_on >= lodged_on"),
)

signatures = _of_dossier(
    "signatures",
    _day("signed_on"),
    _text("document_sha256"),
    _text("cdg_name", nullable=True),
    _text("cdg_title", nullable=True),
    _text("university_name", nullable=True),
    _text("university_title", nullable=True),
    _text("points"),
)

trainings = _of_dossier(
    "trainings",
    _day("starts_on"),
    _day("ends_on"),
    _number("hours"),
    _day("ended_on", nullable=True),
    _text("attestation_sha256", nullable=True),
    _day("presented_on", nullable=True),
    _text("result_sha256", nullable=True),
    _check("ck_trainings_order", "starts_on <= ends_on AND hours > 0"),
    _check("ck_trainings_ended", "ended_on IS NULL OR ended_on >= starts_on"),
)

committees = _of_dossier("committees", _day("held_on"), _text("minutes_sha256"))

trainees = _of_dossier(
    "trainees",
    _number("rank"),
    _text("fee_regime"),
    _text("insee"),
    _day("retained_on"),
    _day("verified_on", nullable=True),
    _text("verified_by", nullable=True),
    _text("evidence_kind", nullable=True),
    _day("moved_on", nullable=True),
    _text("moved_to", nullable=True),
    _day("left_on", nullable=True),
    _number("hours_done", nullable=True),
    _text("left_because", nullable=True),
    _day("excluded_on", nullable=True),
    _text("commitment"),
    _check("ck_trainees_rank", '"rank" >= 1'),
    _check("ck_trainees_moved", "(moved_on IS NULL) = (moved_to IS NULL)"),
    _check(
        "ck_trainees_left",
        "(left_on IS NULL) = (left_because IS NULL) AND (hours_done IS NULL OR (hours_done >= 0 AND left_on IS NOT NULL))",
    ),
    _one_of("ck_trainees_regime", "fee_regime", ("continuing", "initial")),
    _check("ck_trainees_verified", "(verified_on IS NULL) = (verified_by IS NULL)"),
)

# The one table with names of trainees in it: erase a row and nobody is left in the dossier but a number.
identities = _table(
    "identities",
    Column("partnership_id", Big, nullable=False),
    _number("trainee"),
    _text("family_name"),
    _text("given_name"),
    _day("born_on"),
    _text("salt"),
    _text("digest"),
    PrimaryKeyConstraint("partnership_id", "trainee", name="pk_identities"),
    UniqueConstraint("partnership_id", "digest", name="uq_identities_person"),
)

invoices = _of_dossier(
    "invoices",
    _text("invoice_number"),
    _text("normalised_number"),
    _day("issued_on"),
    _cents("amount"),
    _text("currency"),
    _text("supplier_siret"),
    _text("iban", nullable=True),
    _text("document_sha256"),
    _text("status"),
    _one_of("ck_invoices_status", "status", ("received", "suspended", "rejected")),
    _check("ck_invoices_currency", "currency = 'EUR'"),
    # Rejected ones count too: a corrected invoice is another paper with another number.
    UniqueConstraint("supplier_siret", "normalised_number", name="uq_invoices_supplier_number"),
    UniqueConstraint("supplier_siret", "document_sha256", name="uq_invoices_supplier_document"),
)

settlements = _of_dossier(
    "settlements",
    _number("invoice"),
    _cents("ceiling"),
    _cents("entitlement"),
    _cents("invoiced"),
    _cents("settled"),
    _text("lines"),
    _day("certified_on"),
    _text("certified_by"),
    _text("certified_for", nullable=True),
    _text("order_number", nullable=True),
    _text("slip_number", nullable=True),
    _number("fiscal_year", nullable=True),
    _cents("ordered", nullable=True),
    _day("ordered_on", nullable=True),
    _text("ordered_by", nullable=True),
    _text("ordered_for", nullable=True),
    _cents("paid", nullable=True),
    _day("paid_on", nullable=True),
    _text("paid_by", nullable=True),
    _text("paid_for", nullable=True),
    _text("accounting_reference", nullable=True),
    UniqueConstraint("partnership_id", "invoice", name="uq_settlements_invoice"),
    _check("ck_settlements_ceiling", "entitlement_cents <= ceiling_cents"),
    _check("ck_settlements_settled", "settled_cents <= invoiced_cents AND settled_cents <= entitlement_cents"),
    _check("ck_settlements_ordered", "ordered_cents IS NULL OR ordered_cents <= settled_cents"),
    _check("ck_settlements_paid", "paid_cents IS NULL OR (ordered_cents IS NOT NULL AND paid_cents <= ordered_cents)"),
    _check("ck_settlements_order_whole", "(ordered_cents IS NULL) = (ordered_by IS NULL) AND (paid_cents IS NULL) = (paid_by IS NULL)"),
    _check(
        "ck_settlements_three_people",
        "(ordered_by IS NULL OR ordered_by <> certified_by) AND (paid_by IS NULL OR (paid_by <> certified_by AND paid_by <> ordered_by))",
    ),
)

recoveries = _of_dossier(
    "recoveries",
    _number("trainee"),
    _cents("amount"),
    _text("motive"),
    _text("order_number"),
    _day("ordered_on"),
    _text("ordered_by"),
    _day("recovered_on", nullable=True),
    _text("recovered_by", nullable=True),
    _text("accounting_reference", nullable=True),
    _check("ck_recoveries_amount", "amount_cents > 0"),
    _check("ck_recoveries_whole", "(recovered_on IS NULL) = (recovered_by IS NULL)"),
    _check("ck_recoveries_order", "recovered_on >= ordered_on"),
    _check("ck_recoveries_two_people", "recovered_by <> ordered_by"),
)

payee_changes = _of_dossier(
    "payee_changes",
    _text("holder"),
    _text("iban"),
    _day("proposed_on"),
    _text("proposed_by"),
    _day("called_on", nullable=True),
    _text("contact", nullable=True),
    _day("confirmed_on", nullable=True),
    _text("confirmed_by", nullable=True),
    _day("rejected_on", nullable=True),
    _check("ck_payee_changes_whole", "(confirmed_on IS NULL) = (confirmed_by IS NULL) AND (confirmed_on IS NULL) = (called_on IS NULL)"),
    _check("ck_payee_changes_once", "confirmed_on IS NULL OR rejected_on IS NULL"),
    _check("ck_payee_changes_two_people", "confirmed_by <> proposed_by"),
)

delegations = _of_dossier(
    "delegations",
    _text("role"),
    _text("giver"),
    _text("holder"),
    _day("starts_on"),
    _day("ends_on"),
    _check("ck_delegations_order", "starts_on <= ends_on"),
    _check("ck_delegations_two_people", "giver <> holder"),
)

documents = _of_dossier("documents", _text("title"), _text("sha256"), _day("attached_on"))

findings = _table(
    "findings",
    Column("id", Big, primary_key=True),
    Column("partnership_id", Big, ForeignKey("partnerships.id", name="fk_findings_partnership"), nullable=False),
    _text("code"),
    _text("subject"),
    _text("severity"),
    _text("reason"),
    _text("source"),
    _text("opened_at"),
    _text("resolved_at", nullable=True),
)
Index(
    "uq_findings_open",
    findings.c.partnership_id,
    findings.c.code,
    findings.c.subject,
    unique=True,
    sqlite_where=text("resolved_at IS NULL"),
    postgresql_where=text("resolved_at IS NULL"),
)

# One canonical entry and its digest; triggers refuse every change (see the first migration).
journal = _table(
    "journal",
    Column("id", Big, primary_key=True),
    Column("partnership_id", Big, ForeignKey("partnerships.id", name="fk_journal_partnership"), nullable=False),
    _number("n"),
    _text("key", nullable=True),
    _text("input_digest"),
    _text("entry"),
    _text("digest"),
    UniqueConstraint("partnership_id", "n", name="uq_journal_n"),
    UniqueConstraint("key", name="uq_journal_key"),
    _check("ck_journal_digest", "length(digest) = 64 AND n >= 1"),
)

outbox = _table(
    "outbox",
    Column("id", Big, primary_key=True),
    Column("partnership_id", Big, ForeignKey("partnerships.id", name="fk_outbox_partnership"), nullable=False),
    _number("n"),
    _text("key"),
    _text("kind"),
    _text("role", nullable=True),
    _number("attempts"),
    _text("due_at"),
    _text("lease", nullable=True),
    _text("sent_at", nullable=True),
    _text("dead_at", nullable=True),
    _text("fault", nullable=True),
    UniqueConstraint("key", name="uq_outbox_key"),
    _one_of("ck_outbox_kind", "kind", ("tell", "check")),
    _check("ck_outbox_role", "(kind = 'tell') = (role IS NOT NULL)"),
)
Index(
    "ix_outbox_waiting",
    outbox.c.due_at,
    sqlite_where=text("sent_at IS NULL AND dead_at IS NULL"),
    postgresql_where=text("sent_at IS NULL AND dead_at IS NULL"),
)

people = _table(
    "people",
    Column("id", Big, primary_key=True),
    _text("name"),
    _text("folded"),
    _text("mail"),
    UniqueConstraint("folded", name="uq_people_name"),
)

people_roles = _table(
    "people_roles",
    Column("person_id", Big, ForeignKey("people.id", name="fk_people_roles_person"), nullable=False),
    _text("role"),
    PrimaryKeyConstraint("person_id", "role", name="pk_people_roles"),
    _one_of("ck_people_roles_role", "role", tuple(role.value for role in Role if role is not Role.CLOCK)),
)

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
