"""What a step must know before it is decided, read by one statement: who asks, what its key was answered, where the dossier stands."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import orjson
from sqlalchemy import Select, Text, bindparam, func, literal_column, null, select
from sqlalchemy.sql import ColumnElement

from models import tables
from models.database.store import Cursor, Fetched, Store
from models.ledger.attempt import Attempt, name_of
from models.ledger.clock import newest_of
from models.ledger.dossiers import Dossiers, Loaded
from models.people.codes import NONE, Enrolment, Failures, whose
from states.grammar.case import Actor
from states.register.facts import folded
from states.vocabulary import Role

PEOPLE, ROLES, ENTRIES, HERE, LENT, REGISTER, SOURCES = (
    table.c
    for table in (
        tables.people,
        tables.people_roles,
        tables.journal,
        tables.partnerships,
        tables.delegations,
        tables.register_journal,
        tables.code_sources,
    )
)
PLACE = slice(12, 15)  # where a row says the id, the length and the head of the dossier


class Standing(NamedTuple):
    """What was read. `others` are the people whom the question concerns besides the one who asks, by their folded names."""

    name: str | None  # of who asks, as the register writes it; None when it does not know them
    since: dict[Role, str]  # the roles in which they may act, and since when ('' where nobody knows)
    codes: Enrolment
    earlier: str | None  # what the key was answered, as JSON (see `conflicts.again`)
    loaded: Loaded | None
    others: dict[str, Actor]
    register: int | None  # how many entries the register's journal has; None: it has none yet

    def actor(self, name: str) -> Actor:
        """Who asks, as the rules see them."""
        return Actor(name, frozenset(self.since), tuple((role, since) for role, since in self.since.items() if since))


class Standings:
    """Reads where things stand, inside the transaction of a step.

    A dossier whose head is the one in memory is not read again, as facts change only together with the head of the chain. So the short
    statement is tried where there is a memory, and the whole one when it was wrong.
    """

    def __init__(self, store: Store, dossiers: Dossiers) -> None:
        self._store = store
        self._dossiers = dossiers
        self._texts: dict[tuple[bool, bool, bool], str] = {}
        self._lock = store.lock(select(HERE.id).where(HERE.reference == bindparam("reference")))
        self._lock_codes = store.lock(whose(bindparam("folded")))

    def locks(self, reference: str | None, codes_of: str | None) -> tuple[tuple[str, ...], dict[str, str | None]]:
        """What `Store.transaction` needs so that nobody else writes to a dossier, nor uses the codes of somebody (a folded name)."""
        locks = (*(self._lock if reference is not None else ()), *(self._lock_codes if codes_of is not None else ()))
        return locks, {"reference": reference, "folded": codes_of}

    def read(self, cursor: Cursor, attempt: Attempt) -> Standing:
        """Where an attempt begins; `lock` has locked the dossier before. Raises Invalid when a row of it cannot be read."""
        remembered = self._dossiers.remembered(attempt.reference)
        row = self._row(cursor, attempt, _concerned(attempt, remembered), whole=remembered is None)
        if remembered is not None and tuple(row[PLACE]) != remembered[:3]:
            remembered = None
            row = self._row(cursor, attempt, _concerned(attempt, None), whole=True)
        name, secret, failures, failed_at, period, elsewhere, register, since, earlier, others, lenders, last, *dossier = row
        return Standing(
            name,
            _since(since),
            Enrolment(secret, Failures(failures or 0, failed_at), period, Failures(*orjson.loads(elsewhere)) if elsewhere else NONE),
            earlier,
            remembered or self._loaded(attempt.reference, dossier, last),
            _people(others) | _people(lenders),
            register,
        )

    def _loaded(self, reference: str, dossier: Sequence[Fetched], last: str | None) -> Loaded | None:
        loaded = self._dossiers.loaded(reference, dossier)
        return loaded if loaded is None else loaded._replace(newest=newest_of(last or ""))

    def _row(self, cursor: Cursor, attempt: Attempt, others: list[str], *, whole: bool) -> Fetched:
        parameters = {"folded": folded(name_of(attempt.actor)), "key": attempt.key, "reference": attempt.reference}
        source = attempt.shown.source if attempt.shown is not None else ""
        if others:
            parameters["others"] = orjson.dumps(others).decode()
        if source:
            parameters["source"] = source
        kind = (whole, bool(others), bool(source))
        if kind not in self._texts:
            self._texts[kind] = self._store.compile(self._statement(whole=whole, others=bool(others), source=bool(source)))
        cursor.execute(self._texts[kind], parameters)
        return cursor.fetchone()

    def _statement(self, *, whole: bool, others: bool, source: bool) -> Select[tuple[object, ...]]:
        """One row, whether there is such a person, such a key and such a dossier or not."""
        always = select(literal_column("1").label("one")).subquery()
        return select(
            PEOPLE.name,
            PEOPLE.secret,
            PEOPLE.code_failures,
            PEOPLE.code_failed_at,
            PEOPLE.code_period,
            self._elsewhere() if source else null(),
            select(func.max(REGISTER.id)).scalar_subquery(),
            self._roles(),
            self._earlier(),
            self._others() if others else null(),
            self._lenders() if whole else null(),
            self._last() if whole else null(),
            *(self._dossiers.columns() if whole else (HERE.id, HERE.n, HERE.head)),
        ).select_from(
            always.outerjoin(tables.people, PEOPLE.folded == bindparam("folded")).outerjoin(
                tables.partnerships, HERE.reference == bindparam("reference")
            )
        )

    def _roles(self) -> ColumnElement[str]:
        held = self._store.dialect.arrays(ROLES.role, ROLES.since)
        return select(held).where(ROLES.person_id == PEOPLE.id).scalar_subquery()

    def _elsewhere(self) -> ColumnElement[str]:
        """The wrong codes from the source of the one that is shown."""
        return (
            select(self._store.dialect.array(SOURCES.failures, SOURCES.failed_at))
            .where(SOURCES.source == bindparam("source"))
            .scalar_subquery()
        )

    def _earlier(self) -> ColumnElement[str]:
        """What the key was answered: the secret of its dossier, the digest of the input, the entry, and its digest."""
        dossiers = tables.partnerships.alias("dossiers").c
        answered = self._store.dialect.array(dossiers.pepper, ENTRIES.input_digest, ENTRIES.entry, ENTRIES.digest)
        return select(answered).where(ENTRIES.key == bindparam("key"), dossiers.id == ENTRIES.partnership_id).scalar_subquery()

    def _others(self) -> ColumnElement[str]:
        """The people named in a list of folded names, as `_people` reads them."""
        who = tables.people.alias("who")
        held = self._store.dialect.arrays(who.c.folded, who.c.name, ROLES.role)
        named = who.c.folded.in_(self._store.dialect.listed(bindparam("others", type_=Text)))
        return select(held).select_from(who.outerjoin(tables.people_roles, ROLES.person_id == who.c.id)).where(named).scalar_subquery()

    def _last(self) -> ColumnElement[str]:
        """The last entry of the dossier, whose instant the next one follows; whoever remembers the dossier knows it."""
        entries = tables.journal.alias("last").c
        return select(entries.entry).where(entries.partnership_id == HERE.id, entries.n == HERE.n).scalar_subquery()

    def _lenders(self) -> ColumnElement[str]:
        """Whoever has delegated a role in the dossier, as `_people` reads them."""
        who = tables.people.alias("lender")
        held = self._store.dialect.arrays(who.c.folded, who.c.name, ROLES.role)
        given = tables.delegations.join(who, who.c.name == LENT.giver).outerjoin(tables.people_roles, ROLES.person_id == who.c.id)
        return select(held).select_from(given).where(LENT.partnership_id == HERE.id).scalar_subquery()


def _concerned(attempt: Attempt, remembered: Loaded | None) -> list[str]:
    """The folded names of the people besides the one who asks: those whom the request names, those who have lent a role."""
    named = [folded(getattr(attempt.request, field)) for field in attempt.request.people]
    if remembered is None or not remembered.partnership.delegations:
        return named
    asks = folded(name_of(attempt.actor))
    return [*named, *(folded(delegation.giver) for delegation in remembered.partnership.delegations if folded(delegation.holder) == asks)]


def _people(rows: str | None) -> dict[str, Actor]:
    """People by folded name, from a JSON array of `[folded, name, role]`."""
    if rows is None or rows == "[]":
        return {}
    names: dict[str, str] = {}
    roles: dict[str, set[Role]] = defaultdict(set)
    for key, name, role in orjson.loads(rows):
        names[key] = name
        roles[key] |= {Role(role)} if role is not None else set()
    return {key: Actor(name, frozenset(roles[key])) for key, name in names.items()}


@lru_cache(maxsize=256)
def _since(roles: str | None) -> dict[Role, str]:
    """Roles and since when they are held, from a JSON array of `[role, since]`; never changed by whoever reads it."""
    return {Role(role): since for role, since in json.loads(roles or "[]")}
