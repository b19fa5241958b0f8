"""The register of people."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint

from models.tables.columns import Big, number, partial, table, words

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
)
Index("ix_people_name", people.c.name)
partial("ix_people_refused", "code_failures > 0", people.c.code_failures)
Index("ix_people_roles_role", people_roles.c.role)
