"""The proof that a dossier is what its journal says: chain, walk, row and facts, each read again from the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from models import tables
from models.answers import Invalid
from models.canonical import GENESIS, canonical, digest
from models.codec import facts_of
from models.dossiers import Dossiers, Loaded
from models.store import Store
from states.facts import Finding, Identity, Partnership
from states.french import listed
from states.identity import commitment, person_digest
from states.lifecycle import GUARDS, STEPS
from states.replay import replay
from states.walk import destination
from states.words import State

ENTRY = {"reference", "n", "prev", "key", "trigger", "from", "to", "version", "outcome", "actor", "role", "effective_on"}
ENTRY |= {"request", "reasons"}
# Every field of a dossier that its journal tells of, as an auditor calls it.
CHECKED = {
    "state": "état",
    "version": "version",
    "entered_on": "date de l’état",
    "imported": "reprise du passé",
    "parties": "parties et IBAN",
    "terms": "conditions",
    "acts": "délibérations",
    "signatures": "signatures",
    "trainings": "formation",
    "committees": "comités",
    "trainees": "stagiaires",
    "invoices": "factures",
    "settlements": "liquidation, mandat et paiement",
    "documents": "documents",
    "appeals": "recours",
    "recoveries": "récupérations",
    "payee_changes": "changements de compte",
    "delegations": "délégations",
}


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
        faults = tuple(chain_faults(reference, rows))
        if not faults:
            told = [json.loads(entry) for _, _, entry, _ in rows]
            faults = (*_row_faults(loaded, rows), *_fact_faults(loaded, told), *_name_faults(loaded, people))
        return Verification(reference, len(rows), loaded.head, faults)

    def verify_all(self) -> tuple[Verification, ...]:
        """Verify every dossier, by reference."""
        with self._store.transaction(write=False) as cursor:
            references = self._dossiers.references(cursor)
        return tuple(self.verify(reference) for reference in references)


def chain_faults(reference: str, rows: list[Any]) -> Iterator[str]:
    """What is wrong with the chain of `(n, key, entry, digest)` rows: a digest, a link, a number or a step."""
    before, state, version = GENESIS, State.UNOPENED, 0
    standing: list[State] = []  # the state before each step that was not undone
    for place, (n, key, entry, sealed) in enumerate(rows, start=1):
        told = _parsed(entry)
        if told is None:
            yield f"Entrée {place} du journal : elle est illisible."
            return
        version += told["outcome"] == "done"
        arrival = _arrival(state, told, standing)
        truths = (
            (digest(entry.encode()) == sealed, "son empreinte ne correspond pas à son contenu"),
            (canonical(told).decode() == entry, "elle n’est pas écrite sous la forme canonique"),
            (told["prev"] == before, "elle ne suit pas l’entrée précédente"),
            (n == place == told["n"], "son numéro n’est pas le bon"),
            (told["reference"] == reference and told["key"] == key, "elle n’est pas de ce dossier, ou sa clé a changé"),
            (told["from"] == state and told["to"] == arrival, "elle décrit une étape que la table n’autorise pas"),
            (told["version"] == version, "sa version n’est pas la bonne"),
        )
        faults = [fault for holds, fault in truths if not holds]
        if faults:
            # What follows a broken link is broken too: the first one is what to look at.
            yield f"Entrée {place} du journal : {listed(faults)}."
            return
        before, state = sealed, State(told["to"])


def _arrival(state: State, told: dict[str, Any], standing: list[State]) -> State | None:
    """Where an entry leads: nowhere unless it was done; an undoing leads back before the last step that stands."""
    if told["outcome"] != "done":
        return state
    step = STEPS.get(told["trigger"])
    if step is not None and step.back:
        return standing.pop() if len(standing) > 1 else None
    if step is not None and step.can_be_undone:
        standing.append(state)
    return destination(state, told["trigger"])


def _parsed(entry: str) -> dict[str, Any] | None:
    """The entry as JSON values; None when it is not an entry at all."""
    try:
        told = json.loads(entry)
    except ValueError:
        return None
    known = isinstance(told, dict) and told.keys() >= ENTRY and isinstance(told["to"], str) and told["to"] in set(State)
    return told if known else None


def _row_faults(loaded: Loaded, rows: list[Any]) -> Iterator[str]:
    if not rows or rows[-1][3] != loaded.head or len(rows) != loaded.n:
        yield "La tête du journal n’est pas celle que le dossier retient : des entrées manquent ou sont de trop."


def _fact_faults(loaded: Loaded, told: list[dict[str, Any]]) -> Iterator[str]:
    kept = loaded.partnership
    try:
        retold = replay(kept.reference, told)
    except (ValueError, LookupError, TypeError, StopIteration):
        yield "Le journal contient une demande que cette version de jalon ne sait pas relire."
        return
    for name, label in CHECKED.items():
        if getattr(kept, name) != getattr(retold, name):
            yield f"Les données du dossier ({label}) ne sont pas celles que le journal a enregistrées."
    if _warnings(kept) != _warnings(retold):
        yield "Les constats du dossier ne sont pas ceux que le journal a enregistrés."


def _warnings(partnership: Partnership) -> set[Finding]:
    """The findings whose words stand in the journal; the others follow from facts, and from the rules of this version."""
    return {one for one in partnership.findings if one.code in GUARDS}


def _name_faults(loaded: Loaded, people: list[Any]) -> Iterator[str]:
    promised = {trainee.number: trainee.commitment for trainee in loaded.partnership.trainees}
    for person in facts_of(Identity, json.dumps([list(row) for row in people])):
        names = (person.family_name, person.given_name, person.born_on)
        same = commitment(person.salt, *names) == promised.get(person.trainee)
        if not same or person_digest(loaded.partnership.pepper, *names) != person.digest:
            yield f"L’identité du stagiaire n° {person.trainee} n’est plus celle qui a été retenue."
