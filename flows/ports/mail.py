"""Mail, written as .eml files: real messages that any mail program opens."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple

from models.database.faults import Unreachable
from states.values.french import unreadable
from states.values.plain import legible

UNNAMED = re.compile(r"[^A-Za-z0-9._-]")

DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class Letter(NamedTuple):
    """A message to one person. `key` never changes for the same message, so that a second copy can be recognised."""

    key: str
    to_name: str
    to_mail: str
    subject: str
    body: str
    at: datetime
    attached: tuple[str, bytes] | None = None  # the name and the content of a JSON file


def message(letter: Letter, sender: str) -> EmailMessage:
    """The letter as a message; the same letter always gives the same bytes."""
    # Folding a header with accents doubles a space (a fault of the standard library), so short headers are not folded.
    mail = EmailMessage(policy=SMTP.clone(max_line_length=998))
    mail["From"] = legible(sender, keep="")
    mail["To"] = legible(letter.to_mail, keep="")
    mail["Subject"] = legible(letter.subject, keep="")
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{_name(letter)}@jalon.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(legible(letter.body), cte="8bit")
    if letter.attached is not None:
        name, content = letter.attached
        mail.add_attachment(content, maintype="application", subtype="json", filename=name)
        mail.set_boundary(_short(letter.key + letter.to_mail) * 4)
    return mail


def write(letter: Letter, *, folder: Path, sender: str) -> Path:
    """Write the letter into `folder`, whole or not at all; a second copy takes the place of the first.

    Raises Unreachable when the folder cannot be written.
    """
    path = folder / f"{_name(letter)}.eml"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        # An invitation lets whoever reads it act: a letter is for its owner alone, also in a folder that is older than jalon.
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(message(letter, sender).as_bytes())
        partial.replace(path)
    except (ValueError, UnicodeError, IndexError):  # what the mail package says of an address that is none
        raise Unreachable(f"Le courrier à {letter.to_name} ne peut pas être écrit : son adresse n’est pas lisible.") from None
    except OSError as fault:
        raise Unreachable(f"Le courrier ne peut pas être écrit dans {folder} ({unreadable(fault)}).") from fault
    return path


def _name(letter: Letter) -> str:
    """That of a file of the folder, whatever a row of the outbox has for a key."""
    return f"{UNNAMED.sub('_', letter.key)}.{_short(letter.to_mail)}"


class Folder:
    """The letters that a folder holds, by their keys, as they were when it was looked at."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        self._paths: dict[str, list[Path]] = {}
        for path in sorted(folder.glob("*.eml")):
            self._paths.setdefault(path.name.rpartition(".")[0].rpartition(".")[0], []).append(path)

    def held(self) -> Iterable[str]:
        """The key of each letter."""
        return self._paths.keys()

    def digests(self, key: str) -> frozenset[str] | None:
        """The digests of 64 hexadecimal digits that the letters of a key carry; None when there is none. Raises Unreachable."""
        paths = self._paths.get(key)
        if paths is None:
            return None
        try:
            return frozenset(found.decode() for path in paths for found in DIGEST.findall(path.read_bytes()))
        except OSError as fault:
            raise Unreachable(f"Un courrier ne peut pas être lu ({unreadable(fault)}).") from fault


def kept(folder: Path) -> Folder | None:
    """The letters that a folder holds; None where there is no such folder. Raises Unreachable."""
    try:
        return Folder(folder) if folder.is_dir() else None
    except OSError as fault:
        raise Unreachable(f"Les courriers ne peuvent pas être lus dans {folder} ({unreadable(fault)}).") from fault


def _short(address: str) -> str:
    return hashlib.sha256(address.encode(errors="replace")).hexdigest()[:8]
