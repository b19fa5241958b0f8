"""The one door for change: load, decide, write row + journal + outbox, commit; or nothing at all."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, select

from models import tables
from models.answers import Answer, Conflict, Invalid, answer_of
from models.database.constraints import violated
from models.database.store import Cursor, Store
from models.database.vocabulary import learnt
from models.ledger.attempt import Attempt, assert_writable, instant, name_of
from models.ledger.chain import GENESIS, canonical, digest
from models.ledger.clock import TOLERANCE, behind
from models.ledger.codec import row_of
from models.ledger.conflicts import again, objection, overtaken, taken_back, too_late, wrong_version
from models.ledger.dossiers import Dossiers, Loaded
from models.ledger.entry import Decided, entry_of, input_digest
from models.ledger.history import History
from models.ledger.reading import parsed
from models.ledger.standing import Standing, Standings
from models.ledger.writing import APPEND, NAME, POST, Part, Writing, parts_of
from models.people.codes import Shown, proved
from models.people.enrolments import Enrolments
from models.people.register import CLOCK, unknown_person
from models.people.vault import NO_VAULT, Vault
from states.dossier.proof import Proof
from states.dossier.requests import Undoing
from states.engine.decide import Decision, decide
from states.grammar.case import Actor, Commune, Lookups
from states.grammar.deadlines import paris_day
from states.grammar.effects import Tell
from states.grammar.guard import Refused
from states.grammar.request import Request
from states.journal.fold import differences, patch
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.register.facts import folded
from states.trainees.requests import residences_of
from states.vocabulary import Role, State

Verdict = Decision | Refused | Conflict
Gazetteer = Callable[[str], tuple[Commune, ...]]
FIRST_WINS = frozenset({"uq_partnerships_reference", "uq_journal_key", "uq_code_sources_source"})


class Asking(NamedTuple):
    """Who asks, and the other people whom it concerns, by folded name."""

    actor: Actor
    others: dict[str, Actor]


class _OvertakenError(Exception):
    """The row has moved since it was read: only where it did not exist when it should have been locked. Begin again."""


class Ledger:
    """A ledger on one database.

    `entropy(n)` gives n random bytes as hexadecimal, for salts. `gazetteer(text)` gives the communes that an INSEE
    code or a name may mean; without one, codes are taken as they are and names are refused. `vault` opens the secrets of codes;
    `waits` is how many working days pass before a role that was given, or newly enrolled, moves money. An
    entry may be written by `clock_tolerance` behind the newest of its dossier; further, the clock is wrong.
    """

    def __init__(
        self,
        store: Store,
        *,
        entropy: Callable[[int], str] = secrets.token_hex,
        gazetteer: Gazetteer | None = None,
        vault: Vault = NO_VAULT,
        waits: int = 1,
        clock_tolerance: timedelta = TOLERANCE,
    ) -> None:
        self.store, self._clock_tolerance = store, clock_tolerance
        self._vault = vault
        self._asks_nothing = Lookups(waits=waits)
        self._enrolments = Enrolments(store)
        self._gazetteer = gazetteer
        self._entropy = entropy
        self.dossiers = Dossiers(store)
        self._standings = Standings(store, self.dossiers)
        self._writing = Writing(store)
        self._history = History(store)
        entries = tables.journal.c
        self._by_key = store.compile(select(entries.entry, entries.digest).where(entries.key == bindparam("key")))

    def fire(
        self,
        reference: str,
        trigger: str,
        request: Request,
        *,
        actor: str | Actor,
        at: datetime,
        key: str,
        via: str = "",
        expected_version: int | None = None,
        shown: Shown | None = None,
    ) -> Answer:
        """Do `trigger` on the dossier, in one transaction: Done, Refused or Conflict, each in the journal.

        The same `key` with the same input gives the first answer again; with another input, Conflict.
        `expected_version` is the version that the caller saw: if the dossier has moved on since, Conflict.
        `shown` is the one-time code of the person, for a caller who must ask for one; a right one is used up.
        `actor` is a name of the register, whose roles are read in the same transaction; jalon itself passes `CLOCK`.
        Raises Invalid for an unknown reference, trigger or person, Unreachable when the database does not answer.
        """
        _assert_asked(trigger, request, reference)
        assert_writable(reference, name_of(actor), key, via, expected_version)
        payload, communes = request.model_dump(mode="json"), self._communes(request)
        return self._settle(
            Attempt(reference, trigger, request, actor, at, key, via, expected_version, instant(at), payload, communes, shown=shown)
        )

    def _settle(self, attempt: Attempt) -> Answer:
        """Fire until the answer is written, or a constraint of the database has said why it cannot be."""
        taught = False  # once: an objection that comes back is about something else
        for _ in range(3):
            try:
                with self._begun(attempt) as cursor:
                    answer, after = self._fire(cursor, attempt)
            except _OvertakenError:
                continue
            except Exception as fault:
                name = violated(self.store, fault)
                if name is None:
                    raise
                if name not in FIRST_WINS and (taught or not (taught := learnt(self.store, name))):
                    attempt = attempt._replace(refusal=objection(attempt, name), objection=name)
                continue
            if after is not None:
                self.dossiers.remember(after)
            return answer
        raise Invalid(f"Le dossier {attempt.reference} change trop vite : réessayez.")

    def _begun(self, attempt: Attempt) -> AbstractContextManager[Cursor]:
        """A transaction in which nobody else writes to the dossier, nor uses the same code."""
        locks, parameters = self._standings.locks(attempt.reference, folded(name_of(attempt.actor)) if attempt.shown else None)
        return self.store.transaction(locks=locks, parameters=parameters)

    def _communes(self, request: Request) -> tuple[tuple[Commune, ...], ...] | None:
        """The communes that the residences in a request may mean; looked up before the transaction, which others wait for."""
        find, residences = self._gazetteer, residences_of(request) if self._gazetteer is not None else ()
        if find is None or not residences:
            return None
        found = {text: find(text) for text in dict.fromkeys(residences)}
        return tuple(found[text] for text in residences)

    def use_up(self, name: str, shown: Shown) -> Proof:
        """Use up the code of somebody who asks nothing of a dossier, or whose question could not be asked; what it proves."""
        locks, parameters = self._standings.locks(None, folded(name))
        with self.store.transaction(locks=locks, parameters=parameters) as cursor:
            return self._enrolments.judged(cursor, folded(name), shown, now=shown.at, vault=self._vault)

    def answered(self, key: str, reference: str | None, trigger: str, actor: str) -> Answer | None:
        """What `key` was answered, or None; for a caller who no longer has the input. Raises Unreachable.

        Raises Invalid when the key was spent on something else than this step, by this person, of this dossier (None: one that it opens).
        """
        with self.store.transaction(write=False) as cursor:
            cursor.execute(self._by_key, {"key": key})
            row = cursor.fetchone()
        if row is None:
            return None
        entry = parsed(row[0])
        if (entry.trigger, folded(entry.actor)) != (trigger, folded(actor)) or reference not in (None, entry.reference):
            raise Invalid("La clé de cette demande a déjà servi à autre chose : rien n’est fait.")
        return answer_of(entry, row[1])

    def _fire(self, cursor: Cursor, attempt: Attempt) -> tuple[Answer, Loaded | None]:
        """The answer, and the dossier as it will be once committed."""
        standing = self._standings.read(cursor, attempt)
        attempt = _naming(attempt, standing)
        loaded = standing.loaded or self._unopened(attempt)
        if standing.earlier is not None:
            return again(attempt, loaded.partnership.state, *json.loads(standing.earlier)), None
        late = behind(attempt, loaded.newest, self._clock_tolerance)
        if late is not None:
            return late, None
        actor, attempt = _actor(attempt.actor, standing), attempt._replace(register=standing.register)
        spent: tuple[Part, ...] = ()
        if attempt.shown is not None:
            proof, spent = proved(standing.codes, folded(actor.name), attempt.shown, now=attempt.at, vault=self._vault)
            attempt = attempt._replace(proof=proof)
        verdict, lookups = self._verdict(cursor, attempt, loaded, Asking(actor, standing.others))
        if loaded.id == 0 and not isinstance(verdict, Decision):
            # There is no dossier, so no chain to write the refusal into.
            self._writing.alone(cursor, spent)
            return verdict, None
        return self._write(cursor, attempt, loaded, actor, (verdict, lookups), spent)

    def _unopened(self, attempt: Attempt) -> Loaded:
        """What `open` begins from; every other step needs a dossier."""
        if not STEPS[attempt.trigger].opens:
            raise Invalid(f"Aucun dossier ne porte la référence {attempt.reference}.")
        blank = Partnership(attempt.reference, False, State.UNOPENED, 0, None, self._entropy(32))  # noqa: FBT003 - `imported`, known later
        return Loaded(0, 0, GENESIS, blank)

    def _verdict(self, cursor: Cursor, attempt: Attempt, loaded: Loaded, asking: Asking) -> tuple[Verdict, Lookups]:
        """What is decided, and what was looked up for it."""
        partnership = loaded.partnership
        if attempt.refusal is not None:
            return attempt.refusal, self._asks_nothing
        if attempt.expected_version not in (None, partnership.version):
            last = self._history.last_change(cursor, loaded.id, moves_only=False)
            behind = attempt.expected_version is not None and attempt.expected_version < partnership.version
            lost = overtaken(attempt, last, partnership.state) if last and behind else wrong_version(attempt, partnership)
            return lost, self._asks_nothing
        lookups = self._lookups(cursor, attempt, loaded, asking)
        if lookups.past is not None and lookups.past.taken_back is not None:
            return taken_back(attempt, lookups.past, partnership.state), lookups
        verdict = decide(partnership, attempt.trigger, attempt.request, actor=asking.actor, at=attempt.at, lookups=lookups)
        if isinstance(verdict, Refused) and verdict.reasons[0].code == "WRONG_STATE":
            won = self._history.last_change(cursor, loaded.id, moves_only=True)
            return too_late(attempt, verdict, won, partnership.state), lookups
        return verdict, lookups

    def _lookups(self, cursor: Cursor, attempt: Attempt, loaded: Loaded, asking: Asking) -> Lookups:
        """What the rules may ask beyond the dossier: communes, lenders of roles, the entry that an undo names, a salt for new names."""
        lent = loaded.partnership.lent_to(asking.actor.name, paris_day(attempt.at)) if loaded.partnership.delegations else ()
        concerned = [*(delegation.giver for delegation in lent), *(getattr(attempt.request, field) for field in attempt.request.people)]
        asks_nothing = attempt.proof is None and attempt.communes is None and not attempt.request.personal
        if asks_nothing and not concerned and type(attempt.request) is not Undoing:
            return self._asks_nothing
        entry = attempt.request.entry if type(attempt.request) is Undoing else None
        return self._asks_nothing._replace(
            communes=attempt.communes,
            registered=tuple((name, _roles_of(name, asking.others)) for name in concerned),
            past=self._history.past(cursor, loaded, entry) if entry is not None else None,
            salt=self._entropy(16) if attempt.request.personal else "",
            proof=attempt.proof,
        )

    def _write(
        self, cursor: Cursor, attempt: Attempt, loaded: Loaded, actor: Actor, decided: tuple[Verdict, Lookups], spent: tuple[Part, ...]
    ) -> tuple[Answer, Loaded | None]:
        """The answer, written with all that the step changes; `spent` is what is written of the one-time code."""
        (verdict, lookups), before, n = decided, loaded.partnership, loaded.n + 1
        done = verdict if isinstance(verdict, Decision) else None
        after = done.after if done else before
        changes = differences(before, after)
        digested = input_digest(before.pepper, attempt)
        entry = entry_of(attempt, loaded, actor, Decided(verdict, lookups, patch(before, after, changes) if done else None), digested)
        content = canonical(entry.fields())
        head = digest(content)
        appended = {"n": n, "key": attempt.key, "input_digest": digested, "entry": content.decode(), "digest": head}
        parts: list[Part] = [(APPEND, [appended])]
        if done:
            parts += [*parts_of(before, after, changes, attempt.instant), *_named(done), *_posted(attempt, n, done)]
        new = Loaded(loaded.id, n, head, after, newest=max(loaded.newest, attempt.instant))
        id_ = self._writing.write(cursor, loaded, new, (*parts, *spent))
        if id_ is None:
            raise _OvertakenError
        return answer_of(entry, head), new._replace(id=id_)


def _named(decision: Decision) -> Iterator[Part]:
    """Who trainees are, in the one table that may hold it."""
    if decision.identities:
        yield NAME, [row_of(identity) for identity in decision.identities]


def _posted(attempt: Attempt, n: int, decision: Decision) -> Iterator[Part]:
    """One row for each effect, with a key that a receiver can recognise: dossier, entry, effect."""
    rows = []
    for effect in decision.effects:
        kind, role = ("tell", effect.role.value) if isinstance(effect, Tell) else ("check", "")
        key = f"{attempt.reference}.{n}.{kind}{'.' if role else ''}{role}"
        rows.append({"n": n, "key": key, "kind": kind, "role": role or None, "attempts": 0, "due_at": attempt.instant})
    if rows:
        yield POST, rows


def _assert_asked(trigger: str, request: Request, reference: str) -> None:
    """Raises Invalid when the table has no such step, or the request belongs to another step or dossier."""
    step = STEPS.get(trigger)
    if step is None or type(request) is not step.asks:
        raise Invalid(f"L’étape « {trigger} » n’existe pas, ou cette demande n’est pas la sienne.")
    if step.opens and getattr(request, "reference", None) != reference:
        raise Invalid(f"Le fichier du dossier porte une autre référence que {reference}.")


def _actor(actor: str | Actor, standing: Standing) -> Actor:
    if actor is CLOCK:
        return CLOCK
    if standing.name is None:
        raise unknown_person(name_of(actor))
    return standing.actor(standing.name)


def _naming(attempt: Attempt, standing: Standing) -> Attempt:
    """The attempt with the people it names as the register writes them. Raises Invalid for a name that it does not have."""
    if not attempt.request.people:
        return attempt
    names = {}
    for field in attempt.request.people:
        person = standing.others.get(folded(getattr(attempt.request, field)))
        if person is None:
            raise unknown_person(getattr(attempt.request, field))
        names[field] = person.name
    request = attempt.request.model_copy(update=names)
    return attempt._replace(request=request, payload=request.model_dump(mode="json"))


def _roles_of(name: str, others: dict[str, Actor]) -> frozenset[Role]:
    """The roles that the register gives somebody now; none when it no longer knows them."""
    person = others.get(folded(name))
    return person.roles if person else frozenset()
