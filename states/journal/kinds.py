"""Every kind of fact that a dossier holds several of, and how each is written as JSON: the one list, read off `Partnership`.

In JSON a fact is its fields without the number: euros as text with two decimals, dates as ISO text, lists as arrays; a field
that holds nothing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, KeysView, Sequence
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

from states.partnership import Fact, Partnership
from states.values.plain import Json
from states.vocabulary import UnsoundTable

Values = dict[str, Json]  # the fields of one fact, as JSON values
Writer: TypeAlias = Callable[..., Json]  # of a value of its own field
Reader: TypeAlias = Callable[..., object]  # of a JSON value, which may be of the wrong type: ValueError or TypeError


class Field(NamedTuple):
    """One field of a fact; `write` and `read` are None where JSON holds the same value."""

    name: str
    type: type
    write: Writer | None
    read: Reader | None


def _kinds() -> dict[str, type[Fact]]:
    """The collections of numbered facts, by the name of their field in `Partnership`."""
    hints = get_type_hints(Partnership)
    held = {name: get_args(hint)[0] for name, hint in hints.items() if get_origin(hint) is tuple}
    return {name: kind for name, kind in held.items() if "number" in getattr(kind, "_fields", ())}


def _fields(kind: type[Fact]) -> tuple[Field, ...]:
    return tuple(_field(name, hint) for name, hint in get_type_hints(kind).items() if name != "number")


def _field(name: str, hint: object) -> Field:
    bare = next((part for part in get_args(hint) if part is not type(None)), hint) if isinstance(hint, UnionType) else hint
    if bare is Decimal:
        return Field(name, Decimal, _euros, Decimal)
    if bare is date:
        return Field(name, date, date.isoformat, date.fromisoformat)
    if bare in (str, int, bool):
        return Field(name, bare, None, None)
    return Field(name, tuple, _array, _tuple)


def _euros(amount: Decimal) -> str:
    return format(amount, ".2f")


def _array(values: tuple[Json, ...]) -> list[Json]:
    return [list(item) if isinstance(item, tuple) else item for item in values]


def _tuple(values: list[Json]) -> tuple[object, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in values)


KINDS = _kinds()
FIELDS = {name: _fields(kind) for name, kind in KINDS.items()}
_READ = {name: {field.name: field.read for field in fields} for name, fields in FIELDS.items()}
_PLACES = {name: tuple((place, *field) for place, field in enumerate(FIELDS[name], start=1)) for name in KINDS}
# What `read` needs: the fields in order, those that JSON holds otherwise, and how a fact is made of its values.
_MADE: dict[str, tuple[KeysView[str], tuple[tuple[int, Reader], ...], Callable[[Iterable[object]], Fact]]] = {
    name: (
        _READ[name].keys(),
        tuple((place, field.read) for place, field in enumerate(FIELDS[name], start=1) if field.read is not None),
        kind._make,
    )
    for name, kind in KINDS.items()
}
# Each kind as people call one of them.
NOUNS = {
    "parties": "partie",
    "terms": "version des conditions",
    "acts": "délibération",
    "signatures": "signature",
    "trainings": "formation",
    "committees": "comité",
    "trainees": "stagiaire",
    "invoices": "facture",
    "settlements": "liquidation",
    "documents": "document",
    "appeals": "recours",
    "recoveries": "récupération",
    "payee_changes": "changement de compte",
    "delegations": "délégation",
}
for _name in KINDS:
    if _name not in NOUNS:
        raise UnsoundTable(f"La sorte de fait '{_name}' n’a pas de nom en français (NOUNS, states/journal/kinds.py).")


def written(name: str, fact: Fact) -> Values:
    """A fact of the collection `name`, whole."""
    values: Sequence[Json] = fact  # type: ignore[assignment] # where nothing writes it, JSON holds the same value
    return {
        field: values[place] if write is None else write(values[place])
        for place, field, _, write, _ in _PLACES[name]
        if values[place] is not None
    }  # fmt: skip


def changed(name: str, old: Fact, new: Fact) -> Values:
    """The fields in which a fact differs from what it was; None where one holds nothing any more."""
    values: Sequence[Json] = new  # type: ignore[assignment] # as in `written`
    return {
        field: values[place] if write is None or values[place] is None else write(values[place])
        for place, field, _, write, _ in _PLACES[name]
        if old[place] != values[place]
    }


def read(name: str, number: int, values: Values) -> Fact:
    """The fact that `values` are. Raises ValueError or TypeError when one of them cannot be read, or is unknown."""
    fields, readers, made = _MADE[name]
    if not values.keys() <= fields:
        raise ValueError(name)
    row: list[object] = [number, *map(values.get, fields)]
    for place, reads in readers:
        if row[place] is not None:
            row[place] = reads(row[place])
    return made(row)


def amended(name: str, fact: Fact, values: Values) -> Fact:
    """A fact with other values. Raises as `read` does."""
    fields = _READ[name]
    replaced: Callable[..., Fact] = fact._replace
    return replaced(
        **{field: value if value is None or (reads := fields[field]) is None else reads(value) for field, value in values.items()}
    )
