"""Requests: as JSON that is bounded before it is believed, and those with personal data as files of the inbox.

So no name ever passes through Prefect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from math import isfinite
from pathlib import Path

from flows.ports.files import fingerprint, taken
from models.answers import Invalid

FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,80}\.json$"
AT_MOST = 1_000_000  # bytes
DEEP_AT_MOST = 20  # levels of a request
GROUPS_AT_MOST, VALUES_AT_MOST = 12_000, 120_000  # a request of 10,000 trainees has both
DIGITS_AT_MOST = 40
UNREADABLE_NUMBER = "un nombre est trop long, ou n’en est pas un"
TOO_DEEP = "La demande a trop de niveaux."
NOT_THERE = "Le document que la demande nomme après @ n’est pas dans la corbeille d’arrivée, ou ne se lit pas."
DOCUMENT = r"@[A-Za-z0-9][A-Za-z0-9._-]{0,99}"  # in a form, in place of a fingerprint


def read(folder: Path, name: str) -> dict[str, object]:
    """The JSON object in a file of the inbox. Raises Invalid; the file stays where it is."""
    if not isinstance(name, str) or not re.fullmatch(FILE_NAME, name):
        raise Invalid("Le nom du fichier déposé n’est pas permis : lettres, chiffres et tirets, puis « .json ».")
    return parsed(taken(folder / name, AT_MOST, called=f"Le fichier {name} de la corbeille d’arrivée"), name)


def bounded(request: object) -> None:
    """Refuse a request that no step could ask: so many values, or so deep, that only judging it would take all there is. Raises Invalid."""
    groups = values = 0
    level: list[object] = [request]
    for _ in range(DEEP_AT_MOST + 1):
        inner = [group for group in level if isinstance(group, dict | list | tuple)]
        groups, values = groups + len(inner), values + len(level)
        if groups > GROUPS_AT_MOST or values > VALUES_AT_MOST:
            raise Invalid("La demande est trop longue.")
        if not inner:
            return
        level = [value for group in inner for value in (group.values() if isinstance(group, dict) else group)]
    raise Invalid(TOO_DEEP)


def fingerprinted(folder: Path, value: object, deep: int = 0) -> object:
    """What a form gave, where each « @file » in place of a fingerprint is that of this file of the inbox. Raises Invalid."""
    if deep > DEEP_AT_MOST:
        raise Invalid(TOO_DEEP)
    if isinstance(value, list):
        return [fingerprinted(folder, item, deep + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _document(folder / value.removeprefix("@")) if _is_document(name, value) else fingerprinted(folder, value, deep + 1)
        for name, value in value.items()
    }


def _is_document(name: str, value: object) -> bool:
    return name.endswith("sha256") and isinstance(value, str) and re.fullmatch(DOCUMENT, value) is not None


def _document(path: Path) -> str:
    """Its name is not repeated: whoever chose it may have named a trainee."""
    return fingerprint(path, called="Le document que la demande nomme après @", told=NOT_THERE)


def parsed(content: bytes, name: str) -> dict[str, object]:
    """The JSON object in at most `AT_MOST` bytes. Raises Invalid, naming the place of the fault and never the content."""
    try:
        value = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=partial(_once, name),
            parse_int=partial(_number, int),
            parse_float=partial(_number, float),
            parse_constant=partial(_number, float),
        )
    except UnicodeDecodeError:
        raise Invalid(f"{name} n’est pas écrit en UTF-8.") from None
    except json.JSONDecodeError as fault:
        raise Invalid(f"{name} n’est pas du JSON lisible : ligne {fault.lineno}, colonne {fault.colno}.") from None
    except RecursionError:
        raise Invalid(f"{name} n’est pas du JSON lisible : trop de niveaux.") from None
    except ValueError:
        raise Invalid(f"{name} n’est pas du JSON lisible : {UNREADABLE_NUMBER}.") from None
    if not isinstance(value, dict):
        raise Invalid(f"{name} doit contenir un objet JSON, entre accolades.")
    return value


def _number(kind: Callable[[str], float], written: str) -> float:
    """A number, whose digits are counted before they are added up. Raises ValueError, also for those of JavaScript that are none."""
    if len(written) > DIGITS_AT_MOST or not isfinite(number := kind(written)):
        raise ValueError
    return number


def _once(name: str, pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of these pairs; a key given twice would otherwise lose its first value without a word."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise Invalid(f"{name} donne deux fois le même champ.")
    return value


def drop(folder: Path, name: str) -> None:
    """Take a file out of the inbox, once the ledger holds what it said."""
    (folder / name).unlink(missing_ok=True)
