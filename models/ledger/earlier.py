"""Journals of before the first numbered law, read for what they led to: their entries hold no facts, and a reader of their time does."""

from __future__ import annotations

from states.journal.entry import CARRIED, Entry, Facts
from states.journal.fold import FINDINGS


def with_facts(entries: list[Entry]) -> list[Entry]:
    """The entries of a journal, those of before with the facts that they led to; as they are where nothing can be said.

    What was carried over is left to begin the fold, unless the entries before it tell of the very same facts.
    """
    first = next((place for place, entry in enumerate(entries) if entry.law is not None), len(entries))
    if first == 0 or first == len(entries) or entries[first].outcome != CARRIED:
        return entries
    from models.database.migrations.reader_0003 import WARNINGS, Illegible, read

    try:
        found, facts, *_ = read([entry.fields() for entry in entries[:first]])
    except Illegible:
        return entries
    carried = entries[first].facts or {}
    if _but(FINDINGS, carried) != {name: patches for name, patches in _but(WARNINGS, facts).items() if patches}:
        return entries  # and `tells_otherwise` says so
    led_to = {step.n: _but(WARNINGS, step.facts) for step in found}
    before = [entry._replace(facts=led_to[entry.n]) if entry.n in led_to else entry for entry in entries[:first]]
    only_findings = entries[first]._replace(facts={FINDINGS: carried.get(FINDINGS, {})})
    return [*before, only_findings, *entries[first + 1 :]]


def _but(name: str, facts: Facts) -> Facts:
    return {other: patches for other, patches in facts.items() if other != name}


def tells_otherwise(entries: list[Entry]) -> bool:
    """Whether what was carried over into a journal is not what the entries before it tell, and the upgrade did not say so."""
    carried = next((entry for entry in entries if entry.outcome == CARRIED), None)
    return carried is not None and not carried.faults and with_facts(entries) is entries
