"""The databases that jalon knows. Each is loaded when an address asks for it: what speaks to a server is of no use beside a file."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from models.database.dialect import Dialect
from models.database.faults import unreadable_address
from models.database.sqlite import SQLITE


def _postgresql() -> Dialect:
    from models.database.postgresql import POSTGRESQL

    return POSTGRESQL


DIALECTS: dict[str, Callable[[], Dialect]] = {"sqlite": lambda: SQLITE, "postgresql": _postgresql}


def known(url: str) -> tuple[URL, Dialect]:
    """The address of a database, read, and what speaks to it. Raises Unreachable when it is none that jalon knows."""
    try:
        address = make_url(url)
        dialect = DIALECTS[address.get_backend_name()]()
    except (SQLAlchemyError, ValueError, KeyError):
        raise unreadable_address() from None
    if address.drivername not in dialect.drivers:
        raise unreadable_address()
    return address, dialect
