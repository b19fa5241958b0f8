"""How a trainee is recognised without being named: a keyed digest to find doubles, a salted commitment for the chain."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import date

LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})  # letters to Unicode, two letters to a registrar


def plain(name: str) -> str:
    """A name without accents, case, spaces or hyphens: « LEFÈVRE-Dupont » is « lefevredupont »."""
    if name.isascii():
        if name.isalpha():
            return name.lower()
        return "".join(filter(str.isalnum, name.casefold()))
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(LIGATURES))
    return "".join(letter for letter in decomposed if letter.isalnum())


def keyed(pepper: str, content: bytes) -> str:
    """The keyed BLAKE2b digest of `content`, as 64 hexadecimal digits: without `pepper`, nobody can check a guess."""
    return hashlib.blake2b(content, digest_size=32, key=bytes.fromhex(pepper)).hexdigest()


def person_digest(pepper: str, family_name: str, given_name: str, born_on: date) -> str:
    """The same for the same person in one dossier, names in either order; meaningless without the dossier's secret `pepper`."""
    person = "\0".join((*sorted((plain(family_name), plain(given_name))), born_on.isoformat()))
    return keyed(pepper, person.encode())


def commitment(salt: str, family_name: str, given_name: str, born_on: date) -> str:
    """What the journal keeps of a person. Erasing the salt and the names makes it say nothing, and the chain holds."""
    person = f"{salt}\0{family_name}\0{given_name}\0{born_on.isoformat()}"
    return hashlib.sha256(person.encode()).hexdigest()


def spread(salt: str, place: int) -> str:
    """A salt of its own for each person of one request, from the one that was drawn."""
    return hashlib.sha256(f"{salt}\0{place}".encode()).hexdigest()[: len(salt)]
