"""How what was written under an earlier law is read today: a new field has a value for the past, a renamed one is found.

A new law adds its number and its changes to `CHANGES`; nothing that was written is ever rewritten. Facts are named by their
collection (`trainees`), requests by their class (`PaymentOrder`), and a field inside a group by its path (`terms.rate`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from states.values.law import LAW
from states.values.plain import Json

Fields = dict[str, Json]


class Added(NamedTuple):
    """A field that the past does not have, and the JSON value that it is given there."""

    of: str
    field: str
    past: Json


class Renamed(NamedTuple):
    """A field that bore another name."""

    of: str
    field: str
    to: str


class Reread(NamedTuple):
    """A field whose earlier values are read in another way."""

    of: str
    field: str
    reads: Callable[..., Json]


class Dropped(NamedTuple):
    """A field that no longer exists; what it held stays in the journal, and is read no more."""

    of: str
    field: str


class RenamedKind(NamedTuple):
    """A kind of fact that bore another name."""

    of: str
    to: str


class DroppedKind(NamedTuple):
    """A kind of fact that no longer exists; what it held stays in the journal, and is read no more."""

    of: str


Change = Added | Renamed | Reread | Dropped | RenamedKind | DroppedKind
# The number of a law, and what it changes in the shape of facts and requests.
CHANGES: Mapping[int, tuple[Change, ...]] = {}


def since(law: int) -> Iterator[Change]:
    """Every change that came after `law`, in order."""
    for number in range(law + 1, LAW + 1):
        yield from CHANGES.get(number, ())


def kind_as_read(of: str, law: int) -> str | None:
    """What a kind of fact that an entry of `law` names is called today; None when it is read no more."""
    for change in since(law):
        if isinstance(change, DroppedKind) and change.of == of:
            return None
        if isinstance(change, RenamedKind) and change.of == of:
            of = change.to
    return of


def fact_as_read(of: str, values: Fields, law: int, *, new: bool) -> Fields:
    """The fields of a fact that an entry of `law` wrote; `new`: the fact was not there before, so every field must be."""
    if law == LAW:
        return values
    found = dict(values)
    for change in since(law):
        if change.of != of:
            continue
        if isinstance(change, RenamedKind):
            of = change.to
        elif not isinstance(change, DroppedKind) and (new or not isinstance(change, Added)):
            _apply(change, found, change.field)
    return found


def request_as_read(of: str, request: Fields, law: int) -> Fields:
    """A request that was written under `law`, as its class reads it today."""
    if law == LAW:
        return request
    found = {name: _copied(value) for name, value in request.items()}
    for change in since(law):
        if change.of == of and not isinstance(change, RenamedKind | DroppedKind):
            *groups, field = change.field.split(".")
            for group in _groups(found, groups):
                _apply(change, group, field)
    return found


def _copied(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _groups(value: Json, path: list[str]) -> Iterator[Fields]:
    """The groups of fields at a path; a list has as many as it is long."""
    if isinstance(value, list):
        for item in value:
            yield from _groups(item, path)
    elif isinstance(value, dict):
        if not path:
            yield value
        elif path[0] in value:
            yield from _groups(value[path[0]], path[1:])


def _apply(change: Added | Renamed | Reread | Dropped, values: Fields, field: str) -> None:
    if isinstance(change, Added):
        values.setdefault(field, change.past)
    elif field in values:
        if isinstance(change, Renamed):
            values[change.to] = values.pop(field)
        elif isinstance(change, Reread):
            values[field] = change.reads(values[field]) if values[field] is not None else None
        else:
            del values[field]
