"""Rows and facts: one row per fact, one column per field; euros as cents, dates as ISO text, lists as JSON text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from operator import itemgetter
from types import UnionType
from typing import NamedTuple, get_args, get_type_hints

import orjson
from sqlalchemy import Table

from models import tables
from states.journal.kinds import KINDS
from states.partnership import Fact
from states.trainees.facts import Identity
from states.vocabulary import UnsoundTable

# The collections of a dossier that are tables of numbered facts, under the name of both the field and the table.
_TABLES = tables.partnerships.metadata.tables
for _name in KINDS:
    if _name not in _TABLES:
        raise UnsoundTable(f"La sorte de fait '{_name}' n’a pas de table (models/tables/dossier.py, et une migration).")
COLLECTIONS: dict[str, tuple[Table, type[Fact]]] = {name: (_TABLES[name], kind) for name, kind in KINDS.items()}


class Field(NamedTuple):
    """One field of a fact and its column; `encode` and `decode` are None where both hold the same value."""

    name: str
    column: str
    encode: Callable[..., object] | None
    decode: Callable[..., object] | None


def cents(amount: Decimal) -> int:
    """Euros as integer cents; the amount has two decimals by construction."""
    return int(amount.scaleb(2))


def euros(amount_cents: int) -> Decimal:
    """Integer cents as euros with two decimals."""
    return Decimal(amount_cents).scaleb(-2)


def _json(value: tuple[object, ...]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tuple(value: str) -> tuple[object, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in orjson.loads(value))


def fields(kind: type[Fact | Identity]) -> tuple[Field, ...]:
    """How each field of a fact is written and read, from its annotation."""
    return _FIELDS[kind]


def _fields(kind: type[Fact | Identity]) -> tuple[Field, ...]:
    return tuple(_field(name, hint) for name, hint in get_type_hints(kind).items())


def _field(name: str, hint: object) -> Field:
    bare = next((part for part in get_args(hint) if part is not type(None)), hint) if isinstance(hint, UnionType) else hint
    if bare is Decimal:
        return Field(name, f"{name}_cents", cents, euros)
    if bare is date:
        return Field(name, name, date.isoformat, date.fromisoformat)
    if bare is bool:
        return Field(name, name, int, bool)
    if bare in (str, int):
        return Field(name, name, None, None)
    return Field(name, name, _json, _tuple)


def row_of(fact: Fact | Identity) -> dict[str, object]:
    """The columns of a fact."""
    columns, encoded = _WRITTEN[type(fact)]
    row: dict[str, object] = dict(zip(columns, fact, strict=True))
    for column, encode in encoded:
        if row[column] is not None:
            row[column] = encode(row[column])
    return row


def facts_of(kind: type[Fact], rows: str) -> tuple[Fact, ...]:
    """The facts in a JSON array of arrays of columns, in the order of their numbers."""
    if rows == "[]":
        return ()
    found = orjson.loads(rows)
    for index, field in enumerate(fields(kind)):
        if field.decode is not None:
            for row in found:
                if row[index] is not None:
                    row[index] = field.decode(row[index])
    found.sort(key=itemgetter(0))
    return tuple(map(kind._make, found))


_FIELDS = {kind: _fields(kind) for kind in (*(kind for _, kind in COLLECTIONS.values()), Identity)}
for _name, (_table, _kind) in COLLECTIONS.items():
    for _one in _FIELDS[_kind]:
        if _one.column not in _table.columns:
            raise UnsoundTable(f"La table '{_name}' n’a pas de colonne '{_one.column}' pour ce que le fait garde (et une migration).")
# What `row_of` needs, ready: the columns in order, and those whose values no driver would take as they are.
_WRITTEN = {
    kind: (
        tuple(field.column for field in found),
        tuple((field.column, field.encode) for field in found if field.encode is not None),
    )
    for kind, found in _FIELDS.items()
}
