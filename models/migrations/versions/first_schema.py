"""The first schema: dossiers and their facts, the journal that nothing can change, the outbox, the register of people."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# `INSERT OR REPLACE` deletes without firing a delete trigger, so an insert is looked at too.
SQLITE_TRIGGERS = (
    """CREATE TRIGGER journal_is_never_updated BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER journal_is_never_deleted BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER journal_is_never_replaced BEFORE INSERT ON journal
    WHEN EXISTS (SELECT 1 FROM journal WHERE id = NEW.id OR (partnership_id = NEW.partnership_id AND n = NEW.n) OR "key" = NEW."key")
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$""",
    """CREATE TRIGGER journal_is_never_changed BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()""",
    """CREATE TRIGGER journal_is_never_emptied BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()""",
)


def upgrade() -> None:
    create_tables()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        op.execute(statement)


def create_tables() -> None:
    op.create_table(
        "identities",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("trainee", sa.Integer(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("born_on", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("born_on LIKE '____-__-__'", name="ck_identities_born_on_is_a_day"),
        sa.PrimaryKeyConstraint("partnership_id", "trainee", name="pk_identities"),
        sa.UniqueConstraint("partnership_id", "digest", name="uq_identities_person"),
        sqlite_strict=True,
    )
    op.create_table(
        "partnerships",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("entered_on", sa.Text(), nullable=True),
        sa.Column("pepper", sa.Text(), nullable=False),
        sa.CheckConstraint("entered_on LIKE '____-__-__'", name="ck_partnerships_entered_on_is_a_day"),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'signed', 'acted', 'in_training', 'trained', 'invoiced', 'settled', 'ordered', 'paid', 'closed', 'rejected', 'terminated', 'invoice_suspended')",
            name="ck_partnerships_state",
        ),
        sa.CheckConstraint("imported IN (0, 1)", name="ck_partnerships_imported"),
        sa.CheckConstraint("version >= 1 AND n >= version", name="ck_partnerships_version"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference", name="uq_partnerships_reference"),
        sqlite_strict=True,
    )
    op.create_index("ix_partnerships_state", "partnerships", ["state"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("mail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("folded", name="uq_people_name"),
        sqlite_strict=True,
    )
    op.create_table(
        "acts",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Text(), nullable=False),
        sa.Column("act_number", sa.Text(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("present", sa.Text(), nullable=True),
        sa.Column("absent", sa.Text(), nullable=True),
        sa.Column("proxies", sa.Integer(), nullable=False),
        sa.Column("chair", sa.Text(), nullable=True),
        sa.Column("secretary", sa.Text(), nullable=True),
        sa.Column("votes_for", sa.Integer(), nullable=True),
        sa.Column("votes_against", sa.Integer(), nullable=True),
        sa.Column("abstentions", sa.Integer(), nullable=True),
        sa.CheckConstraint("held_on LIKE '____-__-__'", name="ck_acts_held_on_is_a_day"),
        sa.CheckConstraint(
            "seats > 0 AND proxies >= 0 AND votes_for >= 0 AND votes_against >= 0 AND abstentions >= 0", name="ck_acts_counts"
        ),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_acts_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_acts"),
        sqlite_strict=True,
    )
    op.create_table(
        "committees",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("held_on", sa.Text(), nullable=False),
        sa.Column("minutes_sha256", sa.Text(), nullable=False),
        sa.CheckConstraint("held_on LIKE '____-__-__'", name="ck_committees_held_on_is_a_day"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_committees_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_committees"),
        sqlite_strict=True,
    )
    op.create_table(
        "documents",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("attached_on", sa.Text(), nullable=False),
        sa.CheckConstraint("attached_on LIKE '____-__-__'", name="ck_documents_attached_on_is_a_day"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_documents_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_documents"),
        sqlite_strict=True,
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("resolved_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_findings_partnership"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_findings_open",
        "findings",
        ["partnership_id", "code", "subject"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "invoices",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("invoice_number", sa.Text(), nullable=False),
        sa.Column("normalised_number", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("supplier_siret", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.CheckConstraint("currency = 'EUR'", name="ck_invoices_currency"),
        sa.CheckConstraint("issued_on LIKE '____-__-__'", name="ck_invoices_issued_on_is_a_day"),
        sa.CheckConstraint("status IN ('received', 'suspended', 'rejected')", name="ck_invoices_status"),
        sa.UniqueConstraint("supplier_siret", "normalised_number", name="uq_invoices_supplier_number"),
        sa.UniqueConstraint("supplier_siret", "document_sha256", name="uq_invoices_supplier_document"),
        sa.CheckConstraint("amount_cents >= 0", name="ck_invoices_amount_cents_is_not_negative"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_invoices_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_invoices"),
        sqlite_strict=True,
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("input_digest", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("length(digest) = 64 AND n >= 1", name="ck_journal_digest"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_journal_partnership"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="uq_journal_key"),
        sa.UniqueConstraint("partnership_id", "n", name="uq_journal_n"),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Text(), nullable=False),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.Text(), nullable=True),
        sa.Column("dead_at", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('tell', 'check')", name="ck_outbox_kind"),
        sa.CheckConstraint("(kind = 'tell') = (role IS NOT NULL)", name="ck_outbox_role"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_outbox_partnership"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL AND dead_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL AND dead_at IS NULL"),
    )
    op.create_table(
        "parties",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("siret", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("calendar", sa.Text(), nullable=True),
        sa.Column("payee_holder", sa.Text(), nullable=True),
        sa.Column("payee_iban", sa.Text(), nullable=True),
        sa.CheckConstraint("side IN ('cdg', 'university')", name="ck_parties_side"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_parties_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_parties"),
        sqlite_strict=True,
    )
    op.create_table(
        "people_roles",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "role IN ('training_officer', 'board_secretary', 'finance_officer', 'authorising_officer', 'public_accountant', 'university_referent', 'operator', 'auditor')",
            name="ck_people_roles_role",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_people_roles_person"),
        sa.PrimaryKeyConstraint("person_id", "role", name="pk_people_roles"),
        sqlite_strict=True,
    )
    op.create_table(
        "settlements",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("invoice", sa.Integer(), nullable=False),
        sa.Column("ceiling_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entitlement_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoiced_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("settled_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("certified_on", sa.Text(), nullable=False),
        sa.Column("certified_by", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("slip_number", sa.Text(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("ordered_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ordered_on", sa.Text(), nullable=True),
        sa.Column("ordered_by", sa.Text(), nullable=True),
        sa.Column("paid_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("paid_on", sa.Text(), nullable=True),
        sa.Column("paid_by", sa.Text(), nullable=True),
        sa.Column("accounting_reference", sa.Text(), nullable=True),
        sa.CheckConstraint("certified_on LIKE '____-__-__'", name="ck_settlements_certified_on_is_a_day"),
        sa.CheckConstraint("ordered_on LIKE '____-__-__'", name="ck_settlements_ordered_on_is_a_day"),
        sa.CheckConstraint("paid_on LIKE '____-__-__'", name="ck_settlements_paid_on_is_a_day"),
        sa.CheckConstraint(
            "(ordered_by IS NULL OR ordered_by <> certified_by) AND (paid_by IS NULL OR (paid_by <> certified_by AND paid_by <> ordered_by))",
            name="ck_settlements_three_people",
        ),
        sa.CheckConstraint(
            "(ordered_cents IS NULL) = (ordered_by IS NULL) AND (paid_cents IS NULL) = (paid_by IS NULL)",
            name="ck_settlements_order_whole",
        ),
        sa.CheckConstraint("ceiling_cents >= 0", name="ck_settlements_ceiling_cents_is_not_negative"),
        sa.CheckConstraint("entitlement_cents <= ceiling_cents", name="ck_settlements_ceiling"),
        sa.CheckConstraint("entitlement_cents >= 0", name="ck_settlements_entitlement_cents_is_not_negative"),
        sa.CheckConstraint("invoiced_cents >= 0", name="ck_settlements_invoiced_cents_is_not_negative"),
        sa.CheckConstraint("ordered_cents >= 0", name="ck_settlements_ordered_cents_is_not_negative"),
        sa.CheckConstraint("ordered_cents IS NULL OR ordered_cents <= settled_cents", name="ck_settlements_ordered"),
        sa.CheckConstraint("paid_cents >= 0", name="ck_settlements_paid_cents_is_not_negative"),
        sa.CheckConstraint("paid_cents IS NULL OR (ordered_cents IS NOT NULL AND paid_cents <= ordered_cents)", name="ck_settlements_paid"),
        sa.CheckConstraint("settled_cents <= invoiced_cents AND settled_cents <= entitlement_cents", name="ck_settlements_settled"),
        sa.CheckConstraint("settled_cents >= 0", name="ck_settlements_settled_cents_is_not_negative"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_settlements_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_settlements"),
        sa.UniqueConstraint("partnership_id", "invoice", name="uq_settlements_invoice"),
        sqlite_strict=True,
    )
    op.create_table(
        "signatures",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("signed_on", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("cdg_name", sa.Text(), nullable=True),
        sa.Column("cdg_title", sa.Text(), nullable=True),
        sa.Column("university_name", sa.Text(), nullable=True),
        sa.Column("university_title", sa.Text(), nullable=True),
        sa.Column("points", sa.Text(), nullable=False),
        sa.CheckConstraint("signed_on LIKE '____-__-__'", name="ck_signatures_signed_on_is_a_day"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_signatures_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_signatures"),
        sqlite_strict=True,
    )
    op.create_table(
        "terms",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("academic_year", sa.Text(), nullable=False),
        sa.Column("year_starts_on", sa.Text(), nullable=False),
        sa.Column("year_ends_on", sa.Text(), nullable=False),
        sa.Column("rate_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("amount_mode", sa.Text(), nullable=False),
        sa.Column("fee_continuing_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("fee_initial_cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("quorum_rule", sa.Text(), nullable=False),
        sa.Column("result_policy", sa.Text(), nullable=False),
        sa.CheckConstraint("year_ends_on LIKE '____-__-__'", name="ck_terms_year_ends_on_is_a_day"),
        sa.CheckConstraint("year_starts_on LIKE '____-__-__'", name="ck_terms_year_starts_on_is_a_day"),
        sa.CheckConstraint("fee_continuing_cents >= 0", name="ck_terms_fee_continuing_cents_is_not_negative"),
        sa.CheckConstraint("fee_initial_cents >= 0", name="ck_terms_fee_initial_cents_is_not_negative"),
        sa.CheckConstraint("rate_cents > 0 AND cap > 0", name="ck_terms_positive"),
        sa.CheckConstraint("rate_cents >= 0", name="ck_terms_rate_cents_is_not_negative"),
        sa.CheckConstraint("year_starts_on < year_ends_on", name="ck_terms_year"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_terms_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_terms"),
        sqlite_strict=True,
    )
    op.create_table(
        "trainees",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("fee_regime", sa.Text(), nullable=False),
        sa.Column("insee", sa.Text(), nullable=False),
        sa.Column("retained_on", sa.Text(), nullable=False),
        sa.Column("verified_on", sa.Text(), nullable=True),
        sa.Column("verified_by", sa.Text(), nullable=True),
        sa.Column("evidence_kind", sa.Text(), nullable=True),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.CheckConstraint("fee_regime IN ('continuing', 'initial')", name="ck_trainees_regime"),
        sa.CheckConstraint("retained_on LIKE '____-__-__'", name="ck_trainees_retained_on_is_a_day"),
        sa.CheckConstraint("verified_on LIKE '____-__-__'", name="ck_trainees_verified_on_is_a_day"),
        sa.CheckConstraint("(verified_on IS NULL) = (verified_by IS NULL)", name="ck_trainees_verified"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_trainees_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_trainees"),
        sqlite_strict=True,
    )
    op.create_table(
        "trainings",
        sa.Column("partnership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Text(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("ended_on", sa.Text(), nullable=True),
        sa.Column("attestation_sha256", sa.Text(), nullable=True),
        sa.Column("presented_on", sa.Text(), nullable=True),
        sa.Column("result_sha256", sa.Text(), nullable=True),
        sa.CheckConstraint("ended_on LIKE '____-__-__'", name="ck_trainings_ended_on_is_a_day"),
        sa.CheckConstraint("ends_on LIKE '____-__-__'", name="ck_trainings_ends_on_is_a_day"),
        sa.CheckConstraint("presented_on LIKE '____-__-__'", name="ck_trainings_presented_on_is_a_day"),
        sa.CheckConstraint("starts_on LIKE '____-__-__'", name="ck_trainings_starts_on_is_a_day"),
        sa.CheckConstraint("ended_on IS NULL OR ended_on >= starts_on", name="ck_trainings_ended"),
        sa.CheckConstraint("starts_on <= ends_on AND hours > 0", name="ck_trainings_order"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnerships.id"], name="fk_trainings_partnership"),
        sa.PrimaryKeyConstraint("partnership_id", "number", name="pk_trainings"),
        sqlite_strict=True,
    )
