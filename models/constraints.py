"""Which named constraint a database objected with, on both drivers."""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.exc import DBAPIError

from models.tables import metadata

# SQLite names the columns of a unique constraint, not the constraint.
UNIQUE_COLUMNS = {
    ", ".join(f"{table.name}.{column.name}" for column in unique.columns): str(unique.name)
    for table in metadata.tables.values()
    for unique in (*table.constraints, *table.indexes)
    if isinstance(unique, UniqueConstraint) or (isinstance(unique, Index) and unique.unique)
}


def violated(fault: Exception) -> str | None:
    """The name of the constraint that `fault` is about, or None when it is another fault."""
    cause = fault.orig if isinstance(fault, DBAPIError) and fault.orig is not None else fault
    if isinstance(cause, sqlite3.IntegrityError):
        found = re.fullmatch(r"(CHECK|UNIQUE) constraint failed: (.+)", str(cause))
        return UNIQUE_COLUMNS.get(found[2], found[2]) if found else None
    name = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return str(name) if name else None
