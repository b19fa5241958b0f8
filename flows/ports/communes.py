"""Which commune a person means: every French commune of 2026, by INSEE code or by exact name, without any network.

A name is compared without accents, case, spaces, hyphens or apostrophes, « St » being « Saint ». Nothing is guessed: a name of
several communes gives them all, a postcode is no name, and `nearest` only proposes.
Source and licence of communes.csv: build_communes.py. Why it is so: docs/decisions/009-communes.md.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from difflib import get_close_matches
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from sys import intern
from typing import NamedTuple

from states.values.french import alternatives

AT_MOST = 200  # characters: the longest name has 45
HOW_CLOSE = 0.75  # of difflib's ratio: one wrong letter in four

CODE = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}", re.IGNORECASE)
DEPARTMENT = r"(2[AB]|9[78][0-9]|[0-9]{2})"
NARROWED = re.compile(rf"(.*?)\s*(?:\(\s*{DEPARTMENT}\s*\)|,\s*{DEPARTMENT})", re.IGNORECASE)
ARTICLE_LAST = re.compile(r"(.*\S)\s*\((le|la|les|l['’])\)", re.IGNORECASE)  # « Touquet-Paris-Plage (Le) », as old lists write

ACCENTS = re.compile("[\u0300-\u036f]+")
ORDINAL = re.compile(r"\b0?([0-9]{1,2})(?:er|e|eme|ieme)?(?:\s*arr(?:ondissement|dt|t)?)?\b")  # « Paris 1er », « Lyon 03 »
SHORT = re.compile(r"\b(?:sts?|stes?|lez)\b|\bs/")
LONG = {"st": "saint", "sts": "saints", "ste": "sainte", "stes": "saintes", "lez": "les", "s/": "sur"}


class ListedCommune(NamedTuple):
    """A commune of today; `matched` is the code or the name of a part of it (delegated, associated...) that led to it."""

    insee: str
    name: str
    department: str
    matched: str | None


class _Book:
    """The communes by code, and by compared name once somebody asks for a name: that takes three times as long."""

    def __init__(self, by_code: dict[str, ListedCommune], named: list[tuple[str, ListedCommune]]) -> None:
        self.by_code = by_code
        self._named = named

    @cached_property
    def by_name(self) -> dict[str, tuple[ListedCommune, ...]]:
        """Every commune of a name."""
        return _by_name(self._named)


def find(text: str) -> tuple[ListedCommune, ...]:
    """The communes that an INSEE code or a name may mean, by INSEE code; none when it means none.

    « Athies (62) » or « Athies, 62 » keeps those of the department.
    """
    name, department = _parts(text)
    book = _book()
    if CODE.fullmatch(name):
        coded = book.by_code.get(name.upper())
        candidates: tuple[ListedCommune, ...] = (coded,) if coded else ()
    else:
        candidates = book.by_name.get(_keys(name)[0], ())
    return tuple(commune for commune in candidates if department in ("", commune.department))


def nearest(text: str, most: int = 3) -> tuple[ListedCommune, ...]:
    """At most `most` communes to propose to who wrote `text`: names that go on after it first, then names spelt much like it."""
    name, department = _parts(text)
    (key,) = _keys(name)
    if not any(map(str.isalpha, key)) or CODE.fullmatch(name):
        return ()
    there = {
        name: tuple(commune for commune in communes if department in ("", commune.department)) for name, communes in _book().by_name.items()
    }
    names = [name for name, communes in there.items() if communes]
    longer = sorted((name for name in names if name.startswith(key)), key=len)
    close = get_close_matches(key, names, n=most, cutoff=HOW_CLOSE)
    proposed = {commune.insee: commune for name in chain(longer[:most], close) for commune in there[name]}
    return tuple(proposed.values())[:most]


def proposal(text: str) -> str:
    """The question to put to who wrote a name that no commune has, or nothing when none comes near."""
    found = [f"{commune.name} ({commune.insee})" for commune in nearest(text)]
    return f"vouliez-vous dire {alternatives(found)} ?" if found else ""


def _parts(text: str) -> tuple[str, str]:
    """The name or code and the department in `text`, each empty when there is none or when no commune is written so."""
    text = text[: AT_MOST + 1].strip()
    if len(text) > AT_MOST or any(unicodedata.category(letter)[0] == "C" for letter in text):
        return "", ""
    department = ""
    if narrowed := NARROWED.fullmatch(text):
        text, department = narrowed[1], (narrowed[2] or narrowed[3]).upper()
    if inverted := ARTICLE_LAST.fullmatch(text):
        text = f"{inverted[2]} {inverted[1]}"
    return text, department


def _keys(names: str) -> list[str]:
    """What is compared of each line of `names`: letters and digits only. All lines at once: one by one takes thrice as long."""
    plain = unicodedata.normalize("NFKD", names.casefold().replace("œ", "oe").replace("æ", "ae"))
    plain = ORDINAL.sub(r"\1", ACCENTS.sub("", plain))
    plain = SHORT.sub(lambda short: LONG[short[0]], plain)
    return re.sub(r"[^a-z0-9\n]+", "", plain).split("\n")


@cache
def _book() -> _Book:
    """Read when the first commune is asked for, and kept."""
    by_code: dict[str, ListedCommune] = {}
    named: list[tuple[str, ListedCommune]] = []
    with Path(__file__).with_name("communes.csv").open(encoding="utf-8", newline="") as file:
        next(file)
        for insee, name, department, aliases in csv.reader(file):
            by_code[insee] = commune = ListedCommune(insee, name, intern(department), None)
            named.append((name, commune))
            for alias in aliases.split("|") if aliases else ():
                part = commune._replace(matched=alias)
                if CODE.fullmatch(alias):
                    by_code[alias] = part
                else:
                    named.append((alias, part))
    return _Book(by_code, named)


def _by_name(named: list[tuple[str, ListedCommune]]) -> dict[str, tuple[ListedCommune, ...]]:
    """Communes by compared name; one that is called so itself needs no part that is."""
    found: dict[str, tuple[ListedCommune, ...]] = {}
    for key, (_, commune) in zip(_keys("\n".join(name for name, _ in named)), named, strict=True):
        others = found.get(key, ())
        if not others or commune.insee not in {other.insee for other in others}:
            found[key] = (*others, commune)
    return found
