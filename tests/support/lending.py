"""PostgreSQL databases with the schema, lent to one test after the other: copying one takes fifty times as long as emptying it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import LiteralString, NamedTuple

import psycopg

# What a schema is made of: whoever has changed any of it (a trigger dropped, a setting) leaves the database to nobody.
AS_MADE: LiteralString = """SELECT array[
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_attribute WHERE attrelid >= 16384),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_constraint WHERE oid >= 16384),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_trigger),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_proc WHERE oid >= 16384),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_index WHERE indexrelid >= 16384),
    (SELECT count(*)::text FROM pg_statistic WHERE starelid >= 16384),
    (SELECT count(*)::text FROM pg_db_role_setting)]"""
TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
OTHERS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
BEGIN_AGAIN = "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"

_numbers = itertools.count(1)


def administrator(address: str) -> psycopg.Connection:
    return psycopg.connect(address.format(database="postgres").replace("+psycopg", ""), autocommit=True)


def new_database(address: str, template: str = "template1") -> str:
    """The name of a new database on a server, a copy of `template`."""
    name = f"jalon_{next(_numbers)}"
    with administrator(address) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return name


class Made(NamedTuple):
    """What a database was when it was made: its schema, and the rows of the tables that the schema fills itself; all others are empty."""

    schema: list[str]
    filled: dict[str, str]


class Lender:
    """The databases of one server; `new` makes one with the schema and gives its name."""

    def __init__(self, address: str, new: Callable[[], str]) -> None:
        self._address, self._new = address.replace("+psycopg", ""), new
        self._free: dict[str, Made] = {}
        self._lent: dict[str, Made] = {}

    def lend(self) -> str:
        """The name of a database as its schema makes it."""
        name, made = self._free.popitem() if self._free else (self._new(), None)
        if made is None:
            with self._connected(name) as connection:
                tables = {table: _rows(connection, table) for (table,) in connection.execute(TABLES)}
                made = Made(_schema(connection), {table: rows for table, rows in tables.items() if rows})
        self._lent[name] = made
        return name

    def back(self, name: str) -> None:
        """Empty a database for the next, if it is still what it was made."""
        made = self._lent.pop(name)
        with self._connected(name) as connection:
            connection.execute(OTHERS)
            if _schema(connection) != made.schema or any(_rows(connection, table) != rows for table, rows in made.filled.items()):
                return
            connection.execute("SET session_replication_role = replica")  # without the trigger that keeps the journal
            tables = [table for (table,) in connection.execute(TABLES) if table not in made.filled]
            connection.execute("; ".join(f"DELETE FROM {table}" for table in tables).encode())
            connection.execute(BEGIN_AGAIN)
        self._free[name] = made

    def _connected(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self._address.format(database=name), autocommit=True)


def _schema(connection: psycopg.Connection) -> list[str]:
    (found,) = connection.execute(AS_MADE).fetchone() or ([],)
    return list(found)


def _rows(connection: psycopg.Connection, table: str) -> str:
    """A digest of the rows of a table; nothing for one that is empty."""
    (found,) = connection.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t".encode()).fetchone() or ("",)
    return found or ""
