"""The one door for what somebody hands over as a file: a regular file, opened once, and never more of it than was allowed.

What is answered about a file and what is kept of it come from the same bytes: nothing looks at a path twice.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from pathlib import Path

from models.answers import Invalid
from states.values.french import unreadable

DOCUMENT_AT_MOST = 30_000_000  # bytes of what only a fingerprint is kept of
SLICE = 1 << 20
# Nothing waits for the writer of a pipe, becomes somebody's terminal, or is left open in a child.
OPENED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)  # one may be entered and not listed
NO_FILE = "c’est un dossier ou un appareil"
LINK = "c’est un lien hors de son dossier : donnez le fichier lui-même"
CHANGING = "il change pendant la lecture : réessayez une fois qu’il est complet"


def taken(path: Path, at_most: int, *, called: str = "Le fichier", told: str = "") -> bytes:
    """The bytes of a file; a link is followed to a file of the same folder, and no further. Raises Invalid.

    `called` names the file in what is told; with `told`, that is all that is said of one that cannot be read.
    """
    try:
        descriptor = _opened(path)
        try:
            return _read(descriptor, at_most, called)
        finally:
            os.close(descriptor)
    except _Unread as fault:
        raise Invalid(told or f"{called} ne peut pas être lu ({fault}).") from None
    except OSError as fault:
        reason = LINK if fault.errno == errno.ELOOP else unreadable(fault)
        raise Invalid(told or f"{called} ne peut pas être lu ({reason}).") from None
    except ValueError:  # a NUL byte
        raise Invalid(told or "Le nom du fichier n’est pas lisible.") from None


def fingerprint(path: Path, *, called: str, told: str = "") -> str:
    """The sha256 of a document that stays where it is. Raises Invalid, also for an empty one: it proves nothing."""
    content = taken(path, DOCUMENT_AT_MOST, called=called, told=told)
    if not content:
        raise Invalid(f"{called} est vide.")
    return hashlib.sha256(content).hexdigest()


def standard_input(at_most: int) -> bytes:
    """What another program says, however long it takes to say it, and no more than `at_most` bytes. Raises Invalid."""
    called = "L’entrée standard"
    try:
        content = sys.stdin.buffer.read(at_most + 1) if sys.stdin is not None else None
    except OSError as fault:
        raise Invalid(f"{called} ne peut pas être lue ({unreadable(fault)}).") from None
    if content is None:
        raise Invalid(f"{called} est fermée.")
    if len(content) > at_most:
        raise Invalid(f"{called} est trop longue : {_size(at_most)} au plus.")
    return content


class _Unread(Exception):
    """Why a file is none that can be read."""


def _opened(path: Path) -> int:
    folder = os.open(path.parent, FOLDER)
    try:
        name = path.name or os.curdir
        kind = _kind(name, folder)
        if stat.S_ISLNK(kind):
            name = os.readlink(name, dir_fd=folder)
            kind = _kind(name, folder) if os.sep not in name else 0
            if not stat.S_ISREG(kind):
                raise _Unread(LINK)
        if not stat.S_ISREG(kind):  # a device may do something when it is opened
            raise _Unread(NO_FILE)
        # Whatever has become of it since, a link is not followed here.
        return os.open(name, OPENED, dir_fd=folder)
    finally:
        os.close(folder)


def _kind(name: str, folder: int) -> int:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode


def _read(descriptor: int, at_most: int, called: str) -> bytes:
    """All that the file holds. It is the same when it ends as when it began, or it is not taken."""
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise _Unread(NO_FILE)
    parts, left = [], at_most + 1 if before.st_size <= at_most else 0
    while left and (part := os.read(descriptor, min(left, SLICE))):
        parts.append(part)
        left -= len(part)
    if not left:
        raise Invalid(f"{called} est trop gros : {_size(at_most)} au plus.")
    after = os.fstat(descriptor)
    content = b"".join(parts)
    if len(content) != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _Unread(CHANGING)
    return content


def _size(at_most: int) -> str:
    return f"{at_most // 1_000_000} Mo"
