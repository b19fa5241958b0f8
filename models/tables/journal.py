"""The journal, append-only, and the outbox, written in the same transaction."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, UniqueConstraint

from models.tables.columns import Big, check, number, one_of, partial, table, words

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
WAITING = "sent_at IS NULL AND dead_at IS NULL"
partial("ix_outbox_waiting", WAITING, outbox.c.due_at, outbox.c.id)
partial("ix_outbox_follows", WAITING, outbox.c.partnership_id, outbox.c.due_at, outbox.c.id)
partial("ix_outbox_lease", "lease IS NOT NULL", outbox.c.lease)
partial("ix_outbox_held", f"{WAITING} AND fault IS NOT NULL", outbox.c.id)
partial("ix_outbox_dead", "dead_at IS NOT NULL", outbox.c.id)
