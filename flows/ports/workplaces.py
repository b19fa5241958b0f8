"""A folder of one's own beside what is being made, so that it is put into its place whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from models.database.faults import Unreachable
from states.values.french import unreadable

SUFFIX = ".part"
YOUNG = 10  # seconds in which a folder may not be locked yet


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A folder beside `target`, for its owner alone, gone when the block ends. What a killed process left there goes too.

    Raises Unreachable when there can be no such folder.
    """
    prefix = f".{target.name}."
    try:
        _sweep(target.parent, prefix)
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=SUFFIX, dir=target.parent))
    except OSError as fault:
        raise Unreachable(f"Le dossier {target.parent} n’accepte pas d’écriture ({unreadable(fault)}).") from fault
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove what nobody holds any more: names of trainees may be in it."""
    for path in parent.iterdir():
        if not (path.name.startswith(prefix) and path.name.endswith(SUFFIX) and path.is_dir() and not path.is_symlink()):
            continue
        with suppress(OSError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - path.stat().st_mtime > YOUNG:
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


def keep(folder: Path) -> None:
    """Make sure that what a folder lists outlives a power cut."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(lock)
    finally:
        os.close(lock)


def assert_room(folder: Path, wanted: int) -> None:
    """Raises Unreachable when the disk of a folder has not so many bytes left."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise Unreachable(f"La place manque sur le disque de {folder} : il faut {megabytes(wanted)}, il reste {megabytes(free)}.")


def megabytes(size: int) -> str:
    """`12345678` as « 12,3 Mo », `1234` as « 1 Ko »."""
    return f"{size / 10**6:.1f} Mo".replace(".", ",") if size >= 10**5 else f"{-(-size // 1000)} Ko"
