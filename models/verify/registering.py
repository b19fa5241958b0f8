"""The proof of the register of people: its chain holds, its rows are what it adds up to; and each entry of a dossier judged by it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from models.database.store import Cursor, Store
from models.people.projection import Projection
from models.people.reading import Journal, linked
from states.journal.entry import Entry
from states.register.facts import RegisterEntry, folded
from states.register.fold import House, Unreadable
from states.register.rules import RESERVED
from states.values.french import listed
from states.vocabulary import ROLE_LABELS, Role

REGISTER = "Registre des personnes"
HELD_BY_NOBODY: frozenset[str] = frozenset()


class Timeline:
    """In which roles everybody could act after each entry of the register."""

    def __init__(self, entries: list[tuple[RegisterEntry, str]]) -> None:
        """Raises Unreadable when the entries do not add up."""
        self.house = House()
        self.length = len(entries)
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._held: dict[str, list[frozenset[str]]] = defaultdict(list)
        for entry, digest in entries:
            self.house.add(entry, digest)
            name = folded(entry.person)
            self._numbers[name].append(entry.n)
            self._held[name].append(frozenset(role.value for role in self.house.members[name].held))

    def held(self, name: str, n: int) -> frozenset[str]:
        """The roles in which somebody could act once the register had `n` entries."""
        place = bisect_right(self._numbers.get(folded(name), []), n)
        return self._held[folded(name)][place - 1] if place else HELD_BY_NOBODY


class RegisterProof:
    """Proves the register of one database, and keeps what it added up to until the register has changed."""

    def __init__(self, store: Store) -> None:
        self._journal = Journal(store)
        self._projection = Projection(store)
        self._kept: tuple[list[object], Timeline] | None = None

    def faults(self, cursor: Cursor) -> tuple[int, str, tuple[str, ...]]:
        """How many entries there are, the head of their chain, and what does not hold, as French sentences."""
        entries: list[tuple[RegisterEntry, str]] = []
        rows = self._journal.rows(cursor)
        found = list(linked(rows, entries))
        try:
            timeline = Timeline(entries)
        except Unreadable as fault:
            return len(rows), "", (*found, f"Le registre ne se relit pas : {fault}.")
        if not found:
            found = [*self._projection.faults(cursor, timeline.house)]
        return len(rows), timeline.house.head, tuple(found)

    def timeline(self, cursor: Cursor) -> Timeline | None:
        """What the register added up to, entry by entry; None when its chain does not hold, which is another fault."""
        rows = [tuple(row) for row in self._journal.rows(cursor)]
        if self._kept is None or self._kept[0] != rows:
            entries: list[tuple[RegisterEntry, str]] = []
            if list(linked(rows, entries)):
                return None
            try:
                self._kept = ([*rows], Timeline(entries))
            except Unreadable:
                return None
        return self._kept[1]


class Judged:
    """The entries of one dossier, judged one after the other by the register of their moment."""

    def __init__(self, timeline: Timeline | None) -> None:
        self._timeline = timeline
        self._before: int | None = None
        self.faults: list[str] = []

    def add(self, entry: Entry) -> None:
        """Judge the next entry of the dossier."""
        if self._timeline is None:
            return
        if entry.register is None:
            if self._before is not None:
                self.faults.append(f"Entrée {entry.n} du journal : elle ne dit plus de quel registre des personnes elle tient ses rôles.")
            return
        if not (self._before or 0) <= entry.register <= self._timeline.length:
            self.faults.append(f"Entrée {entry.n} du journal : elle s’appuie sur un registre des personnes qui n’a jamais existé.")
            return
        self._before = entry.register
        if entry.actor != RESERVED:
            self._judge(entry, self._timeline, entry.register)

    def _judge(self, entry: Entry, timeline: Timeline, n: int) -> None:
        said = frozenset(filter(None, (entry.role if entry.roles is None else entry.roles).split(",")))
        held = timeline.held(entry.actor, n)
        if said != held:
            self.faults.append(_otherwise(entry, entry.actor, said - held, held - said))
        elif entry.is_done and entry.on_behalf_of is None and entry.role not in held:
            self.faults.append(_otherwise(entry, entry.actor, frozenset({entry.role}), HELD_BY_NOBODY))
        elif entry.on_behalf_of is not None and entry.role not in timeline.held(entry.on_behalf_of, n):
            self.faults.append(_otherwise(entry, entry.on_behalf_of, frozenset({entry.role}), HELD_BY_NOBODY))


def _otherwise(entry: Entry, name: str, more: frozenset[str], less: frozenset[str]) -> str:
    roles = listed([ROLE_LABELS[Role(role)] if role in set(Role) else role for role in sorted(more or less)])
    if more:
        return f"Entrée {entry.n} du journal : elle prête à {name} le rôle {roles}, que le registre ne lui donnait pas alors."
    return f"Entrée {entry.n} du journal : elle tait que {name} avait alors, au registre, le rôle {roles}."
