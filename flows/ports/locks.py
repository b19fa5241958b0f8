"""A lock that one process of this machine holds at a time, and that goes with it when it dies."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from models.database.faults import Unreachable
from states.values.french import unreadable


@contextmanager
def held(path: Path, *, waits: Callable[[], object] | None = None) -> Iterator[bool]:
    """Hold the lock of a file while the block runs; False when somebody else holds it.

    With `waits`, that is called once, and then the lock is waited for. Raises Unreachable when there can be no such file.
    """
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waits is None:
                yield False
                return
            waits()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield True


def _opened(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path.open("wb")
    except OSError as fault:
        raise Unreachable(f"Le verrou {path} ne peut pas être posé ({unreadable(fault)}).") from fault
