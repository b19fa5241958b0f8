"""The proof that a dossier is what its journal says: the chain holds, and its facts, added up, are those of the rows.

No rule takes part: what was decided stays true whatever the law becomes. Whether the law would decide so is another question,
asked in `models.verify.redeciding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from models import tables
from models.answers import Invalid
from models.database.store import Store
from models.ledger.chain import GENESIS, canonical, digest
from models.ledger.dossiers import Dossiers, Loaded
from models.ledger.earlier import CARRIED
from models.ledger.reading import parsed
from states.journal.fold import ODD_JSON, Fold, Unreadable, blank
from states.journal.kinds import KINDS, NOUNS
from states.partnership import Partnership
from states.trainees.identity import commitment, person_digest
from states.values.french import listed
from states.values.law import FIRST_LAW, LAW
from states.vocabulary import State

NAMED_AT_MOST = 5
# What a dossier has once, as an auditor calls it.
ONCE = {"state": "l’état", "version": "la version", "entered_on": "la date de l’état", "imported": "la reprise du passé"}
NOT_OF_A_STEP = ("objection", "conflict", "faults")
LAWS = range(FIRST_LAW, LAW + 1)
SORTS = ("done", "refused", "conflict", CARRIED)


class Verification(NamedTuple):
    """What was verified: how many entries, up to which head; `faults` are French sentences, none when all holds."""

    reference: str
    entries: int
    head: str
    faults: tuple[str, ...]


class Verifier:
    """Verifies the dossiers of one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dossiers = Dossiers(store)
        entries, identities = tables.journal.c, tables.identities.c
        self._entries = store.compile(
            select(entries.n, entries.key, entries.entry, entries.digest)
            .where(entries.partnership_id == bindparam("partnership_id"))
            .order_by(entries.n)
        )
        self._identities = store.compile(select(*list(identities)[1:]).where(identities.partnership_id == bindparam("partnership_id")))

    def verify(self, reference: str) -> Verification:
        """Verify one dossier. Raises Invalid when there is none of that reference."""
        return self._verified(reference, _Told(reference))

    def proved(self, reference: str) -> tuple[Verification, list[dict[str, Any]]]:
        """What `verify` finds, and the entries of the journal, none when its chain does not hold. Raises Invalid as `verify` does."""
        told = _Told(reference, entries=[])
        proof = self._verified(reference, told)
        return proof, told.entries or []

    def _verified(self, reference: str, told: _Told) -> Verification:
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
        try:
            faults = tuple(chain_faults(reference, rows, told.add))
            if faults:
                told.entries = None
            else:
                faults = (*_row_faults(loaded, rows), *told.faults(loaded.partnership), *_name_faults(loaded, people))
        except ODD_JSON:  # what somebody has written may be of any shape: it must not keep the other dossiers from being verified
            told.entries = None
            faults = ("Le journal ou les données ne se relisent pas : quelqu’un y a écrit autre chose que jalon.",)
        return Verification(reference, len(rows), loaded.head, faults)

    def references(self) -> list[str]:
        """Every dossier, by reference."""
        with self._store.transaction(write=False) as cursor:
            return self._dossiers.references(cursor)

    def verify_all(self) -> tuple[Verification, ...]:
        """Verify every dossier, by reference."""
        return tuple(self.verify(reference) for reference in self.references())


class _Told:
    """What a journal tells, added up as it is read; `entries` keeps them for whoever asks more of them."""

    def __init__(self, reference: str, entries: list[dict[str, Any]] | None = None) -> None:
        self.entries = entries
        self._fold = Fold(blank(reference))
        self._unreadable: Unreadable | None = None
        self._numbered = True
        self._at_the_upgrade: tuple[str, ...] = ()

    def add(self, entry: dict[str, Any]) -> None:
        """Add the next entry, whose link in the chain holds."""
        self._numbered = "law" in entry
        self._at_the_upgrade += tuple(entry.get("faults", ()))
        if self.entries is not None:
            self.entries.append(entry)
        try:
            if self._unreadable is None:
                self._fold.add(entry)
        except Unreadable as fault:
            self._unreadable = fault

    def faults(self, kept: Partnership) -> Iterator[str]:
        """What the rows hold that the journal does not tell of, and the other way round; first what an upgrade had found already."""
        yield from self._at_the_upgrade
        if not self._numbered:
            yield "Le journal date d’avant cette version de jalon et n’a pas été repris : la base est à moitié reprise, restaurez sa copie."
        else:
            try:
                if self._unreadable is not None:
                    raise self._unreadable
                yield from _fact_faults(kept, self._fold.partnership)
            except Unreadable as fault:
                yield f"Le journal ne se relit pas : {fault}."


