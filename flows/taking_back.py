"""Which entry of a journal somebody wants to take back: what can be is shown, and the number is asked for, never guessed."""

from __future__ import annotations

import re
import sys
from typing import Any

from flows.home import Home
from flows.screen import short_day, table
from models.answers import Invalid
from states.lifecycle import STEPS
from states.requests import Request
from states.undoing import told_of

SHOWN_AT_MOST = 12
WRITTEN = r"^[0-9]{1,6}( : .*)?$"  # what a form takes for an entry: its number, and what the page has written after it


def entry_told(entry: dict[str, Any]) -> str:
    """An entry (parsed) as a form shows it: « 13 : Consigner un abandon, par Tania (stagiaire n° 2) »."""
    return f"{entry['n']} : {entry['label']}, par {entry['actor']} ({told_of(entry)})"


def entry_meant(home: Home, reference: str, request: Any) -> Any:
    """A request to undo as a form gives it, with the number of its entry alone.

    Raises Invalid when what stands after the number is not what this dossier's journal says of that entry: somebody has changed the
    number, or the reference, and would take back something else than is shown.
    """
    written = request.get("entry") if isinstance(request, dict) else None
    if not isinstance(written, str) or re.match(WRITTEN, written) is None:
        return request
    number, _, words = written.partition(" : ")
    if words:
        there = next((entry for entry in home.views.history(reference) if entry["n"] == int(number)), None)
        if there is None or entry_told(there) != written:
            said = f"c’est « {entry_told(there)} »" if there is not None else "il n’y en a pas"
            raise Invalid(f"L’entrée {number} de {reference} n’est pas celle que le formulaire montre : {said}. Reprenez depuis sa page.")
    return {**request, "entry": int(number)}


def took_a_code(home: Home, reference: str, request: Request) -> bool:
    """Whether the entry that a request names was a step that asks for a one-time code: taking it back asks for one too."""
    named = getattr(request, "entry", None)
    entry = next((one for one in home.views.history(reference) if one["n"] == named), None)
    step = STEPS.get(entry["trigger"]) if entry is not None else None
    return step is not None and step.moves_money


def entry_chosen(home: Home, reference: str, person: str) -> int:
    """The number that somebody at a terminal types, once shown what each would take back, and which are up to others.

    Raises Invalid, with the same list, where nobody can be asked.
    """
    found = home.views.undoable(reference, SHOWN_AT_MOST, home.register.actor(person))
    if not found:
        raise Invalid(f"Il n’y a rien à annuler dans {reference} : seule l’ouverture du dossier reste.")
    lines = table(
        ("Entrée", "Date", "Étape", "Par", "Ce qui est concerné"),
        (
            [str(one["n"]), short_day(one["effective_on"]), one["label"], one["actor"], _taken(one["takes_back"], one["because"])]
            for one in found
        ),
    )
    if len(found) == SHOWN_AT_MOST:
        lines.append("Les entrées plus anciennes s’annulent aussi, par leur numéro (jalon show).")
    if not sys.stdin.isatty():
        raise Invalid("Dites quelle entrée annuler, avec --entry et son numéro :", *lines)
    print("\n".join(lines), file=sys.stderr)
    try:
        typed = input("Numéro de l’entrée à annuler : ").strip()
    except EOFError:  # Ctrl-D
        raise Invalid("Aucun numéro n’est donné : rien n’est annulé.") from None
    if not typed.isascii() or not typed.isdigit():
        raise Invalid("Ce n’est pas un numéro d’entrée : rien n’est annulé.")
    return int(typed)


def _taken(takes_back: str, because: str | None) -> str:
    return f"{takes_back} — pas maintenant : {because}" if because else takes_back
