"""Taking a backup while writes go on.

What a seal tells was in the ledger before it, so the seals are those of before the snapshot. What the ledger tells as sent was written
before it said so, so letters and documents, which are only ever added, are those of after.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

import orjson

from models.backup.archive import CHUNK, Writing
from models.backup.manifest import FORMAT, Contents, Manifest, acceptable, shown
from models.database.dialect import Cursor
from models.database.faults import Unreachable, raise_in_french
from models.database.snapshots import Snapshot
from models.database.store import Store
from models.ledger.chain import GENESIS
from states.values.french import unreadable

SEALS = "seals"
# Unfinished files; and letters that are keys themselves: with an invitation, one enrols in the name of somebody else.
LEFT_OUT = (".part", "invitation.")


class Folder(NamedTuple):
    """A folder whose files a backup takes, and its name in there."""

    name: str
    path: Path


class Taken(NamedTuple):
    """What a backup holds, and the sha256 of its manifest."""

    manifest: Manifest
    digest: str


def take(store: Store, folders: Sequence[Folder], file: IO[bytes], work: Path, *, at: datetime, jalon: str) -> Taken:
    """Write a backup of a database and folders into `file`. `work` is an empty folder of one's own; `at` is now.

    Raises Unreachable; OSError when `file` or `work` cannot be written.
    """
    writing = Writing(file)
    try:
        seals = [found for folder in folders if folder.name == SEALS for found in files(folder)]
        about = _ledger(store, writing, work)
        for name, path in [*seals, *(found for folder in folders if folder.name != SEALS for found in files(folder))]:
            writing.add(name, _content(path))
        schema, contents = about
        newest = max((name.removeprefix(f"{SEALS}/") for name, _ in seals), default="")
        taken_at = at.isoformat(timespec="seconds")
        kind = store.url.get_backend_name()
        manifest = Manifest(FORMAT, jalon, schema, kind, taken_at, contents, newest, writing.members)
        return Taken(manifest, writing.finish(manifest))
    except BaseException:
        writing.abandon()
        raise


def _ledger(store: Store, writing: Writing, work: Path) -> tuple[str, Contents]:
    try:
        with store.dialect.snapshot(store.engine, work) as moment:
            about = _about(moment)
            for name, content in moment.files:
                writing.add(name, content)
    except OSError:
        raise
    except Exception as fault:
        raise_in_french(fault, store.dialect)
        raise
    return about


def _about(moment: Snapshot) -> tuple[str, Contents]:
    ask = moment.cursor
    newest = _one(ask, "SELECT entry FROM journal ORDER BY id DESC LIMIT 1")
    register = _one(ask, "SELECT digest FROM register_journal ORDER BY id DESC LIMIT 1")
    contents = Contents(
        int(_one(ask, "SELECT count(*) FROM partnerships") or 0),
        int(_one(ask, "SELECT count(*) FROM journal") or 0),
        int(_one(ask, "SELECT count(*) FROM register_journal") or 0),
        register or GENESIS,
        _recorded_at(newest),
    )
    return _one(ask, "SELECT version_num FROM alembic_version") or "", contents


def contents_of(cursor: Cursor) -> Contents:
    """What a ledger holds."""
    return _about(Snapshot(cursor, iter(())))[1]


def _recorded_at(entry: str | None) -> str:
    try:
        return str(orjson.loads(entry or "{}").get("recorded_at", ""))
    except (ValueError, AttributeError):  # somebody has written it: a proof will say so
        return ""


def _one(cursor: Cursor, question: str) -> str | None:
    cursor.execute(question)
    row = cursor.fetchone()
    return None if row is None else str(row[0])


def files(folder: Folder) -> list[tuple[str, Path]]:
    """The finished files in a folder and below, in order: their names in a backup, and where they are. Raises Unreachable."""
    found = []
    for path in sorted(_walked(folder.path)):
        name = "/".join((folder.name, *path.relative_to(folder.path).parts))
        if path.name.endswith(LEFT_OUT[0]) or path.name.startswith(LEFT_OUT[1]):
            continue
        if not acceptable(name, "sqlite"):
            raise Unreachable(f"Le fichier {shown(name)} a un nom qu’une sauvegarde ne peut pas porter : renommez-le.")
        found.append((name, path))
    return found


def _walked(folder: Path) -> Iterator[Path]:
    """Regular files; what is a link, or anything else, is not ours."""
    try:
        for path in folder.iterdir() if folder.is_dir() else ():
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                yield from _walked(path)
            elif stat.S_ISREG(mode):
                yield path
    except OSError as fault:
        raise Unreachable(f"Le dossier {folder} ne se lit pas ({unreadable(fault)}).") from fault


def _content(path: Path) -> Iterator[bytes]:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as fault:
        raise Unreachable(f"Le fichier {path} ne se lit pas ({unreadable(fault)}).") from fault
