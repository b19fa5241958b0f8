"""What tests do with each kind of database that jalon itself never does: listen to the wire, take a guard away."""

import re
from collections.abc import Callable
from itertools import groupby
from typing import Any, NamedTuple, TextIO

from models.database.dialect import Dialect
from models.database.postgresql import PostgreSql
from models.database.sqlite import Sqlite
from models.database.store import Store


class Beneath(NamedTuple):
    """One kind of database, from beneath."""

    listen: Callable[[Any, TextIO], None]  # a connection of the driver writes what it sends
    commands: Callable[[str], list[str]]  # what was written, command by command
    round_trips: Callable[[str], int]  # and how often somebody waited for an answer
    locks_whole: bool  # whether BEGIN keeps everybody else from writing
    triggers: str  # the statement that finds what `DROP` takes the triggers away by
    without: Callable[[str, str], list[str]]  # the statements that take a constraint of a table away


def _sqlite_listens(connection: Any, wire: TextIO) -> None:
    connection.set_trace_callback(lambda statement: wire.write(f"{' '.join(statement.split())}\n"))


def _sqlite_commands(heard: str) -> list[str]:
    """A trigger tells its statement twice."""
    return [one for one, _ in groupby(heard.splitlines()) if "PRAGMA" not in one]


def _postgresql_listens(connection: Any, wire: TextIO) -> None:
    connection.pgconn.trace(wire.fileno())


def _postgresql_commands(heard: str) -> list[str]:
    """What libpq puts on the wire; several statements in one message are several commands."""
    queries = re.findall(r'\tF\t\d+\t(?:Query\t "(.*?)"\n|(Execute))', heard, re.DOTALL)
    return [one for query, execute in queries for one in (query.split("; ") if query else [execute])]


def _postgresql_round_trips(heard: str) -> int:
    """How often libpq sent something after it had received something, or at first."""
    sides = re.findall(r"\t([FB])\t\d+\t(?!Terminate)", heard)
    return sum(side == "F" for side, _ in groupby(sides))


BENEATH: dict[type[Dialect], Beneath] = {
    Sqlite: Beneath(
        _sqlite_listens,
        _sqlite_commands,
        lambda heard: len(_sqlite_commands(heard)),
        locks_whole=True,
        triggers="SELECT 'TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'",
        without=lambda table, _: [f"ALTER TABLE {table} RENAME TO guarded", f"CREATE TABLE {table} AS SELECT * FROM guarded"],
    ),
    PostgreSql: Beneath(
        _postgresql_listens,
        _postgresql_commands,
        _postgresql_round_trips,
        locks_whole=False,
        triggers="SELECT 'FUNCTION journal_is_append_only'",
        without=lambda table, constraint: [f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"],
    ),
}


def beneath(store: Store) -> Beneath:
    """The kind of database that a store is on."""
    return BENEATH[type(store.dialect)]
