"""The folder of the seals: one file a night, written whole or not at all, and never written again."""

from __future__ import annotations

import os
from pathlib import Path

from models.database.faults import Unreachable
from states.values.french import unreadable


def folder_of(home: Path) -> Path:
    """Where the seals of a house are."""
    return home / "seals"


def read_all(folder: Path) -> list[tuple[str, bytes]]:
    """Every seal as its file's name and content, in the order of the nights. Raises Unreachable."""
    try:
        return [(path.name, path.read_bytes()) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    except OSError as fault:
        raise Unreachable(f"Les sceaux ne peuvent pas être lus dans {folder} ({unreadable(fault)}).") from fault


def read_one(folder: Path, night: str) -> bytes:
    """The seal of one night. Raises Unreachable."""
    try:
        return (folder / f"{night}.json").read_bytes()
    except OSError as fault:
        raise Unreachable(f"Le sceau ne peut pas être lu dans {folder} ({unreadable(fault)}).") from fault


def write(folder: Path, night: str, content: bytes) -> None:
    """Write the seal of a night, readable by its owner alone. One that is there already stays. Raises Unreachable."""
    path = folder / f"{night}.json"
    part = path.with_suffix(".part")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _put(part, path)
        _synced(folder)
    except OSError as fault:
        raise Unreachable(f"Le sceau ne peut pas être écrit dans {folder} ({unreadable(fault)}).") from fault


def _put(part: Path, path: Path) -> None:
    """Give a finished file its name, unless there is one of that name: a link takes the place of nothing, a rename would."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        pass
    except OSError:  # a disk without links
        if not path.exists():
            part.replace(path)
    part.unlink(missing_ok=True)


def _synced(folder: Path) -> None:
    """Make the name of the file last as well as its content."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
