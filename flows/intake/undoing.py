"""Which entry of a journal somebody wants to take back, as a form or a page writes it."""

from __future__ import annotations

import re

from flows.home import Home
from models.answers import Invalid
from states.grammar.request import Request
from states.journal.entry import Entry
from states.journal.undoing import taken_with
from states.lifecycle import STEPS

WRITTEN = r"^[0-9]{1,6}( : .*)?$"  # what a form takes for an entry: its number, and what the page has written after it


def entry_label(entry: Entry) -> str:
    """An entry as a form shows it: « 13 : Consigner un abandon, par Tania (stagiaire n° 2) »."""
    return f"{entry.n} : {entry.label}, par {entry.actor} ({taken_with(entry)})"


def entry_meant(home: Home, reference: str, request: object) -> object:
    """A request to undo as a form gives it, with the number of its entry alone.

    Raises Invalid when what stands after the number is not what this dossier's journal says of that entry: somebody has changed the
    number, or the reference, and would take back something else than is shown.
    """
    if not isinstance(request, dict):
        return request
    written = request.get("entry")
    if not isinstance(written, str) or re.match(WRITTEN, written) is None:
        return request
    number, _, words = written.partition(" : ")
    if words:
        there = next((line.entry for line in home.views.history(reference) if line.entry.n == int(number)), None)
        if there is None or entry_label(there) != written:
            said = f"c’est « {entry_label(there)} »" if there is not None else "il n’y en a pas"
            raise Invalid(f"L’entrée {number} de {reference} n’est pas celle que le formulaire montre : {said}. Reprenez depuis sa page.")
    return {**request, "entry": int(number)}


def took_a_code(home: Home, reference: str, request: Request) -> bool:
    """Whether the entry that a request names was a step that asks for a one-time code: taking it back asks for one too."""
    named = getattr(request, "entry", None)
    entry = next((line.entry for line in home.views.history(reference) if line.entry.n == named), None)
    step = STEPS.get(entry.trigger) if entry is not None else None
    return step is not None and step.asks_code
