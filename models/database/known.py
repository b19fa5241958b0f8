"""The databases that jalon knows."""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from models.database.dialect import Dialect
from models.database.faults import unreadable_address
from models.database.postgresql import POSTGRESQL
from models.database.sqlite import SQLITE

DIALECTS: tuple[Dialect, ...] = (SQLITE, POSTGRESQL)


def known(url: str) -> tuple[URL, Dialect]:
    """The address of a database, read, and what speaks to it. Raises Unreachable when it is none that jalon knows."""
    try:
        address = make_url(url)
        dialect = next((kind for kind in DIALECTS if address.drivername in kind.drivers), None)
    except (SQLAlchemyError, ValueError):
        dialect = None
    if dialect is None:
        raise unreadable_address()
    return address, dialect
