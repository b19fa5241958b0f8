"""Journals of before the first numbered law, read for what they led to: their entries hold no facts, and a reader of their time does."""

from __future__ import annotations

from typing import Any

CARRIED = "carried"  # the outcome of the entry that carries the facts of before over


def with_facts(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of a journal, those of before with the facts that they led to; as they are where nothing can be said.

    What was carried over is left to begin the fold, unless the entries before it tell of the very same facts.
    """
    first = next((place for place, entry in enumerate(entries) if "law" in entry), len(entries))
    if first == 0 or first == len(entries) or entries[first]["outcome"] != CARRIED:
        return entries
    from models.database.migrations.reader_0003 import WARNINGS, Illegible, read

    try:
        found, facts, *_ = read(entries[:first])
    except Illegible:
        return entries
    carried = {name: told for name, told in entries[first]["facts"].items() if name != "findings"}
    if carried != {name: told for name, told in facts.items() if told and name != WARNINGS}:
        return entries  # and `tells_otherwise` says so
    led_to = {one.n: {name: told for name, told in one.facts.items() if name != WARNINGS} for one in found}
    before = [entry | {"facts": led_to[entry["n"]]} if entry["n"] in led_to else entry for entry in entries[:first]]
    only_findings = entries[first] | {"facts": {"findings": entries[first]["facts"].get("findings", {})}}
    return [*before, only_findings, *entries[first + 1 :]]


def tells_otherwise(entries: list[dict[str, Any]]) -> bool:
    """Whether what was carried over into a journal (parsed) is not what the entries before it tell, and the upgrade did not say so."""
    carried = next((entry for entry in entries if entry["outcome"] == CARRIED), None)
    return carried is not None and not carried.get("faults") and with_facts(entries) is entries
