"""The one door for change: load, decide, write row + journal + outbox, commit; or nothing at all."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, bindparam, cast, func, insert, literal_column, select

from models import tables
from models.answers import Answer, Conflict, Invalid, answer_of
from models.database.constraints import violated
from models.database.store import Cursor, Store
from models.ledger.attempt import Attempt, assert_writable, instant, name_of
from models.ledger.chain import GENESIS, canonical, digest
from models.ledger.conflicts import again, objection, overtaken, taken_back, too_late, wrong_version
from models.ledger.dossiers import Dossiers, Loaded
from models.ledger.entry import Decided, entry_of, input_digest
from models.ledger.history import History
from models.ledger.reading import parsed
from models.people.codes import Codes, Shown
from models.people.register import CLOCK, Register, folded, unknown_person
from states.dossier.requests import Undoing
from states.engine.decide import NO_LOOKUPS, Decision, decide
from states.grammar.case import Actor, Commune, Lookups
from states.grammar.deadlines import paris_day
from states.grammar.effects import Tell
from states.grammar.guard import Refused
from states.grammar.request import Request
from states.journal.fold import differences, patch
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.trainees.requests import residences_of
from states.vocabulary import Role, State

Verdict = Decision | Refused | Conflict
Gazetteer = Callable[[str], tuple[Commune, ...]]
FIRST_WINS = frozenset({"uq_partnerships_reference", "uq_journal_key"})


class _OvertakenError(Exception):
    """The row has moved since it was read: only where it did not exist when it should have been locked. Begin again."""


class Ledger:
    """A ledger on one database.

    `entropy(n)` gives n random bytes as hexadecimal, for salts. `gazetteer(text)` gives the communes that an INSEE
    code or a name may mean; without one, codes are taken as they are and names are refused.
    """

    def __init__(self, store: Store, *, entropy: Callable[[int], str] = secrets.token_hex, gazetteer: Gazetteer | None = None) -> None:
        self.store = store
        self._register = Register(store)
        self._gazetteer = gazetteer
        self.dossiers = Dossiers(store)
        self._entropy = entropy
        self._codes = Codes(store)
        self._standing = store.compile(_standing(sqlite=store.is_sqlite))
        self._append = store.compile(_insert(tables.journal))
        self._post = store.compile(_insert(tables.outbox, "lease", "sent_at", "dead_at", "fault"))
        entries = tables.journal.c
        self._by_key = store.compile(select(entries.entry, entries.digest).where(entries.key == bindparam("key")))
        self._history = History(store)

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
        request = self._naming(request)
        payload, communes = request.model_dump(mode="json"), self._communes(request)
        return self._settle(
            Attempt(reference, trigger, request, actor, at, key, via, expected_version, instant(at), payload, communes, shown=shown)
        )

    def _settle(self, attempt: Attempt) -> Answer:
        """Fire until the answer is written, or a constraint of the database has said why it cannot be."""
        for _ in range(3):
            try:
                with self.store.transaction() as cursor:
                    answer, after = self._fire(cursor, attempt)
            except _OvertakenError:
                continue
            except Exception as fault:
                name = violated(fault)
                if name is None:
                    raise
                if name not in FIRST_WINS:
                    attempt = attempt._replace(refusal=objection(attempt, name), objection=name)
                continue
            if after is not None:
                self.dossiers.remember(after)
            return answer
        raise Invalid(f"Le dossier {attempt.reference} change trop vite : réessayez.")

    def _naming(self, request: Request) -> Request:
        """The request with the people it names as the register writes them. Raises Invalid for a name that it does not have."""
        if not request.people:
            return request
        return request.model_copy(update={field: self._register.actor(getattr(request, field)).name for field in request.people})

    def _communes(self, request: Request) -> tuple[tuple[Commune, ...], ...] | None:
        """The communes that the residences in a request may mean; looked up before the transaction, which others wait for."""
        find, residences = self._gazetteer, residences_of(request) if self._gazetteer is not None else ()
        if find is None or not residences:
            return None
        found = {text: find(text) for text in dict.fromkeys(residences)}
        return tuple(found[text] for text in residences)

    def use_up(self, name: str, shown: Shown) -> None:
        """Use up the code of somebody whose question could not be asked."""
        with self.store.transaction() as cursor:
            self._codes.proof(cursor, folded(name), shown, now=shown.at)

    def answered(self, key: str) -> Answer | None:
        """What `key` was answered, or None; for a caller whose input cannot differ. Raises Unreachable."""
        with self.store.transaction(write=False) as cursor:
            cursor.execute(self._by_key, {"key": key})
            row = cursor.fetchone()
        return answer_of(parsed(row[0]), row[1]) if row else None

    def _fire(self, cursor: Cursor, attempt: Attempt) -> tuple[Answer, Loaded | None]:
        """The answer, and the dossier as it will be once committed."""
        self.dossiers.lock(cursor, attempt.reference)
        cursor.execute(self._standing, {"folded": folded(name_of(attempt.actor)), "key": attempt.key, "reference": attempt.reference})
        name, roles, earlier, *place = cursor.fetchone()
        loaded = self._unopened(attempt) if place[0] is None else self.dossiers.at(cursor, attempt.reference, tuple(place))
        if earlier is not None:
            return again(attempt, loaded.partnership.state, *json.loads(earlier)), None
        actor = _actor(attempt.actor, name, roles)
        if attempt.shown is not None:
            attempt = attempt._replace(proof=self._codes.proof(cursor, folded(actor.name), attempt.shown, now=attempt.at))
        verdict, lookups = self._verdict(cursor, attempt, loaded, actor)
        if loaded.id == 0 and not isinstance(verdict, Decision):
            # There is no dossier, so no chain to write the refusal into.
            return verdict, None
        return self._write(cursor, attempt, loaded, actor, verdict, lookups)

    def _unopened(self, attempt: Attempt) -> Loaded:
        """What `open` begins from; every other step needs a dossier."""
        if not STEPS[attempt.trigger].opens:
            raise Invalid(f"Aucun dossier ne porte la référence {attempt.reference}.")
        blank = Partnership(attempt.reference, False, State.UNOPENED, 0, None, self._entropy(32))  # noqa: FBT003 - `imported`, known later
        return Loaded(0, 0, GENESIS, blank)

    def _verdict(self, cursor: Cursor, attempt: Attempt, loaded: Loaded, actor: Actor) -> tuple[Verdict, Lookups]:
        """What is decided, and what was looked up for it."""
        partnership = loaded.partnership
        if attempt.refusal is not None:
            return attempt.refusal, NO_LOOKUPS
        if attempt.expected_version not in (None, partnership.version):
            last = self._history.last_change(cursor, loaded.id, moves_only=False)
            behind = attempt.expected_version is not None and attempt.expected_version < partnership.version
            lost = overtaken(attempt, last, partnership.state) if last and behind else wrong_version(attempt, partnership)
            return lost, NO_LOOKUPS
        lookups = self._lookups(cursor, attempt, loaded, actor)
        if lookups.past is not None and lookups.past.taken_back is not None:
            return taken_back(attempt, lookups.past, partnership.state), lookups
        verdict = decide(partnership, attempt.trigger, attempt.request, actor=actor, at=attempt.at, lookups=lookups)
        if isinstance(verdict, Refused) and verdict.reasons[0].code == "WRONG_STATE":
            won = self._history.last_change(cursor, loaded.id, moves_only=True)
            return too_late(attempt, verdict, won, partnership.state), lookups
        return verdict, lookups

    def _lookups(self, cursor: Cursor, attempt: Attempt, loaded: Loaded, actor: Actor) -> Lookups:
        """What the rules may ask beyond the dossier: communes, lenders of roles, the entry that an undo names, a salt for new names."""
        lent = loaded.partnership.lent_to(actor.name, paris_day(attempt.at)) if loaded.partnership.delegations else ()
        concerned = [*(one.giver for one in lent), *(getattr(attempt.request, field) for field in attempt.request.people)]
        asks_nothing = attempt.proof is None and attempt.communes is None and not attempt.request.personal
        if asks_nothing and not concerned and type(attempt.request) is not Undoing:
            return NO_LOOKUPS
        entry = attempt.request.entry if type(attempt.request) is Undoing else None
        return Lookups(
            communes=attempt.communes,
            registered=tuple((name, self._roles_of(cursor, name)) for name in concerned),
            past=self._history.past(cursor, loaded, entry) if entry is not None else None,
            salt=self._entropy(16) if attempt.request.personal else "",
            proof=attempt.proof,
        )

    def _roles_of(self, cursor: Cursor, name: str) -> frozenset[Role]:
        """The roles that the register gives somebody now, read in the same transaction."""
        cursor.execute(self._standing, {"folded": folded(name), "key": "", "reference": ""})
        return _roles(cursor.fetchone()[1])

    def _write(
        self, cursor: Cursor, attempt: Attempt, loaded: Loaded, actor: Actor, verdict: Verdict, lookups: Lookups
    ) -> tuple[Answer, Loaded | None]:
        before = loaded.partnership
        after = verdict.after if isinstance(verdict, Decision) else before
        changes = differences(before, after)
        n = loaded.n + 1
        facts = patch(before, after, changes) if isinstance(verdict, Decision) else None
        entry = entry_of(attempt, loaded, actor, Decided(verdict, lookups, facts))
        content = canonical(entry.fields())
        head = digest(content)
        id_ = loaded.id
        if id_ == 0:
            id_ = self.dossiers.open(cursor, after, n, head)
        elif not self.dossiers.move(cursor, loaded, after, n, head):
            raise _OvertakenError
        cursor.execute(
            self._append,
            {
                "partnership_id": id_,
                "n": n,
                "key": attempt.key,
                "input_digest": input_digest(before.pepper, attempt),
                "entry": content.decode(),
                "digest": head,
            },
        )
        if isinstance(verdict, Decision):
            self.dossiers.write(cursor, id_, before, after, changes, attempt.instant)
            if verdict.identities:
                self.dossiers.name(cursor, id_, verdict.identities)
            self._post_effects(cursor, id_, n, attempt, verdict)
        return answer_of(entry, head), Loaded(id_, n, head, after)

    def _post_effects(self, cursor: Cursor, id_: int, n: int, attempt: Attempt, decision: Decision) -> None:
        """One row for each effect, with a key that a receiver can recognise: dossier, entry, effect."""
        for effect in decision.effects:
            kind, role = ("tell", effect.role.value) if isinstance(effect, Tell) else ("check", "")
            cursor.execute(
                self._post,
                {
                    "partnership_id": id_,
                    "n": n,
                    "key": f"{attempt.reference}.{n}.{kind}{'.' if role else ''}{role}",
                    "kind": kind,
                    "role": role or None,
                    "attempts": 0,
                    "due_at": attempt.instant,
                },
            )


def _assert_asked(trigger: str, request: Request, reference: str) -> None:
    """Raises Invalid when the table has no such step, or the request belongs to another step or dossier."""
    step = STEPS.get(trigger)
    if step is None or type(request) is not step.asks:
        raise Invalid(f"L’étape « {trigger} » n’existe pas, ou cette demande n’est pas la sienne.")
    if step.opens and getattr(request, "reference", None) != reference:
        raise Invalid(f"Le fichier du dossier porte une autre référence que {reference}.")


def _actor(asked: str | Actor, name: str | None, roles: str) -> Actor:
    if asked is CLOCK:
        return CLOCK
    if name is None:
        raise unknown_person(name_of(asked))
    return Actor(name, _roles(roles))


@lru_cache(maxsize=256)
def _roles(listed: str) -> frozenset[Role]:
    return frozenset(map(Role, json.loads(listed)))


def _insert(table: Any, *but: str) -> Any:
    columns = [column.name for column in table.columns if column.name not in (*but, "id")]
    return insert(table).values({name: bindparam(name) for name in columns})


def _standing(*, sqlite: bool) -> Any:
    """Who asks, in which roles, what the same key was answered before, and where the dossier stands: one row."""
    person = select(tables.people.c.id).where(tables.people.c.folded == bindparam("folded")).scalar_subquery()
    role, entries, dossiers, here = tables.people_roles.c, tables.journal.c, tables.partnerships.alias("dossiers").c, tables.partnerships.c
    roles: Any = func.json_group_array(role.role) if sqlite else cast(func.json_agg(role.role), Text)
    answered = (dossiers.pepper, entries.input_digest, entries.entry, entries.digest)
    earlier: Any = func.json_array(*answered) if sqlite else cast(func.json_build_array(*answered), Text)
    always = select(literal_column("1").label("one")).subquery()
    return select(
        select(tables.people.c.name).where(tables.people.c.folded == bindparam("folded")).scalar_subquery(),
        func.coalesce(select(roles).where(role.person_id == person).scalar_subquery(), literal_column("'[]'")),
        select(earlier).where(entries.key == bindparam("key"), dossiers.id == entries.partnership_id).scalar_subquery(),
        here.id,
        here.n,
        here.head,
    ).select_from(always.outerjoin(tables.partnerships, here.reference == bindparam("reference")))
