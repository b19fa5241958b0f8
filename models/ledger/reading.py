"""A journal entry read from its bytes; light, for whoever only shows a dossier."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

import orjson

from states.journal.entry import Entry, entry_from, shape
from states.journal.upcasting import request_as_read
from states.values.law import FIRST_LAW, LAW
from states.vocabulary import State

SHAPES = lru_cache(maxsize=256)(shape)  # a journal holds few kinds of entries


def parsed(content: str | bytes) -> Entry:
    """A journal entry from its JSON. Raises ValueError when it is none: a field is missing, of another type, or one too many."""
    return entry_from(orjson.loads(content), SHAPES)


def legible(entry: Entry) -> Entry:
    """An entry that can be shown: its days, its instant, its states and its reasons are what they should be. Raises ValueError."""
    date.fromisoformat(entry.effective_on)
    if datetime.fromisoformat(entry.recorded_at).tzinfo is None:
        raise ValueError("not an instant")
    State(entry.source), State(entry.dest)
    if any(not isinstance(reason, dict) or "code" not in reason for reason in entry.reasons):
        raise ValueError("not a reason")
    return entry


def as_read(entry: Entry) -> Entry:
    """An entry whose request is told in the words of the law in force, for whoever shows it; the journal keeps its own."""
    law = FIRST_LAW if entry.law is None else entry.law
    if law == LAW:
        return entry
    from states.lifecycle import STEPS

    step = STEPS.get(entry.trigger)
    return entry if step is None else entry._replace(request=request_as_read(step.asks.__name__, entry.request, law))
