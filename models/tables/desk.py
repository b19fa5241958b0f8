"""What the desk keeps besides the ledger: lines that can be computed again, and marks of what is done once only."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint

from models.tables.columns import Big, cents, day, number, partial, table, words

# One line for each dossier, as `states.overview.outlook` gives it: a dashboard of 100,000 dossiers is then a few short queries.
outlooks = table(
    "outlooks",
    Column("partnership_id", Big, ForeignKey("partnerships.id", name="fk_outlooks_partnership"), primary_key=True),
    number("version"),
    words("state"),
    day("entered_on", nullable=True),
    words("step", nullable=True),
    words("by"),
    day("due_on", nullable=True),
    words("blocked", nullable=True),
    number("findings"),
    cents("engaged"),
    cents("ordered"),
    cents("paid"),
    words("page", nullable=True),  # the sha256 of the page that was last published
)
partial("ix_outlooks_due", "due_on IS NOT NULL", outlooks.c.due_on, outlooks.c.partnership_id)

# A round by its own day, an event by its own id: what comes twice finds its mark.
marks = table(
    "marks",
    words("name"),
    words("key"),
    words("done_at"),
    words("told"),
    PrimaryKeyConstraint("name", "key", name="pk_marks"),
)
partial("ix_marks_done", "key <> ''", marks.c.done_at)
