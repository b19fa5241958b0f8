"""The proof that a dossier is what its journal says: the chain holds, and its facts, added up, are those of the rows.

No rule takes part: what was decided stays true whatever the law becomes. Whether the law would decide so is another question,
asked in `models.verify.redeciding`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import orjson
from sqlalchemy import bindparam, select

from models import tables
from models.answers import Invalid
from models.database.store import Cursor, Fetched, Store
from models.ledger.chain import GENESIS, canonical, digest
from models.ledger.clock import newest_at
from models.ledger.dossiers import Dossiers, Loaded
from models.ledger.reading import SHAPES
from models.verify.registering import REGISTER, Judged, RegisterProof
from states.journal.entry import CARRIED, CONFLICT, DONE, REFUSED, Entry, entry_from
from states.journal.fold import ODD_JSON, Fold, Unreadable, blank
from states.journal.kinds import KINDS, NOUNS
from states.partnership import Fact, Partnership
from states.trainees.identity import commitment, person_digest
from states.values.french import listed
from states.values.law import FIRST_LAW, LAW
from states.vocabulary import State

NAMED_AT_MOST = 5
# What a dossier has once, as an auditor calls it.
ONCE = {"state": "l’état", "version": "la version", "entered_on": "la date de l’état", "imported": "la reprise du passé"}
INSTANT = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{6}Z").fullmatch
LAWS = range(FIRST_LAW, LAW + 1)
SORTS = (DONE, REFUSED, CONFLICT, CARRIED)


class Verification(NamedTuple):
    """What was verified: how many entries, up to which head; `faults` are French sentences, none when all holds."""

    reference: str
    entries: int
    head: str
    faults: tuple[str, ...]
    newest: str = ""  # the newest instant of its entries, ISO in UTC; empty when they do not hold


class Read(NamedTuple):
    """A dossier as it was read to be verified: its rows `(n, key, entry, digest)`, and its entries if its chain holds."""

    loaded: Loaded
    rows: Sequence[Fetched]
    entries: list[Entry] | None


Also = Callable[[Cursor, Read], Iterable[str]]  # what else is wrong with a dossier, in French


class Verifier:
    """Verifies the dossiers of one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dossiers = Dossiers(store)
        self._register = RegisterProof(store)
        entries, identities = tables.journal.c, tables.identities.c
        self._entries = store.compile(
            select(entries.n, entries.key, entries.entry, entries.digest)
            .where(entries.partnership_id == bindparam("partnership_id"))
            .order_by(entries.n)
        )
        self._identities = store.compile(select(*list(identities)[1:]).where(identities.partnership_id == bindparam("partnership_id")))

    def verify(self, reference: str) -> Verification:
        """Verify one dossier. Raises Invalid when there is none of that reference."""
        return self._verified(reference, _Sum(reference))

    def proved(self, reference: str, also: Also | None = None) -> tuple[Verification, list[Entry]]:
        """What `verify` finds, and the entries of the journal, none when its chain does not hold. Raises Invalid as `verify` does.

        `also` looks at more in the same moment of the database.
        """
        journal = _Sum(reference, entries=[])
        proof = self._verified(reference, journal, also)
        return proof, journal.entries or []

    def _verified(self, reference: str, journal: _Sum, also: Also | None = None) -> Verification:
        with self._store.transaction(write=False) as cursor:
            try:
                loaded = self._dossiers.load(cursor, reference)
            except Invalid as fault:
                return Verification(reference, 0, "", fault.sentences)
            if loaded is None:
                raise Invalid(f"Aucun dossier ne porte la référence {reference}.")
            cursor.execute(self._entries, {"partnership_id": loaded.id})
            rows = cursor.fetchall()
            cursor.execute(self._identities, {"partnership_id": loaded.id})
            people = cursor.fetchall()
            journal.judged = Judged(self._register.timeline(cursor))
            faults = _all_faults(loaded, rows, people, journal)
            if also is not None:
                faults += tuple(also(cursor, Read(loaded, rows, journal.entries)))
        return Verification(reference, len(rows), loaded.head, faults, journal.newest)

    def verify_register(self) -> Verification:
        """Verify the register of people."""
        with self._store.transaction(write=False) as cursor:
            entries, head, faults = self._register.faults(cursor)
        return Verification(REGISTER, entries, head, faults)

    def references(self) -> list[str]:
        """Every dossier, by reference."""
        with self._store.transaction(write=False) as cursor:
            return self._dossiers.references(cursor)

    def verify_all(self) -> tuple[Verification, ...]:
        """Verify every dossier, by reference."""
        return tuple(self.verify(reference) for reference in self.references())


