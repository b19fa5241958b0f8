"""The register of people: its journal, append-only, and what that adds up to, for whoever asks in the middle of a step."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint

from models.tables.columns import Big, check, number, one_of, partial, table, words

people = table(
    "people",
    Column("id", Big, primary_key=True),
    words("name"),
    words("folded"),
    words("mail"),
    words("standing"),  # present, suspended or left
    words("secret", nullable=True),  # of the one-time codes, sealed with a key that is not in this database
    Column("code_period", Big),  # the last period whose code was used
    number("code_failures"),  # wrong codes in a row
    words("code_failed_at", nullable=True),  # the last of them, an ISO instant in UTC
    UniqueConstraint("folded", name="uq_people_name"),
    one_of("ck_people_standing", "standing", ("present", "suspended", "left")),
)
people_roles = table(
    "people_roles",
    Column("person_id", Big, ForeignKey("people.id", name="fk_people_roles_person"), nullable=False),
    words("role"),
    words("since"),  # an ISO instant in UTC, '' where nobody knows
    PrimaryKeyConstraint("person_id", "role", name="pk_people_roles"),
)
# One canonical entry and its digest, as in a dossier's journal; triggers refuse every change.
register_journal = table(
    "register_journal",
    Column("id", Big, nullable=False, autoincrement=False),  # the number of the entry
    words("entry"),
    words("digest"),
    PrimaryKeyConstraint("id", name="pk_register_journal"),
    check("ck_register_journal_digest", "length(digest) = 64 AND id >= 1"),
)
# Where wrong codes came from, lately: a terminal's user, the address of a form.
code_sources = table(
    "code_sources",
    Column("id", Big, primary_key=True),
    words("source"),
    number("failures"),
    words("failed_at"),
    UniqueConstraint("source", name="uq_code_sources_source"),
)
Index("ix_people_name", people.c.name)
partial("ix_people_refused", "code_failures > 0", people.c.code_failures)
Index("ix_people_roles_role", people_roles.c.role)
