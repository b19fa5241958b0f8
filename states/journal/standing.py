"""Which entries of a journal still stand: an undo names the entry that it takes back."""

from __future__ import annotations

from collections.abc import Iterable

from states.journal.entry import Entry

# Before entries had the number of a law, an undo took the last step that stood; jalon's own reviews were no step of anybody.
UNDO_OF_BEFORE, REVIEW_OF_BEFORE = "undo", "review_findings"


def undone(entries: Iterable[Entry]) -> dict[int, Entry]:
    """The entries that were taken back, by number, each with the entry that did it. `entries` are in order."""
    standing: list[int] = []
    gone = {}
    for entry in entries:
        if not entry.is_done:
            continue
        target = entry.undoes
        if entry.law is None and entry.trigger == UNDO_OF_BEFORE and standing:
            target = standing.pop()
        elif entry.law is None and entry.trigger not in (UNDO_OF_BEFORE, REVIEW_OF_BEFORE):
            standing.append(entry.n)
        if target is not None:
            gone[target] = entry
    return gone
