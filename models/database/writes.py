"""One kind of write to one table, of which each dialect makes its own statements."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BindParameter, Delete, Insert, Table, Update, bindparam, delete, insert, update
from sqlalchemy.sql import ColumnElement

OF_DOSSIER = "partnership_id"


class Write(NamedTuple):
    """Rows that are inserted; with `keys`, rows that are changed; without `values`, rows that are taken away.

    A row to write is a mapping of column names; the value that finds it stands under the name of its key and an underscore, as what
    is found and what is written may differ. `partnership_id` is in no row: whoever sends it knows the dossier.
    """

    name: str  # by which a statement knows it
    table: Table
    values: tuple[str, ...]
    keys: tuple[str, ...] = ()
    only: ColumnElement[bool] | None = None  # a condition besides the keys

    @property
    def of_dossier(self) -> bool:
        return OF_DOSSIER in self.table.columns

    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """What a row must be besides what its keys say."""
        return () if self.only is None else (self.only,)


def inserted(table: Table, *but: str) -> Write:
    """Rows of a table, without the columns that the database fills by itself."""
    return Write(f"new_{table.name}", table, tuple(column.name for column in table.columns if column.name not in (*but, OF_DOSSIER)))


def one_row(write: Write) -> Insert | Update | Delete:
    """The statement that writes one row, its values as parameters of the same names; a new row of a dossier's head gives its id."""
    values: dict[str, BindParameter[object]] = {name: bindparam(name) for name in write.values}
    keys = (*((OF_DOSSIER,) if write.of_dossier else ()), *write.keys)
    if not write.keys:
        new = insert(write.table).values(({OF_DOSSIER: bindparam(OF_DOSSIER)} if write.of_dossier else {}) | values)
        return new if write.of_dossier else new.returning(write.table.c.id)
    found = [write.table.c[key] == bindparam(f"{key}_") for key in keys]
    if not write.values:
        return delete(write.table).where(*found, *write.conditions())
    return update(write.table).where(*found, *write.conditions()).values(values)
