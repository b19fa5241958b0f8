"""How a trainee is recognised without being named: a keyed digest to find doubles, a salted commitment for the chain."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import date

from states.canonical import canonical, digest


def plain(name: str) -> str:
    """A name without accents, case, spaces or hyphens: « LEFÈVRE-Dupont » is « lefevredupont »."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


def person_digest(pepper: str, family_name: str, given_name: str, born_on: date) -> str:
    """The same for the same person in one dossier; meaningless without the dossier's own secret `pepper`."""
    person = "\0".join((plain(family_name), plain(given_name), born_on.isoformat()))
    return hmac.new(bytes.fromhex(pepper), person.encode(), hashlib.sha256).hexdigest()


def commitment(salt: str, family_name: str, given_name: str, born_on: date) -> str:
    """What the journal keeps of a person. Erasing the salt and the names makes it say nothing, and the chain holds."""
    return digest(canonical([salt, family_name, given_name, born_on.isoformat()]))
