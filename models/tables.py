"""The schema, and with it the invariants: the database refuses what the rules should already have refused.

Euros are integer cents, legal dates ISO text, instants ISO text in UTC: the same bytes on SQLite and PostgreSQL.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint, text

from models import desk_tables
from models.columns import Big, cents, check, day, number, of_dossier, one_of, table, truth, words
from states.words import Role, State

SCHEMA = "0004"  # the newest migration; a test compares it with models/migrations

partnerships = table(
    "partnerships",
    Column("id", Big, primary_key=True),
    words("reference"),
    number("imported"),
    words("state"),
    number("version"),
    number("n"),
    words("head"),
    day("entered_on", nullable=True),
    words("pepper"),
    UniqueConstraint("reference", name="uq_partnerships_reference"),
    one_of("ck_partnerships_state", "state", tuple(state.value for state in State if state is not State.UNOPENED)),
    check("ck_partnerships_imported", "imported IN (0, 1)"),
    check("ck_partnerships_version", "version >= 1 AND n >= version"),
)
Index("ix_partnerships_state", partnerships.c.state)

parties = of_dossier(
    "parties",
    words("side"),
    words("name"),
    words("siret"),
    words("department", nullable=True),
    words("calendar", nullable=True),
    words("payee_holder", nullable=True),
    words("payee_iban", nullable=True),
    one_of("ck_parties_side", "side", ("cdg", "university")),
)

terms = of_dossier(
    "terms",
    words("academic_year"),
    day("year_starts_on"),
    day("year_ends_on"),
    cents("rate"),
    number("cap"),
    words("department"),
    words("amount_mode"),
    cents("fee_continuing", nullable=True),
    cents("fee_initial", nullable=True),
    words("quorum_rule"),
    words("result_policy"),
    day("takes_effect_on"),
    words("dropout_policy", nullable=True),
    truth("proxies_count"),
    truth("quorum_verified"),
    number("payee_cooling_days"),
    words("nature"),
    number("payment_days"),
    one_of("ck_terms_dropout_policy", "dropout_policy", ("full", "prorata", "none")),
    one_of("ck_terms_nature", "nature", ("subsidy", "service")),
    check("ck_terms_days", "payee_cooling_days >= 0 AND payment_days >= 0"),
    check("ck_terms_positive", "rate_cents > 0 AND cap > 0"),
    check("ck_terms_year", "year_starts_on < year_ends_on"),
)

acts = of_dossier(
    "acts",
    words("trigger"),
    words("kind", nullable=True),
    day("held_on"),
    words("act_number", nullable=True),
    number("item", nullable=True),
    number("seats", nullable=True),
    words("present", nullable=True),
    words("absent", nullable=True),
    words("excused"),
    words("alternates"),
    words("proxies"),
    truth("reconvened"),
    words("chair", nullable=True),
    words("secretary", nullable=True),
    number("votes_for", nullable=True),
    number("votes_against", nullable=True),
    number("abstentions", nullable=True),
    day("transmitted_on", nullable=True),
    words("receipt_number", nullable=True),
    day("published_on", nullable=True),
    words("publication_address", nullable=True),
    check("ck_acts_counts", "seats > 0 AND votes_for >= 0 AND votes_against >= 0 AND abstentions >= 0"),
    check("ck_acts_transmitted", "(transmitted_on IS NULL) = (receipt_number IS NULL)"),
    check("ck_acts_published", "(published_on IS NULL) = (publication_address IS NULL)"),
    check("ck_acts_order", "transmitted_on >= held_on AND published_on >= held_on"),
    one_of("ck_acts_kind", "kind", ("principle", "authorisation", "ratification", "amendment")),
)

appeals = of_dossier(
    "appeals",
    number("act"),
    words("by"),
    day("lodged_on"),
    day("decided_on", nullable=True),
    one_of("ck_appeals_by", '"by"', ("third_party", "prefect")),
    check("ck_appeals_order", "decided_on >= lodged_on"),
)

signatures = of_dossier(
    "signatures",
    day("signed_on"),
    words("document_sha256"),
    words("cdg_name", nullable=True),
    words("cdg_title", nullable=True),
    words("university_name", nullable=True),
    words("university_title", nullable=True),
    words("points"),
)

trainings = of_dossier(
    "trainings",
    day("starts_on"),
    day("ends_on"),
    number("hours"),
    day("ended_on", nullable=True),
    words("attestation_sha256", nullable=True),
    day("presented_on", nullable=True),
    words("result_sha256", nullable=True),
    check("ck_trainings_order", "starts_on <= ends_on AND hours > 0"),
    check("ck_trainings_ended", "ended_on IS NULL OR ended_on >= starts_on"),
)

committees = of_dossier("committees", day("held_on"), words("minutes_sha256"))

trainees = of_dossier(
    "trainees",
    number("rank"),
    words("fee_regime"),
    words("insee"),
    words("declared_insee"),
    day("retained_on"),
    day("verified_on", nullable=True),
    words("verified_by", nullable=True),
    words("evidence_kind", nullable=True),
    day("moved_on", nullable=True),
    words("moved_to", nullable=True),
    day("left_on", nullable=True),
    number("hours_done", nullable=True),
    words("left_because", nullable=True),
    day("excluded_on", nullable=True),
    words("commitment"),
    check("ck_trainees_rank", '"rank" >= 1'),
    check("ck_trainees_moved", "(moved_on IS NULL) = (moved_to IS NULL)"),
    check(
        "ck_trainees_left",
        "(left_on IS NULL) = (left_because IS NULL) AND (hours_done IS NULL OR (hours_done >= 0 AND left_on IS NOT NULL))",
    ),
    one_of("ck_trainees_regime", "fee_regime", ("continuing", "initial")),
    check("ck_trainees_verified", "(verified_on IS NULL) = (verified_by IS NULL)"),
)

# The one table with names of trainees in it: erase a row and nobody is left in the dossier but a number.
identities = table(
    "identities",
    Column("partnership_id", Big, nullable=False),
    number("trainee"),
    words("family_name"),
    words("given_name"),
    day("born_on"),
    words("salt"),
    words("digest"),
    PrimaryKeyConstraint("partnership_id", "trainee", name="pk_identities"),
    UniqueConstraint("partnership_id", "digest", name="uq_identities_person"),
)

invoices = of_dossier(
    "invoices",
    words("invoice_number"),
    words("normalised_number"),
    day("issued_on"),
    day("received_on"),
    cents("amount"),
    words("currency"),
    words("supplier_siret"),
    words("iban", nullable=True),
    words("document_sha256"),
    words("status"),
    one_of("ck_invoices_status", "status", ("received", "suspended", "rejected")),
    check("ck_invoices_currency", "currency = 'EUR'"),
    check("ck_invoices_received", "issued_on <= received_on"),
    # Rejected ones count too: a corrected invoice is another paper with another number.
    UniqueConstraint("supplier_siret", "normalised_number", name="uq_invoices_supplier_number"),
    UniqueConstraint("supplier_siret", "document_sha256", name="uq_invoices_supplier_document"),
)

settlements = of_dossier(
    "settlements",
    number("invoice"),
    cents("ceiling"),
    cents("entitlement"),
    cents("invoiced"),
    cents("settled"),
    words("lines"),
    day("certified_on"),
    words("certified_by"),
    words("certified_for", nullable=True),
    words("order_number", nullable=True),
    words("slip_number", nullable=True),
    number("fiscal_year", nullable=True),
    cents("ordered", nullable=True),
    day("ordered_on", nullable=True),
    words("ordered_by", nullable=True),
    words("ordered_for", nullable=True),
    cents("paid", nullable=True),
    day("paid_on", nullable=True),
    words("paid_by", nullable=True),
    words("paid_for", nullable=True),
    words("accounting_reference", nullable=True),
    UniqueConstraint("partnership_id", "invoice", name="uq_settlements_invoice"),
    check("ck_settlements_ceiling", "entitlement_cents <= ceiling_cents"),
    check("ck_settlements_settled", "settled_cents <= invoiced_cents AND settled_cents <= entitlement_cents"),
    check("ck_settlements_ordered", "ordered_cents IS NULL OR ordered_cents <= settled_cents"),
    check("ck_settlements_paid", "paid_cents IS NULL OR (ordered_cents IS NOT NULL AND paid_cents <= ordered_cents)"),
    check("ck_settlements_order_whole", "(ordered_cents IS NULL) = (ordered_by IS NULL) AND (paid_cents IS NULL) = (paid_by IS NULL)"),
    check(
        "ck_settlements_three_people",
        "(ordered_by IS NULL OR ordered_by <> certified_by) AND (paid_by IS NULL OR (paid_by <> certified_by AND paid_by <> ordered_by))",
    ),
)

recoveries = of_dossier(
    "recoveries",
    number("trainee"),
    cents("amount"),
    words("motive"),
    words("order_number"),
    day("ordered_on"),
    words("ordered_by"),
    words("ordered_for", nullable=True),
    day("recovered_on", nullable=True),
    words("recovered_by", nullable=True),
    words("accounting_reference", nullable=True),
    check("ck_recoveries_amount", "amount_cents > 0"),
    check("ck_recoveries_whole", "(recovered_on IS NULL) = (recovered_by IS NULL)"),
    check("ck_recoveries_order", "recovered_on >= ordered_on"),
    check("ck_recoveries_two_people", "recovered_by <> ordered_by"),
)

payee_changes = of_dossier(
    "payee_changes",
    words("holder"),
    words("iban"),
    day("proposed_on"),
    words("proposed_by"),
    words("proposed_for", nullable=True),
    day("recorded_on"),
    day("called_on", nullable=True),
    words("contact", nullable=True),
    day("confirmed_on", nullable=True),
    words("confirmed_by", nullable=True),
    day("rejected_on", nullable=True),
    check("ck_payee_changes_whole", "(confirmed_on IS NULL) = (confirmed_by IS NULL) AND (confirmed_on IS NULL) = (called_on IS NULL)"),
    check("ck_payee_changes_once", "confirmed_on IS NULL OR rejected_on IS NULL"),
    check("ck_payee_changes_two_people", "confirmed_by <> proposed_by"),
)

delegations = of_dossier(
    "delegations",
    words("role"),
    words("giver"),
    words("holder"),
    day("starts_on"),
    day("ends_on"),
    check("ck_delegations_order", "starts_on <= ends_on"),
    check("ck_delegations_two_people", "giver <> holder"),
)

documents = of_dossier("documents", words("title"), words("sha256"), day("attached_on"))

findings = table(
    "findings",
    Column("id", Big, primary_key=True),
    Column("partnership_id", Big, ForeignKey("partnerships.id", name="fk_findings_partnership"), nullable=False),
    words("code"),
    words("subject"),
    words("severity"),
    words("reason"),
    words("source"),
    words("opened_at"),
    words("resolved_at", nullable=True),
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
journal = table(
    "journal",
    Column("id", Big, primary_key=True),
    Column("partnership_id", Big, ForeignKey("partnerships.id", name="fk_journal_partnership"), nullable=False),
    number("n"),
    words("key", nullable=True),
    words("input_digest"),
    words("entry"),
    words("digest"),
    UniqueConstraint("partnership_id", "n", name="uq_journal_n"),
    UniqueConstraint("key", name="uq_journal_key"),
    check("ck_journal_digest", "length(digest) = 64 AND n >= 1"),
)

outbox = table(
    "outbox",
    Column("id", Big, primary_key=True),
    Column("partnership_id", Big, ForeignKey("partnerships.id", name="fk_outbox_partnership"), nullable=False),
    number("n"),
    words("key"),
    words("kind"),
    words("role", nullable=True),
    number("attempts"),
    words("due_at"),
    words("lease", nullable=True),
    words("sent_at", nullable=True),
    words("dead_at", nullable=True),
    words("fault", nullable=True),
    UniqueConstraint("key", name="uq_outbox_key"),
    one_of("ck_outbox_kind", "kind", ("tell", "check")),
    check("ck_outbox_role", "(kind = 'tell') = (role IS NOT NULL)"),
)
Index(
    "ix_outbox_waiting",
    outbox.c.due_at,
    sqlite_where=text("sent_at IS NULL AND dead_at IS NULL"),
    postgresql_where=text("sent_at IS NULL AND dead_at IS NULL"),
)

people = table(
    "people",
    Column("id", Big, primary_key=True),
    words("name"),
    words("folded"),
    words("mail"),
    words("secret", nullable=True),  # of the one-time codes, in base 32
    Column("code_period", Big),  # the last period whose code was used
    number("code_failures"),  # wrong codes in a row
    UniqueConstraint("folded", name="uq_people_name"),
)

people_roles = table(
    "people_roles",
    Column("person_id", Big, ForeignKey("people.id", name="fk_people_roles_person"), nullable=False),
    words("role"),
    PrimaryKeyConstraint("person_id", "role", name="pk_people_roles"),
    one_of("ck_people_roles_role", "role", tuple(role.value for role in Role if role is not Role.CLOCK)),
)

# The schema is whole once these are there.
outlooks, marks = desk_tables.outlooks, desk_tables.marks
