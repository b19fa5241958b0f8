"""Every command stops alike on an unsound table, also one that needs no table: loading it would take `jalon list` two thirds longer.

So it is loaded once for each version of the sources, and a file in the home remembers which one was found sound.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from os import DirEntry, scandir
from pathlib import Path

SOURCES = Path(__file__).parents[2]
RINGS = ("states", "models", "flows")
REMEMBERED = "table.sound"


def assert_sound(home: Path) -> None:
    """Raises UnsoundTable, or whatever else stops the other commands, unless these very sources were found sound before."""
    sources, kept = _sources(), home / REMEMBERED
    with suppress(OSError):
        if kept.read_bytes() == sources:
            return
    from flows.cli.commands import app  # the table, and the commands that are made from it

    app()
    with suppress(OSError):  # a home that cannot be written to, or is not there: looked at again next time
        kept.write_bytes(sources)


def _sources() -> bytes:
    """What tells these sources from others: as for compiled Python, where they stand, how long they are and when they were written."""
    found = sorted(line for ring in RINGS for line in _files(SOURCES / ring))
    return hashlib.sha256("\n".join([sys.version, *found]).encode()).hexdigest().encode()


def _files(folder: Path | DirEntry[str]) -> Iterator[str]:
    with scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                known = entry.stat()
                yield f"{entry.path} {known.st_size} {known.st_mtime_ns}"
            elif entry.is_dir() and entry.name != "__pycache__":
                yield from _files(entry)
