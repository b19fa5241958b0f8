"""Requests with personal data wait here as files, so that no name ever passes through Prefect."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from functools import partial
from pathlib import Path

from models.answers import Invalid

FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,80}\.json$"
AT_MOST = 1_000_000  # bytes
DEEP_AT_MOST = 20  # levels of a request
DOCUMENT = r"@[A-Za-z0-9][A-Za-z0-9._-]{0,99}"  # in a form, in place of a fingerprint


def read(folder: Path, name: str) -> dict[str, object]:
    """The JSON object in a file of the inbox. Raises Invalid; the file stays where it is."""
    if not isinstance(name, str) or not re.fullmatch(FILE_NAME, name):
        raise Invalid("Le nom du fichier déposé n’est pas permis : lettres, chiffres et tirets, puis « .json ».")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise Invalid(f"Le fichier {name} n’est pas dans la corbeille d’arrivée.")
    if path.stat().st_size > AT_MOST:
        raise Invalid(f"Le fichier {name} est trop gros.")
    return parsed(path.read_bytes(), name)


def fingerprinted(folder: Path, value: object, deep: int = 0) -> object:
    """What a form gave, where each « @file » in place of a fingerprint is that of this file of the inbox. Raises Invalid."""
    if deep > DEEP_AT_MOST:
        raise Invalid("La demande a trop de niveaux.")
    if isinstance(value, list):
        return [fingerprinted(folder, item, deep + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _fingerprint(folder / value.removeprefix("@")) if _is_document(name, value) else fingerprinted(folder, value, deep + 1)
        for name, value in value.items()
    }


def _is_document(name: str, value: object) -> bool:
    return name.endswith("sha256") and isinstance(value, str) and re.fullmatch(DOCUMENT, value) is not None


def _fingerprint(path: Path) -> str:
    """Its name is not repeated: whoever chose it may have named a trainee."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as document:
            if stat.S_ISREG(os.fstat(document.fileno()).st_mode):
                return hashlib.file_digest(document, "sha256").hexdigest()
    except OSError:
        pass
    raise Invalid("Le document que la demande nomme après @ n’est pas dans la corbeille d’arrivée, ou ne se lit pas.")


def parsed(content: bytes, name: str) -> dict[str, object]:
    """The JSON object in `content`. Raises Invalid, naming the place of the fault and never the content."""
    try:
        value = json.loads(content.decode("utf-8-sig"), object_pairs_hook=partial(_once, name))
    except UnicodeDecodeError:
        raise Invalid(f"{name} n’est pas écrit en UTF-8.") from None
    except json.JSONDecodeError as fault:
        raise Invalid(f"{name} n’est pas du JSON lisible : ligne {fault.lineno}, colonne {fault.colno}.") from None
    except (RecursionError, ValueError):
        raise Invalid(f"{name} n’est pas du JSON lisible : trop de niveaux, ou un nombre trop long.") from None
    if not isinstance(value, dict):
        raise Invalid(f"{name} doit contenir un objet JSON, entre accolades.")
    return value


def _once(name: str, pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of these pairs; a key given twice would otherwise lose its first value without a word."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise Invalid(f"{name} donne deux fois le même champ.")
    return value


def drop(folder: Path, name: str) -> None:
    """Take a file out of the inbox, once the ledger holds what it said."""
    (folder / name).unlink(missing_ok=True)
