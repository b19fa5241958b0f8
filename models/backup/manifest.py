"""What a backup says of itself: of which ledger it is, up to when, and the size and sha256 of every file in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from models.database.faults import Damaged
from models.ledger.chain import canonical

FORMAT = 1
MANIFEST = "manifest.json"
LARGEST = 256 * 1024 * 1024  # bytes of a manifest: some 1,500,000 letters
FOLDERS = ("seals", "mail", "documents")
LEDGERS = {"sqlite": re.compile(r"ledger\.sqlite"), "postgresql": re.compile(r"ledger/[a-z_]{1,60}\.csv")}
SHA256, SCHEMAS = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9]{4}")
LONGEST = 255  # bytes of one part of a name, as file systems have it
SHOWN = 80


class Member(NamedTuple):
    """A file of a backup."""

    size: int
    sha256: str


class Contents(NamedTuple):
    """What the ledger of a backup holds; `until` is the instant of its newest entry, '' when there is none."""

    dossiers: int
    entries: int
    register_entries: int
    register_head: str
    until: str


class Manifest(NamedTuple):
    """See above. `taken_at` is the instant of the snapshot, ISO in UTC; `seal` the name of the newest seal, '' when there is none."""

    format: int
    jalon: str
    schema: str
    database: str
    taken_at: str
    contents: Contents
    seal: str
    members: Mapping[str, Member]

    @property
    def size(self) -> int:
        """Bytes of all files, unpacked."""
        return sum(member.size for member in self.members.values())

    def within(self, folder: str) -> list[str]:
        """The names of the files in one of the folders, in order."""
        return sorted(name for name in self.members if name.startswith(f"{folder}/"))


def written(manifest: Manifest) -> bytes:
    """The one spelling of a manifest."""
    members = {name: [*member] for name, member in manifest.members.items()}
    return canonical(manifest._asdict() | {"contents": manifest.contents._asdict(), "members": members})


def read(content: bytes) -> Manifest:
    """A manifest of which every name and number is as jalon writes it. Raises Damaged."""
    try:
        told = orjson.loads(content)
        members = {name: Member(*member) for name, member in told["members"].items()}
        manifest = Manifest(**told | {"contents": Contents(**told["contents"]), "members": members})
        spelt = written(manifest) == content
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Damaged(f"La sauvegarde est abîmée : {MANIFEST} ne se lit pas.") from None
    if manifest.format != FORMAT:
        raise Damaged(
            f"La sauvegarde est d’un format que ce jalon ne connaît pas ({shown(str(manifest.format))}) : installez la version à jour."
        )
    if not (spelt and _sound(manifest)):
        raise Damaged(f"La sauvegarde est abîmée : {MANIFEST} n’est pas tel que jalon l’écrit.")
    for name in members:
        if not acceptable(name, manifest.database):
            raise Damaged(f"La sauvegarde contient un nom que jalon n’écrit jamais : {shown(name)}.")
    return manifest


def _sound(manifest: Manifest) -> bool:
    texts = (manifest.jalon, manifest.schema, manifest.database, manifest.taken_at, manifest.seal)
    numbers = (manifest.contents.dossiers, manifest.contents.entries, manifest.contents.register_entries)
    return (
        all(type(text) is str for text in (*texts, manifest.contents.register_head, manifest.contents.until))
        and all(type(number) is int and number >= 0 for number in numbers)
        and manifest.database in LEDGERS
        and SCHEMAS.fullmatch(manifest.schema) is not None
        and any(LEDGERS[manifest.database].fullmatch(name) for name in manifest.members)
        and all(map(_is_member, manifest.members.values()))
    )


def _is_member(member: Member) -> bool:
    return type(member.size) is int and member.size >= 0 and type(member.sha256) is str and SHA256.fullmatch(member.sha256) is not None


def acceptable(name: str, database: str) -> bool:
    """Whether a file of a backup may have this name: relative, in one of the folders, and the same on every machine."""
    if LEDGERS[database].fullmatch(name):
        return True
    parts = name.split("/")
    return len(parts) > 1 and parts[0] in FOLDERS and all(map(_is_part, parts))


def _is_part(part: str) -> bool:
    if part in ("", ".", "..") or not part.isprintable() or "\\" in part:
        return False
    return len(part.encode("utf-8", "replace")) <= LONGEST


def shown(name: str) -> str:
    """A name that somebody else may have written, fit for a screen."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in name)
    return f"« {clean[:SHOWN]}{'…' if len(clean) > SHOWN else ''} »"
