"""What the tables are made of: columns that carry their own checks, and strict tables whose constraints have names."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.schema import SchemaItem

metadata = MetaData()
Big = BigInteger().with_variant(Integer, "sqlite")  # STRICT tables of SQLite know INTEGER only


def day(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable, info={"is_a_day": f"{name} LIKE '____-__-__'"})


def words(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable)


def truth(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, info={"is_a_truth": f"{name} IN (0, 1)"})


def cents(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(f"{name}_cents", Big, nullable=nullable, info={"is_not_negative": f"{name}_cents >= 0"})


def check(name: str, demand: str) -> CheckConstraint:
    return CheckConstraint(demand, name=name)


def one_of(name: str, column: str, values: tuple[str, ...]) -> CheckConstraint:
    return check(name, f"{column} IN ({', '.join(repr(value) for value in values)})")


def table(name: str, *parts: SchemaItem) -> Table:
    """A strict table; what a column promises (`info`) becomes a named constraint of the table."""
    checks = [
        check(f"ck_{name}_{part.name}_{promise}", demand)
        for part in parts
        if isinstance(part, Column)
        for promise, demand in part.info.items()
    ]
    return Table(name, metadata, *parts, *checks, sqlite_strict=True)


def partial(name: str, where: str, *columns: Column[object], unique: bool = False) -> Index:
    """An index of those rows only of which `where` is true: a few, however many there are.

    The migrations make it, on PostgreSQL too; to say `postgresql_where` here would load that dialect for whoever keeps a file, a
    twentieth of a cold step.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(where))


def of_dossier(name: str, *parts: SchemaItem) -> Table:
    """A table of facts of a dossier: each row is known by the dossier and its number in it."""
    return table(
        name,
        Column("partnership_id", Big, ForeignKey("partnerships.id", name=f"fk_{name}_partnership"), nullable=False),
        number("number"),
        *parts,
        PrimaryKeyConstraint("partnership_id", "number", name=f"pk_{name}"),
    )