def _all_faults(loaded: Loaded, rows: Sequence[Fetched], people: Sequence[Fetched], journal: _Sum) -> tuple[str, ...]:
    try:
        faults = tuple(chain_faults(loaded.partnership.reference, rows, journal.add))
        if faults:
            journal.entries = None
            return faults
        return (*_row_faults(loaded, rows), *journal.faults(loaded.partnership), *_name_faults(loaded, people))
    except ODD_JSON:  # what somebody has written may be of any shape: it must not keep the other dossiers from being verified
        journal.entries = None
        return ("Le journal ou les données ne se relisent pas : quelqu’un y a écrit autre chose que jalon.",)


class _Sum:
    """A journal added up as it is read; `entries` holds them for whoever asks more of them."""

    def __init__(self, reference: str, entries: list[Entry] | None = None) -> None:
        self.entries = entries
        self._fold = Fold(blank(reference))
        self._unreadable: Unreadable | None = None
        self.newest = ""
        self._numbered = True
        self._at_the_upgrade: tuple[str, ...] = ()
        self.judged = Judged(None)

    def add(self, entry: Entry) -> None:
        """Add the next entry, whose link in the chain holds."""
        self.newest = max(self.newest, entry.recorded_at)
        self._numbered = entry.law is not None
        if entry.faults is not None:
            self._at_the_upgrade += tuple(entry.faults)
        if self.entries is not None:
            self.entries.append(entry)
        self.judged.add(entry)
        try:
            if self._unreadable is None:
                self._fold.add(entry)
        except Unreadable as fault:
            self._unreadable = fault

    def faults(self, stored: Partnership) -> Iterator[str]:
        """What the rows hold that the journal does not tell of, and the other way round; first what an upgrade had found already."""
        yield from self._at_the_upgrade
        yield from self.judged.faults
        if not self._numbered:
            yield "Le journal date d’avant cette version de jalon et n’a pas été repris : la base est à moitié reprise, restaurez sa copie."
        else:
            try:
                if self._unreadable is not None:
                    raise self._unreadable
                yield from _fact_faults(stored, self._fold.partnership)
            except Unreadable as fault:
                yield f"Le journal ne se relit pas : {fault}."


def chain_faults(reference: str, rows: Sequence[Fetched], each: Callable[[Entry], None] | None = None) -> Iterator[str]:
    """What is wrong with the chain of `(n, key, entry, digest)` rows: a digest, a link, a number or a state.

    `each` receives the entries that hold, one after the other.
    """
    before, state, version, earlier, newest = GENESIS, State.UNOPENED.value, 0, 0, ""
    for place, (n, key, text, sealed) in enumerate(rows, start=1):
        content = text.encode()
        try:
            fields = orjson.loads(content)
            entry = entry_from(fields, SHAPES)
        except ValueError:  # it is no entry at all
            yield f"Entrée {place} du journal : elle n’a pas la forme d’une entrée de jalon."
            return
        law, done = entry.law or 0, entry.is_done
        version += done
        holds = (
            digest(content) == sealed,
            canonical(fields) == content,
            entry.prev == before,
            n == place == entry.n,
            entry.reference == reference and entry.key == key,
            entry.source == state and (done or entry.dest == state),
            entry.version == version,
            law >= earlier and _is_of_its_sort(entry, earlier),
            law in LAWS or entry.law is None,
            law == 0 or _is_timely(entry, newest),
        )
        if not all(holds):
            # What follows a broken link is broken too: the first one is what to look at.
            yield f"Entrée {place} du journal : {listed([truth for truth, held in zip(TRUTHS, holds, strict=True) if not held])}."
            return
        before, state, earlier, newest = sealed, entry.dest, law, newest_at(entry, newest if earlier else "")
        if each is not None:
            each(entry)


# What holds of an entry, in the order in which it is looked at, as it is said when it does not.
TRUTHS = (
    "son empreinte ne correspond pas à son contenu",
    "elle n’est pas écrite sous la forme canonique",
    "elle ne suit pas l’entrée précédente",
    "son numéro n’est pas le bon",
    "elle n’est pas de ce dossier, ou sa clé a changé",
    "elle ne part pas de l’état où était le dossier",
    "sa version n’est pas la bonne",
    "jalon n’écrit jamais une telle entrée à cet endroit",
    "elle se dit décidée sous une loi que ce jalon ne connaît pas",
    "elle est écrite avant l’entrée précédente sans le dire, ou porte un instant qui n’en est pas un",
)


