"""Which entry of a journal somebody at a terminal wants to take back: what can be is shown, and the number is asked for, never guessed."""

from __future__ import annotations

import sys

from flows.home import Home
from flows.ports.clock import now
from flows.ports.terminal import say
from flows.wording import short_day, table
from models.answers import Invalid

SHOWN_AT_MOST = 12


def entry_chosen(home: Home, reference: str, person: str) -> int:
    """The number that somebody at a terminal types, once shown what each would take back, and which are up to others.

    Raises Invalid, with the same list, where nobody can be asked.
    """
    found = home.views.undoable(reference, SHOWN_AT_MOST, home.register.actor(person), at=now())
    if not found:
        raise Invalid(f"Il n’y a rien à annuler dans {reference} : seule l’ouverture du dossier reste.")
    lines = table(
        ("Entrée", "Date", "Étape", "Par", "Ce qui est concerné"),
        (
            [str(entry.n), short_day(entry.effective_on), entry.label, entry.actor, _taken(takes_back, because)]
            for entry, takes_back, because in found
        ),
    )
    if len(found) == SHOWN_AT_MOST:
        lines.append("Les entrées plus anciennes s’annulent aussi, par leur numéro (jalon show).")
    if not sys.stdin.isatty():
        raise Invalid("Dites quelle entrée annuler, avec --entry et son numéro :", *lines)
    say("\n".join(lines), sys.stderr)
    try:
        typed = input("Numéro de l’entrée à annuler : ").strip()
    except EOFError:  # Ctrl-D
        raise Invalid("Aucun numéro n’est donné : rien n’est annulé.") from None
    if not typed.isascii() or not typed.isdigit():
        raise Invalid("Ce n’est pas un numéro d’entrée : rien n’est annulé.")
    return int(typed)


def _taken(takes_back: str, because: str | None) -> str:
    return f"{takes_back} — pas maintenant. {because}" if because else takes_back
