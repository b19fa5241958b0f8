"""Names that look like another one: a person has one name, written in one alphabet."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from states.register.facts import folded

BESIDES_LETTERS = frozenset(" -'’.0123456789")
SCRIPTS = {"CYRILLIC": "cyrillique", "GREEK": "grecque", "ARMENIAN": "arménienne", "HEBREW": "hébraïque", "CHEROKEE": "cherokee"}
# Letters of other alphabets that are drawn as a Latin one; a digit that passes for a letter.
PAIRS = (
    "АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT УY ХX ԚQ ԜW аa еe оo рp сc уy хx іi јj ѕs ԛq ԝw һh ӏl ΑA ΒB ΕE "
    "ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX οo νv ιi αa ρp υu κk 0o 1l"
)
DRAWN_AS = str.maketrans({pair[0]: pair[1] for pair in PAIRS.split()})


def written(name: str) -> str:
    """The one way in which a name is written: composed (NFKC), with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def odd_letters(name: str) -> list[str]:
    """What stands in a name and is no letter of a French register: another alphabet, something invisible, piled accents."""
    odd = [_described(letter) for letter in written(name) if letter not in BESIDES_LETTERS and not _is_latin(letter)]
    return list(dict.fromkeys(odd))


def _is_latin(letter: str) -> bool:
    return letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN ")


def _described(letter: str) -> str:
    if unicodedata.combining(letter):
        return "des accents empilés"
    code, known = f"U+{ord(letter):04X}", unicodedata.name(letter, "")
    if not letter.isprintable() or letter.isspace() or "FILLER" in known:
        return f"un caractère invisible ({code})"
    script = SCRIPTS.get(known.partition(" ")[0])
    return f"« {letter} » ({code}{f', lettre {script}' if script else ''})"


def skeleton(name: str) -> str:
    """What a reader sees of a name: two names of one skeleton pass for each other."""
    decomposed = unicodedata.normalize("NFD", written(name))
    visible = "".join(letter for letter in decomposed if letter.isprintable() and not unicodedata.combining(letter))
    return folded(visible.translate(DRAWN_AS)).replace(" ", "").replace("-", "").replace(".", "").replace("’", "'")


def passes_for(name: str, others: Iterable[str]) -> str | None:
    """The first of the other names that this one could be taken for."""
    seen = skeleton(name)
    return next((other for other in others if skeleton(other) == seen), None)
