"""What a step changed, as data, and a dossier added up from such data: replaying is a fold, and asks no rule.

The facts of an entry are a merge patch (RFC 7396): `{collection: {number: {field: value}}}`, where null takes away. The collections
are those of `states.journal.kinds`; `dossier` holds what a dossier has once (`imported`, `entered_on`), and `findings` the findings by
their code and subject. The state and the version stand in the entry itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from operator import is_, itemgetter
from typing import NamedTuple

from states.dossier.facts import Finding
from states.journal.entry import Entry, Facts
from states.journal.kinds import KINDS, Reader, amended, changed, read, written
from states.journal.upcasting import fact_as_read, kind_as_read
from states.partnership import Fact, Partnership
from states.values.law import FIRST_LAW, LAW
from states.values.plain import Json
from states.vocabulary import State

DOSSIER, FINDINGS = "dossier", "findings"
COLLECTIONS = frozenset({*KINDS, FINDINGS, DOSSIER})
PLACES = tuple((Partnership._fields.index(name), name) for name in KINDS)


# What an entry may say of the dossier itself, besides its state and its version, and how it is read.
ONCE: dict[str, Reader] = {
    "imported": bool,
    "entered_on": lambda day: None if day is None else date.fromisoformat(day),
}
ILLEGIBLE = "les faits qu’elle enregistre ne se relisent pas"
ODD_JSON = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)  # what JSON of another shape raises


class Changed(NamedTuple):
    """What a step did to one collection: the facts that are new, those that differ (old, new), the numbers that are gone."""

    name: str
    added: tuple[Fact, ...]
    differing: tuple[tuple[Fact, Fact], ...]
    gone: tuple[int, ...]


def differences(before: Partnership, after: Partnership) -> tuple[Changed, ...]:
    """What differs between two dossiers, collection by collection."""
    facts: tuple[tuple[Fact, ...], ...] = before  # type: ignore[assignment] # where PLACES are
    facts_after: tuple[tuple[Fact, ...], ...] = after  # type: ignore[assignment]
    return tuple(
        change
        for place, name in PLACES
        if facts[place] is not facts_after[place] and (change := _changed(name, facts[place], facts_after[place]))
    )


def _changed(name: str, old: Sequence[Fact], new: Sequence[Fact]) -> Changed | None:
    same = [*map(is_, old, new), False].index(False)  # facts stand in the order of their numbers: most steps touch the last ones
    earlier = {fact.number: fact for fact in old[same:]}
    added, differing = [], []
    for fact in new[same:]:
        was = earlier.pop(fact.number, None)
        if was is None:
            added.append(fact)
        elif was is not fact and was != fact:
            differing.append((was, fact))
    return Changed(name, tuple(added), tuple(differing), tuple(earlier)) if added or differing or earlier else None


def patch(before: Partnership, after: Partnership, changes: Iterable[Changed]) -> Facts:
    """The facts of an entry: what a step wrote, changed or took away."""
    found: Facts = {}
    for name, added, differing, gone in changes:
        found[name] = {
            **{str(fact.number): written(name, fact) for fact in added},
            **{str(new.number): changed(name, old, new) for old, new in differing},
            **dict.fromkeys(map(str, gone)),
        }
    if before.entered_on != after.entered_on:
        found[DOSSIER] = {"entered_on": after.entered_on.isoformat() if after.entered_on else None}
    if before.imported != after.imported:
        found.setdefault(DOSSIER, {})["imported"] = after.imported
    if before.findings is not after.findings and before.findings != after.findings:
        found[FINDINGS] = _findings(before, after)
    return found


def _findings(before: Partnership, after: Partnership) -> dict[str, Json]:
    """The findings that are opened, worded otherwise, or gone (null)."""
    old = {finding_key(*finding[:2]): finding for finding in before.findings}
    new = {finding_key(*finding[:2]): finding for finding in after.findings}
    changes: dict[str, Json] = dict.fromkeys(old.keys() - new.keys())
    for key, finding in new.items():
        was, values = old.get(key), {"severity": str(finding.severity), "reason": finding.reason, "source": finding.source}
        if was is None:
            changes[key] = values
        elif was != finding:
            changes[key] = {name: value for name, value in values.items() if value != getattr(was, name)}
    return changes


def finding_key(code: str, subject: str) -> str:
    """What tells a finding apart in a dossier: « RATE_EXCEEDS_FEE 7 »; the code alone when it is about the dossier."""
    return f"{code} {subject}" if subject else code


class Unreadable(ValueError):
    """An entry holds facts that this jalon cannot read: why, in French."""


class Fold:
    """A dossier added up from the entries of its journal, one after the other; no guard, sum or request takes part.

    What no journal holds (the secret of the dossier, who its trainees are) is not in it.
    """

    def __init__(self, start: Partnership) -> None:
        self._held: dict[str, dict[int, Fact]] = {name: {fact.number: fact for fact in getattr(start, name)} for name in KINDS}
        self._pending: dict[str, dict[int, dict[str, Json]]] = {name: {} for name in KINDS}  # facts as JSON, until somebody asks for them
        self._findings = {finding_key(*finding[:2]): finding for finding in start.findings}
        self._once: dict[str, object] = {}  # what changed of what a dossier has once, since `_partnership` was made
        self._stale: set[str] = set()
        self._partnership = start

    def add(self, entry: Entry) -> None:
        """Add what an entry changed; one that changed nothing adds nothing. Raises Unreadable, here or at `partnership`."""
        try:
            facts = self.facts_of(entry)
            if facts is not None:
                self.apply(facts, entry.dest, entry.version)
        except Unreadable as fault:
            raise Unreadable(f"entrée {entry.n}, {fault}") from fault.__cause__
        except ODD_JSON as fault:
            raise Unreadable(f"entrée {entry.n}, {ILLEGIBLE}") from fault

    def apply(self, facts: Facts, state: str, version: int) -> None:
        """Add facts as `facts_of` gives them. Raises Unreadable, or what JSON of another shape raises."""
        for name, patches in facts.items():
            if name == DOSSIER:
                for field, value in patches.items():
                    self._once[field] = ONCE[field](value)
            elif name == FINDINGS:
                self._find(patches)
            else:
                self._add(name, patches)
        self._once["state"], self._once["version"] = state, version

    def facts_of(self, entry: Entry) -> Facts | None:
        """The facts of an entry as this law reads them, on the dossier added up so far; None when it changed nothing. Raises Unreadable."""
        facts = entry.facts
        if facts is None:
            return None
        law = FIRST_LAW if entry.law is None else entry.law  # facts that the reader of before has found are in the shape of the first law
        if not FIRST_LAW <= law <= LAW:
            raise Unreadable(f"elle est décidée sous une loi (n° {law}) que ce jalon ne connaît pas")
        if law != LAW:
            known = [(name, today, patches) for name, patches in facts.items() if (today := kind_as_read(name, law)) is not None]
            facts = {today: self._upcast(name, today, patches, law) for name, today, patches in known}
        if not facts.keys() <= COLLECTIONS:
            unknown = ", ".join(sorted(facts.keys() - COLLECTIONS))
            raise Unreadable(f"elle enregistre des faits d’une sorte que ce jalon ne connaît pas (« {unknown[:60]} »)")
        return facts

    def _upcast(self, name: str, today: str, patches: dict[str, Json], law: int) -> dict[str, Json]:
        if today not in KINDS:
            return patches
        there = self._held[today].keys() | self._pending[today].keys()
        return {
            number: fact_as_read(name, values, law, new=int(number) not in there) if isinstance(values, dict) else values
            for number, values in patches.items()
        }

    def _add(self, name: str, patches: dict[str, Json]) -> None:
        held, pending = self._held[name], self._pending[name]
        for key, values in patches.items():
            number = int(key)
            if not isinstance(values, dict):
                _assert_gone(values)
                held.pop(number, None)
                pending.pop(number, None)
            elif number in pending:
                pending[number] = {**pending[number], **values}
            elif number in held:
                held[number] = amended(name, held[number], values)
            else:
                pending[number] = values
        self._stale.add(name)

    def _find(self, patches: dict[str, Json]) -> None:
        for key, values in patches.items():
            if not isinstance(values, dict):
                _assert_gone(values)
                self._findings.pop(key, None)
                continue
            code, _, subject = key.partition(" ")
            earlier = self._findings.get(key)
            made: Callable[..., Finding] = earlier._replace if earlier else partial(Finding, code, subject)
            self._findings[key] = made(**values)

    @property
    def partnership(self) -> Partnership:
        """The dossier as it stands after the entries that were added. Raises Unreadable."""
        if self._once:
            try:
                fresh = {name: self._collection(name) for name in self._stale}
            except ODD_JSON as fault:
                raise Unreadable("un fait qu’il enregistre ne se relit pas") from fault
            once = self._once | {"state": _state(str(self._once["state"]))}
            replaced: Callable[..., Partnership] = self._partnership._replace
            self._partnership = replaced(**once, **fresh, findings=tuple(self._findings.values()))
            self._once.clear()
            self._stale.clear()
        return self._partnership

    def _collection(self, name: str) -> tuple[Fact, ...]:
        held, pending = self._held[name], self._pending[name]
        if pending:
            held |= {number: read(name, number, values) for number, values in pending.items()}
            pending.clear()
        return tuple(map(itemgetter(1), sorted(held.items())))


def _assert_gone(values: Json) -> None:
    """In a merge patch, what is no group of fields is null: the fact is gone. Raises TypeError."""
    if values is not None:
        raise TypeError(values)


def _state(name: str) -> State:
    try:
        return State(name)
    except ValueError as fault:
        raise Unreadable(f"elle mène à un état que ce jalon ne connaît pas (« {name[:40]} »)") from fault


def blank(reference: str) -> Partnership:
    """What every fold begins with: a dossier before its opening."""
    return Partnership(reference, imported=False, state=State.UNOPENED, version=0, entered_on=None, pepper="")


def folded(reference: str, entries: Iterable[Entry]) -> Partnership:
    """The dossier after `entries`, in order. What an upgrade carried over begins it: older entries hold no facts.

    Raises Unreadable, naming the first entry that cannot be read.
    """
    fold = Fold(blank(reference))
    for entry in entries:
        fold.add(entry)
        try:
            _ = fold.partnership
        except Unreadable as fault:
            raise Unreadable(f"entrée {entry.n}, {fault}") from fault.__cause__
    return fold.partnership
