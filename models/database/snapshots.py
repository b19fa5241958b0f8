"""A database as it was at one moment, to be carried away; and one that was carried here, to be proved before anybody finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from models.database.dialect import Cursor


class Snapshot(NamedTuple):
    """One moment of a database, while others go on writing: `cursor` asks of it, `files` are its names and contents.

    Each content is read to its end before the next name is asked for.
    """

    cursor: Cursor
    files: Iterator[tuple[str, Iterator[bytes]]]


class Landing(NamedTuple):
    """A database that was carried here. `url` finds it, which nobody else has; `publish` lets everybody find it.

    `faults` are what is odd of it besides its rows, as French sentences.
    """

    url: str
    faults: tuple[str, ...]
    publish: Callable[[], None]
