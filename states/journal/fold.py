"""What a step changed, as data, and a dossier added up from such data: replaying is a fold, and asks no rule.

The facts of an entry are a merge patch (RFC 7396): `{collection: {number: {field: value}}}`, where null takes away. The collections
are those of `states.journal.kinds`; `dossier` holds what a dossier has once (`imported`, `entered_on`), and `findings` the findings by
their code and subject. The state and the version stand in the entry itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from operator import is_, itemgetter
from typing import Any, NamedTuple

from states.dossier.facts import Finding
from states.journal.kinds import KINDS, Values, amended, changed, read, written
from states.journal.upcasting import fact_as_read, kind_as_read
from states.partnership import Partnership
from states.values.law import FIRST_LAW, LAW
from states.vocabulary import State

Facts = dict[str, dict[str, Any]]  # a merge patch, or what patches add up to
DOSSIER, FINDINGS = "dossier", "findings"
COLLECTIONS = frozenset({*KINDS, FINDINGS, DOSSIER})
PLACES = tuple((Partnership._fields.index(name), name) for name in KINDS)


# What an entry may say of the dossier itself, besides its state and its version, and how it is read.
ONCE: dict[str, Callable[[Any], Any]] = {
    "imported": bool,
    "entered_on": lambda day: None if day is None else date.fromisoformat(day),
}
ILLEGIBLE = "les faits qu’elle enregistre ne se relisent pas"
ODD_JSON = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)  # what JSON of another shape raises


class Changed(NamedTuple):
    """What a step did to one collection: the facts that are new, those that differ (old, new), the numbers that are gone."""

    name: str
    added: tuple[Any, ...]
    differing: tuple[tuple[Any, Any], ...]
    gone: tuple[int, ...]


def differences(before: tuple[Any, ...], after: tuple[Any, ...]) -> tuple[Changed, ...]:
    """What differs between two dossiers (each a Partnership), collection by collection."""
    return tuple(
        found for place, name in PLACES if before[place] is not after[place] and (found := _changed(name, before[place], after[place]))
    )


def _changed(name: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Changed | None:
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
        told: dict[str, Values | None] = {str(fact.number): written(name, fact) for fact in added}
        told |= {str(new.number): changed(name, old, new) for old, new in differing}
        found[name] = told | dict.fromkeys(map(str, gone))
    if before.entered_on != after.entered_on:
        found[DOSSIER] = {"entered_on": after.entered_on.isoformat() if after.entered_on else None}
    if before.imported != after.imported:
        found.setdefault(DOSSIER, {})["imported"] = after.imported
    if before.findings is not after.findings and before.findings != after.findings:
        found[FINDINGS] = _findings(before, after)
    return found


def _findings(before: Partnership, after: Partnership) -> dict[str, Any]:
    """The findings that are opened, worded otherwise, or gone (null)."""
    old = {finding_key(one.code, one.subject): one for one in before.findings}
    new = {finding_key(one.code, one.subject): one for one in after.findings}
    told: dict[str, Any] = dict.fromkeys(old.keys() - new.keys())
    for key, one in new.items():
        was, values = old.get(key), {"severity": str(one.severity), "reason": one.reason, "source": one.source}
        if was is None:
            told[key] = values
        elif was != one:
            told[key] = {name: value for name, value in values.items() if value != getattr(was, name)}
    return told


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
        facts: tuple[Any, ...] = start
        self._held = {name: {fact.number: fact for fact in facts[place]} for place, name in PLACES}
        self._pending: dict[str, dict[int, Values]] = {name: {} for name in KINDS}  # facts as JSON, until somebody asks for them
        self._findings = {finding_key(one.code, one.subject): one for one in start.findings}
        self._once: dict[str, Any] = {}  # what changed of what a dossier has once, since `_partnership` was made
        self._stale: set[str] = set()
        self._partnership = start

    def add(self, entry: dict[str, Any]) -> None:
        """Add what an entry (parsed) changed; one that changed nothing adds nothing. Raises Unreadable, here or at `partnership`."""
        try:
            facts = self.facts_of(entry)
            if facts is not None:
                self.apply(facts, entry["to"], entry["version"])
        except Unreadable as fault:
            raise Unreadable(f"entrée {entry['n']}, {fault}") from fault.__cause__
        except ODD_JSON as fault:
            raise Unreadable(f"entrée {entry['n']}, {ILLEGIBLE}") from fault

    def apply(self, facts: Facts, state: str, version: int) -> None:
        """Add facts as `facts_of` gives them. Raises Unreadable, or what JSON of another shape raises."""
        for name, told in facts.items():
            if name == DOSSIER:
                self._once |= {field: ONCE[field](value) for field, value in told.items()}
            elif name == FINDINGS:
                self._find(told)
            else:
                self._add(name, told)
        self._once["state"], self._once["version"] = state, version

    def facts_of(self, entry: dict[str, Any]) -> Facts | None:
        """The facts of an entry as this law reads them, on the dossier added up so far; None when it changed nothing. Raises Unreadable."""
        facts: Facts | None = entry.get("facts")
        if facts is None:
            return None
        law = entry.get("law", FIRST_LAW)  # facts that the reader of before has found are in the shape of the first law
        if not FIRST_LAW <= law <= LAW:
            raise Unreadable(f"elle est décidée sous une loi (n° {law}) que ce jalon ne connaît pas")
        if law != LAW:
            names = {name: kind_as_read(name, law) for name in facts}
            facts = {today: self._upcast(name, today, facts[name], law) for name, today in names.items() if today is not None}
        if not facts.keys() <= COLLECTIONS:
            unknown = ", ".join(sorted(facts.keys() - COLLECTIONS))
            raise Unreadable(f"elle enregistre des faits d’une sorte que ce jalon ne connaît pas (« {unknown[:60]} »)")
        return facts

    def _upcast(self, name: str, today: str, told: dict[str, Any], law: int) -> dict[str, Any]:
        if today not in KINDS:
            return told
        there = self._held[today].keys() | self._pending[today].keys()
        return {
            number: values if values is None else fact_as_read(name, values, law, new=int(number) not in there)
            for number, values in told.items()
        }

    def _add(self, name: str, told: dict[str, Values | None]) -> None:
        held, pending = self._held[name], self._pending[name]
        for key, values in told.items():
            number = int(key)
            if values is None:
                held.pop(number, None)
                pending.pop(number, None)
            elif number in pending:
                pending[number] = {**pending[number], **values}
            elif number in held:
                held[number] = amended(name, held[number], values)
            else:
                pending[number] = values
        self._stale.add(name)

    def _find(self, told: dict[str, Any]) -> None:
        for key, values in told.items():
            if values is None:
                self._findings.pop(key, None)
                continue
            code, _, subject = key.partition(" ")
            earlier = self._findings.get(key)
            self._findings[key] = earlier._replace(**values) if earlier else Finding(code, subject, **values)

    @property
    def partnership(self) -> Partnership:
        """The dossier as it stands after the entries that were added. Raises Unreadable."""
        if self._once:
            try:
                fresh = {name: self._collection(name) for name in self._stale}
            except ODD_JSON as fault:
                raise Unreadable("un fait qu’il enregistre ne se relit pas") from fault
            once = self._once | {"state": _state(self._once["state"])}
            self._partnership = self._partnership._replace(**once, **fresh, findings=tuple(self._findings.values()))
            self._once.clear()
            self._stale.clear()
        return self._partnership

    def _collection(self, name: str) -> Any:
        held, pending = self._held[name], self._pending[name]
        if pending:
            held |= {number: read(name, number, values) for number, values in pending.items()}
            pending.clear()
        return tuple(map(itemgetter(1), sorted(held.items())))


def _state(name: str) -> State:
    try:
        return State(name)
    except ValueError as fault:
        raise Unreadable(f"elle mène à un état que ce jalon ne connaît pas (« {name[:40]} »)") from fault


def blank(reference: str) -> Partnership:
    """What every fold begins with: a dossier before its opening."""
    return Partnership(reference, imported=False, state=State.UNOPENED, version=0, entered_on=None, pepper="")


def folded(reference: str, entries: Iterable[dict[str, Any]]) -> Partnership:
    """The dossier after `entries` (parsed, in order). What an upgrade carried over begins it: older entries hold no facts.

    Raises Unreadable, naming the first entry that cannot be read.
    """
    fold = Fold(blank(reference))
    for entry in entries:
        fold.add(entry)
        try:
            _ = fold.partnership
        except Unreadable as fault:
            raise Unreadable(f"entrée {entry['n']}, {fault}") from fault.__cause__
    return fold.partnership
