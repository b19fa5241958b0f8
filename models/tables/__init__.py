"""The schema, and with it the invariants: the database refuses what the rules should already have refused.

Euros are integer cents, legal dates ISO text, instants ISO text in UTC: the same bytes on SQLite and PostgreSQL.
"""

from __future__ import annotations

from models.tables.desk import marks, outlooks
from models.tables.dossier import (
    acts,
    appeals,
    committees,
    delegations,
    documents,
    findings,
    identities,
    invoices,
    parties,
    partnerships,
    payee_changes,
    recoveries,
    settlements,
    signatures,
    terms,
    trainees,
    trainings,
)
from models.tables.house import tallies, vocabulary
from models.tables.journal import journal, outbox
from models.tables.people import code_sources, people, people_roles, register_journal

__all__ = [
    "SCHEMA",
    "acts",
    "appeals",
    "code_sources",
    "committees",
    "delegations",
    "documents",
    "findings",
    "identities",
    "invoices",
    "journal",
    "marks",
    "outbox",
    "outlooks",
    "parties",
    "partnerships",
    "payee_changes",
    "people",
    "people_roles",
    "recoveries",
    "register_journal",
    "settlements",
    "signatures",
    "tallies",
    "terms",
    "trainees",
    "trainings",
    "vocabulary",
]

SCHEMA = "0006"  # the newest migration; a test compares it with models/database/migrations
