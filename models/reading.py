"""A journal entry read from its bytes; light, for whoever only shows a dossier."""

from __future__ import annotations

from typing import Any

import orjson

from states.law import FIRST_LAW, LAW
from states.upcasting import request_as_read


def parsed(entry: str | bytes) -> dict[str, Any]:
    """A journal entry as JSON values. Raises ValueError when it is none."""
    told = orjson.loads(entry)
    if not isinstance(told, dict):
        raise ValueError("not an object")  # noqa: TRY004 - whoever asks wants to know one thing: whether it can be read
    return told


def as_read(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry (parsed) whose request is told in the words of the law in force, for whoever shows it; the journal keeps its own."""
    law = entry.get("law", FIRST_LAW)
    if law == LAW:
        return entry
    from states.lifecycle import STEPS

    step = STEPS.get(entry["trigger"])
    return entry if step is None else {**entry, "request": request_as_read(step.asks.__name__, entry["request"], law)}
