"""The seal of a night: what every chain of the house came to, as the leaves of one Merkle tree, in a file that a mail can carry.

A seal says no name of a person: a dossier is its reference, its number of entries, its head, and a digest of when its letters went.
Its root stands for all of it, the day and the seal of the night before included. Most files hold only the leaves that differ from those
of the night before, at the places where they have stood since their first night.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import orjson

from models.ledger.chain import canonical
from models.verify.merkle import leaf_hash
from states.values.french import day
from states.values.plain import Json

Leaf = dict[str, Json]
NIGHT, REGISTER, SCHEMA, DOSSIER = "night", "register", "schema", "dossier"
ROOT = re.compile(r"[0-9a-f]{64}")
KIND = "seal"  # what the file says that it is


class NoSeal(ValueError):
    """A file is no seal of jalon: why, in French."""


class Previous(NamedTuple):
    """The seal of the night before, as the next one names it."""

    night: str
    root: str


class Seal(NamedTuple):
    """The seal of a night (ISO day), made at `sealed_at` (ISO instant in UTC; empty in those of before).

    `leaves` are those that the file holds, by their places: all of them if it is `whole`. `of_before`: the seal is the sha256 of the
    file, as it was before there was a tree.
    """

    night: str
    sealed_at: str
    root: str
    size: int
    whole: bool
    leaves: dict[int, Leaf]
    previous: Previous | None = None
    of_before: bool = False

    @property
    def title(self) -> str:
        """« Sceau de la nuit du 24 novembre 2026 »."""
        return title_of(self.night)


def title_of(night: str) -> str:
    """« Sceau de la nuit du 24 novembre 2026 »."""
    return f"Sceau de la nuit du {day(date.fromisoformat(night))}"


def name_of(leaf: Leaf) -> str:
    """What a leaf is about: the same from one night to the next."""
    return f"{DOSSIER} {leaf['reference']}" if leaf["kind"] == DOSSIER else str(leaf["kind"])


def hash_of(leaf: Leaf) -> bytes:
    """The hash under which a leaf stands in the tree."""
    return leaf_hash(canonical(leaf))


def night_leaf(night: str, sealed_at: str, previous: Previous | None) -> Leaf:
    """The leaf that binds a root to its day and to the seal before."""
    return {"kind": NIGHT, "night": night, "sealed_at": sealed_at, "previous": dict(previous._asdict()) if previous else None}


def written(root: str, size: int, leaves: Iterable[tuple[int, Leaf]], *, whole: bool) -> bytes:
    """The file of a seal: one leaf a line, so that a person can read it."""
    lines = ",\n".join(canonical([place, leaf]).decode() for place, leaf in leaves)
    head = canonical({"jalon": KIND, "root": root, "size": size, "whole": whole}).decode()
    return f'{head[:-1]},"leaves":[\n{lines}\n]}}\n'.encode()


def read(content: bytes) -> Seal:
    """The seal in a file. Raises NoSeal."""
    try:
        fields = orjson.loads(content)
        return _of_before(fields, content) if "heads" in fields else _seal(fields)
    except (ValueError, TypeError, LookupError, AttributeError) as fault:
        raise NoSeal("ce fichier n’est pas un sceau de jalon, ou il a été changé") from fault


def _seal(fields: dict[str, Json]) -> Seal:
    found = fields["leaves"]
    if fields["jalon"] != KIND or not isinstance(found, list):
        raise ValueError("not a seal")
    leaves = {_place(place): _leaf(leaf) for place, leaf in found}
    night = leaves[0]
    said = night["previous"]
    previous = Previous(_day(said["night"]), _root(said["root"])) if isinstance(said, dict) else None
    return Seal(
        night=_day(night["night"]),
        sealed_at=str(night["sealed_at"]),
        root=_root(fields["root"]),
        size=_place(fields["size"]),
        whole=bool(fields["whole"]),
        leaves=leaves,
        previous=previous,
    )


def _of_before(fields: dict[str, Json], content: bytes) -> Seal:
    """A seal of before there was a tree: the day, and each dossier with its entries and its head."""
    heads, root = fields["heads"], hashlib.sha256(content).hexdigest()
    if not isinstance(heads, list):
        raise TypeError(heads)
    leaves = {
        place: _leaf({"kind": DOSSIER, "reference": head["reference"], "n": head["entries"], "head": head["head"]})
        for place, head in enumerate(heads)
    }
    return Seal(_day(fields["day"]), "", root, len(leaves), True, leaves, of_before=True)  # noqa: FBT003 - all of it is there


def _leaf(leaf: Json) -> Leaf:
    if not isinstance(leaf, dict) or not isinstance(leaf["kind"], str):
        raise TypeError(leaf)
    if leaf["kind"] == DOSSIER and not (isinstance(leaf["reference"], str) and type(leaf["n"]) is int and isinstance(leaf["head"], str)):
        raise TypeError(leaf)
    return leaf


def _place(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value


def _day(value: Json) -> str:
    return date.fromisoformat(str(value)).isoformat()


def _root(value: Json) -> str:
    if not isinstance(value, str) or not ROOT.fullmatch(value):
        raise ValueError(value)
    return value