def _is_timely(entry: Entry, newest: str) -> bool:
    """Whether an entry bears an instant, which is not before the `newest` of the entries before it, or says so."""
    return entry.newest_before == (newest if entry.recorded_at < newest else None) and INSTANT(entry.recorded_at) is not None


def _is_of_its_sort(entry: Entry, earlier: int) -> bool:
    """Whether an entry is one that jalon writes here, after one of the law `earlier` (0 when that has no number).

    Once an entry has the number of a law, all have, the numbers never go down, and nothing is carried over any more. Only what was done
    holds facts, or what was carried over: from the first of these on, a dossier is what its entries add up to.
    """
    if entry.outcome == DONE:  # nearly every entry, and what most of them say
        return (entry.facts is None) == (entry.law is None) and entry.objection is None and entry.conflict is None and entry.faults is None
    if entry.outcome not in SORTS:
        return False
    carried = entry.outcome == CARRIED
    if entry.law is None:
        return not carried and entry.facts is None
    return (
        (entry.facts is not None) == carried
        and not (carried and earlier)
        and (entry.objection is None or entry.outcome == REFUSED)
        and entry.undoes is None
        and (entry.conflict is not None) == (entry.outcome == CONFLICT)
        and (entry.faults is None or (carried and bool(entry.faults) and all(type(fault) is str for fault in entry.faults)))
    )


def _row_faults(loaded: Loaded, rows: Sequence[Fetched]) -> Iterator[str]:
    if not rows or rows[-1][3] != loaded.head or len(rows) != loaded.n:
        yield "La tête du journal n’est pas celle que le dossier retient : des entrées manquent ou sont de trop."


def _fact_faults(stored: Partnership, summed: Partnership) -> Iterator[str]:
    for name, label in ONCE.items():
        if getattr(stored, name) != getattr(summed, name):
            yield f"Les données du dossier ({label}) ne sont pas celles que le journal a enregistrées."
    for name in KINDS:
        if getattr(stored, name) != getattr(summed, name):
            yield _differing(name, getattr(stored, name), getattr(summed, name))
    if set(stored.findings) != set(summed.findings):
        codes = sorted({finding.code for finding in set(stored.findings) ^ set(summed.findings)})
        yield f"Les constats du dossier ne sont pas ceux que le journal a enregistrés ({listed(codes)})."


def _differing(name: str, stored: Sequence[Fact], summed: Sequence[Fact]) -> str:
    """« stagiaire n° 3 (insee) », for each fact that differs, is missing or is of too many."""
    rows, facts = {fact.number: fact for fact in stored}, {fact.number: fact for fact in summed}
    named = []
    for number in sorted(rows.keys() | facts.keys()):
        if number not in rows:
            named.append(f"n° {number}, que les données n’ont pas")
        elif number not in facts:
            named.append(f"n° {number}, dont le journal ne dit rien")
        elif rows[number] != facts[number]:
            pairs = zip(rows[number]._fields, rows[number], facts[number], strict=True)
            named.append(f"n° {number} ({', '.join(field for field, row, fact in pairs if row != fact)})")
    more = [f"{len(named) - NAMED_AT_MOST} autres"] if len(named) > NAMED_AT_MOST else []
    return f"Les données ne sont pas celles que le journal a enregistrées : {NOUNS[name]} {' ; '.join([*named[:NAMED_AT_MOST], *more])}."


def _name_faults(loaded: Loaded, people: Sequence[Fetched]) -> Iterator[str]:
    """The people whose names are no longer those that were retained; `people` are rows `(trainee, names..., birth, salt, digest)`."""
    promised = {trainee.number: trainee.commitment for trainee in loaded.partnership.trainees}
    for trainee, family_name, given_name, born_on, salt, found in people:
        names = (family_name, given_name, date.fromisoformat(born_on))
        same = commitment(salt, *names) == promised.get(trainee)
        if not same or person_digest(loaded.partnership.pepper, *names) != found:
            yield f"L’identité du stagiaire n° {trainee} n’est plus celle qui a été retenue."
