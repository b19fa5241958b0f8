"""What the outbox holds of a dossier, compared with what its journal orders to tell, and with what the nights have sealed as sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import orjson
from sqlalchemy import Text, bindparam, select

from models import tables
from models.database.store import Cursor, Store
from models.ledger.chain import canonical
from models.ledger.clock import TOLERANCE
from models.verify.nights import Nights
from models.verify.seals import Leaf, title_of
from states.journal.entry import Entry
from states.values.french import counted
from states.values.law import LAW
from states.values.plain import Json
from states.vocabulary import Role

OUT = tables.outbox.c
NAMED_AT_MOST = 5
CHECK = "check"
TOLD = re.compile(r"(.+)\.(\d+)\.tell\.\w+")


class Written(Protocol):
    """The letters that were written, as a folder outside the database keeps them."""

    def held(self) -> Iterable[str]:
        """The key of each letter."""

    def digests(self, key: str) -> frozenset[str] | None:
        """The digests of 64 hexadecimal digits that the letters of a key carry; None when there is none."""


class Row(NamedTuple):
    """One row of the outbox."""

    key: str
    n: int
    kind: str
    role: str | None
    partnership_id: int
    attempts: int
    sent_at: str | None
    dead_at: str | None


ROW = tuple(OUT[name] for name in Row._fields)


class Letters:
    """Reads the outbox of one database for whoever proves it."""

    def __init__(self, store: Store) -> None:
        by_key = OUT.key.in_(store.dialect.listed(bindparam("keys", type_=Text)))
        here = OUT.partnership_id == bindparam("partnership_id")
        self._named = store.compile(select(*ROW).where(by_key))
        self._waiting = store.compile(select(*ROW).where(here, OUT.sent_at.is_(None), OUT.dead_at.is_(None)))
        self._all = store.compile(select(OUT.lease, *ROW).where(here))

    def read(self, cursor: Cursor, partnership_id: int, keys: Sequence[str], *, whole: bool) -> dict[str, Row]:
        """The rows of these keys and those of the dossier that still wait, by key; with `whole`, every row of the dossier.

        No index leads from a dossier to what was sent long ago: a row too many that waits for nobody is looked for in the house.
        """
        found: dict[str, Row] = {}
        asked: list[tuple[str, dict[str, object]]] = [
            (self._named, {"keys": orjson.dumps(keys).decode()}),
            (self._all if whole else self._waiting, {"partnership_id": partnership_id}),
        ]
        for statement, parameters in asked:
            cursor.execute(statement, parameters)
            rows = [Row(*row[-len(ROW) :]) for row in cursor.fetchall()]
            found |= {row.key: row for row in rows}
        return found


def ordered(entries: Sequence[Entry]) -> dict[str, tuple[int, str, str | None]]:
    """What the entries of the law in force order to tell and to check: by key, the entry, the kind and the role.

    Whom a law of before told is no longer known.
    """
    from states.lifecycle import STEPS  # the rules and the forms: only for who proves more than the chain

    triggers, found = {entry.n: entry.trigger for entry in entries}, dict[str, tuple[int, str, str | None]]()
    for entry in entries:
        if not entry.is_done or entry.law != LAW:
            continue
        step = STEPS.get(entry.trigger if entry.undoes is None else triggers.get(entry.undoes, ""))
        for role in step.tells if step is not None else ():
            found[f"{entry.reference}.{entry.n}.tell.{role.value}"] = (entry.n, "tell", role.value)
        found[f"{entry.reference}.{entry.n}.{CHECK}"] = (entry.n, CHECK, None)
    return found


def possible(entries: Sequence[Entry]) -> list[str]:
    """The keys of what the entries of another law may have ordered."""
    kinds = (CHECK, *(f"tell.{role.value}" for role in Role))
    return [f"{entry.reference}.{entry.n}.{kind}" for entry in entries if entry.is_done and entry.law != LAW for kind in kinds]


def row_faults(partnership_id: int, entries: Sequence[Entry], rows: Mapping[str, Row]) -> Iterator[str]:
    """What the outbox has lost, changed or gained besides what the entries order."""
    orders, numbered = ordered(entries), {entry.n: entry for entry in entries}
    yield from _listed("n’est plus dans la boîte d’envoi", [key for key in orders if key not in rows])
    changed, forged, early = [], [], []
    for key, row in rows.items():
        entry = numbered.get(row.n)
        if key in orders:
            changed += [key] * ((row.n, row.kind, row.role, row.partnership_id) != (*orders[key], partnership_id))
        elif entry is None or not entry.is_done or entry.law == LAW or key != _key(entry.reference, row):
            forged.append(key)
        early += [key] * (entry is not None and not _plausible(row, entry))
    yield from _listed("n’a plus le dossier, l’entrée ou le rôle que le journal a ordonnés", changed)
    yield from _listed("n’est ordonné par aucune entrée du journal", forged)
    yield from _listed("se dit remis sans avoir pu l’être : jamais pris, ou avant son entrée", early)


def _key(reference: str, row: Row) -> str:
    return f"{reference}.{row.n}.{row.kind}{f'.{row.role}' if row.role else ''}"


def _plausible(row: Row, entry: Entry) -> bool:
    """Whether somebody may have taken a row before it was marked, after its entry was written, and marked it once."""
    marked = row.sent_at or row.dead_at
    if marked is None:
        return True
    if row.attempts < 1 or (row.sent_at and row.dead_at):
        return False
    try:
        return datetime.fromisoformat(marked) >= datetime.fromisoformat(entry.recorded_at) - TOLERANCE
    except (ValueError, TypeError):
        return False


def _listed(what: str, keys: Sequence[str]) -> Iterator[str]:
    """« L’envoi ESSAI-1.3.check n’est plus dans la boîte d’envoi. », of the first ones each."""
    yield from (f"L’envoi {key} {what}." for key in keys[:NAMED_AT_MOST])
    if len(keys) > NAMED_AT_MOST:
        yield f"Et {len(keys) - NAMED_AT_MOST} autres envois de même."


class Delivered(NamedTuple):
    """What a night seals of the letters of a dossier: a digest of which went when, and those that had not gone."""

    sent: str
    waiting: tuple[str, ...]

    def fields(self) -> dict[str, Json]:
        """As a leaf says it."""
        return {"sent": self.sent, **({"waiting": list(self.waiting)} if self.waiting else {})}


def delivered(rows: Mapping[str, Row], n: int, waiting: Sequence[str] | None = None) -> Delivered:
    """What was delivered of the rows up to entry `n`; `waiting` are the ends of the keys that were not, as a night has sealed them."""
    ends = {_end(row): row for row in rows.values() if row.n <= n}
    if waiting is None:
        waiting = sorted(end for end, row in ends.items() if row.sent_at is None)
    gone: list[Json] = [[end, row.sent_at] for end, row in sorted(ends.items()) if end not in waiting]
    return Delivered(hashlib.sha256(canonical(gone)).hexdigest(), tuple(waiting))


def _end(row: Row) -> str:
    """What tells a row apart in its dossier: « 3.tell.auditor »."""
    return f"{row.n}.{row.kind}{f'.{row.role}' if row.role else ''}"


def sealed_faults(rows: Mapping[str, Row], leaf: Leaf | None, night: str) -> Iterator[str]:
    """What was marked as sent when a night sealed it, and is no longer so."""
    if leaf is None or "sent" not in leaf:
        return
    if delivered(rows, *_sealed(leaf)).sent != leaf["sent"]:
        yield f"{title_of(night)} : ce qui était remis alors n’est plus marqué de même dans la boîte d’envoi."


def _sealed(leaf: Leaf) -> tuple[int, list[str]]:
    waiting = leaf.get("waiting", [])
    return int(str(leaf["n"])), [str(end) for end in waiting] if isinstance(waiting, list) else []


class Post:
    """What the letters that were written say of the journal: each carries the digest of its entry, and stands outside the database."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self.newest: dict[str, tuple[int, str]] = {}  # of each dossier, the last entry that a letter tells, and the letter's key
        for key in written.held():
            told = TOLD.fullmatch(key)
            if told is not None and int(told[2]) > self.newest.get(told[1], (0, ""))[0]:
                self.newest[told[1]] = (int(told[2]), key)

    def lost(self, reference: str, entries: int) -> Iterator[str]:
        """A letter about an entry that the journal no longer has."""
        n, key = self.newest.get(reference, (0, ""))
        if n > entries:
            has = f"le journal de {reference} n’a que {counted(entries, 'entrée', 'entrées')}"
            yield f"Le courrier {key} a été écrit, et {has} : la fin a été ôtée, ou une copie d’avant remise en place."

    def compared(self, rows: Mapping[str, Row], heads: Mapping[int, str], leaf: Leaf | None) -> tuple[list[str], list[str]]:
        """Of the rows that are marked as sent since the last seal: letters with another digest than the journal, and rows without any.

        `heads` are the digests of the entries that are compared.
        """
        n, waiting = _sealed(leaf) if leaf is not None and "sent" in leaf else (0, [])
        unwritten, other = [], []
        for key, row in rows.items():
            if row.kind == CHECK or row.sent_at is None or row.n not in heads or (row.n <= n and _end(row) not in waiting):
                continue
            carried = self._written.digests(key)
            if carried is None:
                unwritten.append(key)
            elif heads[row.n] not in carried:
                other.append(key)
        rewritten = "porte une autre empreinte que celle du journal, qui a été réécrit depuis"
        return list(_listed(rewritten, other)), list(_listed("est marqué remis, et aucun courrier n’a été écrit", unwritten))

    def seal_faults(self, nights: Nights) -> Iterator[str]:
        """The letters that carry the seal of a night, where the folder has another one or none."""
        sealed = {night: root for root, night in nights.roots.items()}
        for key in sorted(key for key in self._written.held() if key.startswith("seal.")):
            night = key.removeprefix("seal.")
            if night not in sealed:
                yield f"Le courrier {key} porte un sceau qui n’est plus dans le dossier des sceaux."
            elif sealed[night] not in (self._written.digests(key) or ()):
                yield f"{title_of(night)} : le courrier {key} en porte un autre que celui du dossier."
