"""A journal entry read from its bytes; light, for whoever only shows a dossier."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import orjson

from states.journal.upcasting import request_as_read
from states.values.law import FIRST_LAW, LAW
from states.vocabulary import State

# What an entry always says, then what some entries say besides; each with the type of its JSON value.
ALWAYS: dict[str, type] = {
    **dict.fromkeys(("reference", "prev", "key", "trigger", "label", "from", "to", "outcome", "actor", "role", "via"), str),
    **dict.fromkeys(("effective_on", "recorded_at"), str),
    **dict.fromkeys(("n", "version"), int),
    "request": dict,
    "reasons": list,
}
SOMETIMES: dict[str, type] = {
    **dict.fromkeys(("roles", "on_behalf_of", "proof", "objection"), str),
    **dict.fromkeys(("law", "undoes"), int),
    **dict.fromkeys(("facts", "registered", "conflict"), dict),
    **dict.fromkeys(("notes", "faults"), list),
}
_FIELDS = ALWAYS | SOMETIMES


def parsed(entry: str | bytes) -> dict[str, Any]:
    """A journal entry as JSON values. Raises ValueError when it is none: a field is missing, of another type, or one too many."""
    told = orjson.loads(entry)
    if not isinstance(told, dict) or tuple(map(type, told.values())) != _types(" ".join(told)):
        raise ValueError("not an entry")  # whoever asks wants to know one thing: whether it can be read
    return told


@lru_cache(maxsize=256)
def _types(names: str) -> tuple[type, ...] | None:
    """The types of an entry of these fields, in their order; None when no entry has just these. Journals hold few kinds of entries."""
    fields = names.split(" ")
    known = ALWAYS.keys() <= set(fields) <= _FIELDS.keys()
    return tuple(_FIELDS[name] for name in fields) if known else None


def legible(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry (parsed) that can be shown: its days, its instant, its states and its reasons are what they should be. Raises ValueError."""
    date.fromisoformat(entry["effective_on"])
    if datetime.fromisoformat(entry["recorded_at"]).tzinfo is None:
        raise ValueError("not an instant")
    State(entry["from"]), State(entry["to"])
    if any(not isinstance(reason, dict) or "code" not in reason for reason in entry["reasons"]):
        raise ValueError("not a reason")
    return entry


def as_read(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry (parsed) whose request is told in the words of the law in force, for whoever shows it; the journal keeps its own."""
    law = entry.get("law", FIRST_LAW)
    if law == LAW:
        return entry
    from states.lifecycle import STEPS

    step = STEPS.get(entry["trigger"])
    return entry if step is None else {**entry, "request": request_as_read(step.asks.__name__, entry["request"], law)}