def chain_faults(reference: str, rows: list[Any], each: Callable[[dict[str, Any]], None] | None = None) -> Iterator[str]:
    """What is wrong with the chain of `(n, key, entry, digest)` rows: a digest, a link, a number or a state.

    `each` receives the entries that hold, parsed, one after the other.
    """
    before, state, version, earlier = GENESIS, State.UNOPENED.value, 0, 0
    for place, (n, key, entry, sealed) in enumerate(rows, start=1):
        told = _parsed(entry)
        if told is None:
            yield f"Entrée {place} du journal : elle n’a pas la forme d’une entrée de jalon."
            return
        content, outcome, law = entry.encode(), told["outcome"], told.get("law", 0)
        version += outcome == "done"
        holds = (
            digest(content) == sealed,
            canonical(told) == content,
            told["prev"] == before,
            n == place == told["n"],
            told["reference"] == reference and told["key"] == key,
            told["from"] == state and (outcome == "done" or told["to"] == state),
            told["version"] == version,
            law >= earlier and _is_of_its_sort(told, earlier),
            law in LAWS or "law" not in told,
        )
        if not all(holds):
            # What follows a broken link is broken too: the first one is what to look at.
            yield f"Entrée {place} du journal : {listed([truth for truth, held in zip(TRUTHS, holds, strict=True) if not held])}."
            return
        before, state, earlier = sealed, told["to"], law
        if each is not None:
            each(told)


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
)


def _parsed(entry: str) -> dict[str, Any] | None:
    """The entry as JSON values; None when it is not an entry at all."""
    try:
        return parsed(entry)
    except ValueError:
        return None


def _is_of_its_sort(told: dict[str, Any], earlier: int) -> bool:
    """Whether an entry is one that jalon writes here, after one of the law `earlier` (0 when that has no number).

    Once an entry has the number of a law, all have, the numbers never go down, and nothing is carried over any more. Only what was done
    holds facts, or what was carried over: from the first of these on, a dossier is what its entries add up to.
    """
    outcome = told["outcome"]
    if outcome == "done":  # nearly every entry, and what most of them say
        return ("facts" in told) == ("law" in told) and told.keys().isdisjoint(NOT_OF_A_STEP)
    if outcome not in SORTS:
        return False
    if "law" not in told:
        return outcome != CARRIED and "facts" not in told
    faults = told.get("faults", ())
    carried = outcome == CARRIED
    return (
        ("facts" in told) == carried
        and not (carried and earlier)
        and ("objection" not in told or outcome == "refused")
        and "undoes" not in told
        and ("conflict" in told) == (outcome == "conflict")
        and ("faults" not in told or (carried and bool(faults) and all(type(one) is str for one in faults)))
    )


def _row_faults(loaded: Loaded, rows: list[Any]) -> Iterator[str]:
    if not rows or rows[-1][3] != loaded.head or len(rows) != loaded.n:
        yield "La tête du journal n’est pas celle que le dossier retient : des entrées manquent ou sont de trop."


def _fact_faults(kept: Partnership, told: Partnership) -> Iterator[str]:
    for name, label in ONCE.items():
        if getattr(kept, name) != getattr(told, name):
            yield f"Les données du dossier ({label}) ne sont pas celles que le journal a enregistrées."
    for name in KINDS:
        if getattr(kept, name) != getattr(told, name):
            yield _differing(name, getattr(kept, name), getattr(told, name))
    if set(kept.findings) != set(told.findings):
        codes = sorted({one.code for one in set(kept.findings) ^ set(told.findings)})
        yield f"Les constats du dossier ne sont pas ceux que le journal a enregistrés ({listed(codes)})."


def _differing(name: str, kept: tuple[Any, ...], told: tuple[Any, ...]) -> str:
    """« stagiaire n° 3 (insee) », for each fact that differs, is missing or is of too many."""
    rows, facts = {one.number: one for one in kept}, {one.number: one for one in told}
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


def _name_faults(loaded: Loaded, people: list[Any]) -> Iterator[str]:
    """The people whose names are no longer those that were retained; `people` are rows `(trainee, names..., birth, salt, digest)`."""
    promised = {trainee.number: trainee.commitment for trainee in loaded.partnership.trainees}
    for trainee, family_name, given_name, born_on, salt, found in people:
        names = (family_name, given_name, date.fromisoformat(born_on))
        same = commitment(salt, *names) == promised.get(trainee)
        if not same or person_digest(loaded.partnership.pepper, *names) != found:
            yield f"L’identité du stagiaire n° {trainee} n’est plus celle qui a été retenue."
