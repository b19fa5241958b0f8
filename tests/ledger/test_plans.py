"""Cost does not grow with the house: no statement of jalon reads a whole table of 20,000 dossiers, and no question does more in it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from enlisting import Enlisted, enlist, enlist_all
from houses import filled
from lives import ALL, EVERYTHING
from plans import ON_PURPOSE, listening, scans
from playing import played
from walks import AT, PEOPLE, Walk
from witness import sql

from flows.cli import deliberations, proving, reading
from flows.cli.supposing import entitled
from flows.desk.dashboard_page import dashboard
from flows.home import Home, close_all
from flows.mail.courier import deliver_all, follow_at_once
from flows.ports.clock import now
from flows.review import Checked, check
from flows.rounds import keep_lines
from flows.settings import settings
from models.answers import Conflict
from models.dashboard import PageSeal
from models.database.sqlite import Sqlite
from models.database.store import Store
from models.ledger.tallies import Tallies
from models.people.codes import Shown, code_at, new_secret
from models.people.invitations import invitation_digest
from models.people.register import CLOCK, Changed
from models.tables.columns import metadata
from models.verify.leaves import house_leaves
from models.verify.received import Comparing, Received
from states.grammar.guard import Refused
from states.register.requests import Verb, Wish
from states.vocabulary import Role, State

pytestmark = pytest.mark.long

MANY = 20_000
LATER = AT + timedelta(days=3)
# Of these, each alone would do for the plans: with one of them, only what waits is read.
BACKLOG = ("ix_outbox_waiting", "ix_outbox_follows", "ix_outbox_held")
# Without one of these a plan says nothing: another index reads what waits, or the dossiers in their order until some are behind, or
# each person of the register (PostgreSQL). A count sees it.
COUNTED: dict[str, Callable[[Home, str], object]] = {
    "ix_outbox_waiting": lambda home, _: home.outbox.take(now=AT - timedelta(days=9), lease="x"),
    "ix_outbox_follows": lambda home, reference: home.outbox.take(now=LATER, lease="x", follows=reference),
    "ix_outbox_held": lambda home, _: home.outbox.held(),
    "ix_partnerships_behind": lambda home, _: home.dashboard.behind("", 100),
    "ix_people_roles_role": lambda home, _: home.register.holding(Role.UNIVERSITY_REFERENT),
}


class House(NamedTuple):
    """A house of many dossiers, the references of its real ones, and every statement that was sent to it, with values."""

    home: Home
    references: list[str]
    asked: Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Asked everything that jalon can ask."""
    folder = tmp_path_factory.mktemp("house")
    url = request.getfixturevalue("new_postgresql")() if request.param == "postgresql" else f"sqlite:///{folder / 'jalon.db'}"
    home = Home(settings({**os.environ, "JALON_HOME": str(folder), "JALON_DATABASE_URL": url}), create=True)
    references = filled(home.store, MANY)
    with listening(home.store) as asked:
        everything(home, references)
    yield House(home, references, asked)
    home.store.close()


def everything(home: Home, references: list[str]) -> None:
    """What people, programs and rounds ask of the ledger."""
    played(home.store, {EVERYTHING: ALL})
    read(home, EVERYTHING)
    fire(home, references[1])
    deliver(home)
    show_all(home, references)
    keep_register(home)


def read(home: Home, reference: str) -> None:
    for ask in (reading.show, reading.trainees, deliberations.acts):
        ask(home, reference)
    reading.why(home, reference, None, None)
    reading.list_(home, most=3)
    reading.list_(home, most=3, after=reference)
    proving.verify(home, reference, law=True)
    home.verifier.verify(reference)
    assert len(home.verifier.references()) == MANY + 1
    proving.witnessed(home, reference, "0" * 64)
    entitled(home, reference, on=None, suppositions=())
    home.views.undoable(reference, 3, CLOCK, at=AT)
    prove(home, reference)


def prove(home: Home, reference: str) -> None:
    """What an audit of the whole house asks, of one dossier."""
    auditor, head = home.auditor(), home.views.history(reference)[-1].digest
    for whole in (False, True):
        assert auditor.audited(reference, whole=whole).faults == ()
    auditor.house.faults(auditor.nights, now())
    auditor.house.letters()
    leaf = {"kind": "dossier", "reference": reference, "n": 1, "head": head}
    assert len(Comparing(home.store, auditor.nights).faults(Received("0" * 64, leaf=leaf))) == 2
    assert [leaf["kind"] for leaf in house_leaves(home.store)] == ["register", "schema"]


def fire(home: Home, reference: str) -> None:
    """What lives do not do: come too late, show a code, ask again, look at an answer."""
    walk = Walk(home.store, reference)
    assert isinstance(walk.ask("approve", key="late"), Conflict)
    assert isinstance(walk.ask("attach", seen=1), Conflict)
    home.ledger.use_up(PEOPLE[Role.BOARD_SECRETARY], Shown("000000", AT))
    home.ledger.answered("late", None, "approve", "Bruno")
    walk.do("attach", key="once")
    walk.do("attach", key="once")
    walk.do("undo")


def deliver(home: Home) -> None:
    async def follow(reference: str, _parcels: object) -> Checked:
        return check(home, reference)

    asyncio.run(follow_at_once(home, follow, EVERYTHING))
    for parcel in home.outbox.take(now=now(), lease="most of them", most=150):
        home.outbox.failed(parcel, "panne", now=now())
    asyncio.run(deliver_all(home, follow))
    home.outbox.overdue(LATER)
    home.outbox.waiting()


def show_all(home: Home, references: list[str]) -> None:
    keep_lines(home, references)
    for ask in (home.dashboard.behind, home.dashboard.references, home.dashboard.after):
        assert ask("", 3)
    home.dashboard.in_state(State.APPROVED, 3)
    home.dashboard.all_due(date(2026, 1, 3))
    home.dashboard.published(references)
    home.dashboard.publish([PageSeal(references[0], 1, "0" * 64)])
    dashboard(home, at=AT)
    Tallies(home.store).fold()
    home.dashboard.forget_pages()
    for take in (True, False):
        assert home.marks.take("event", "e", now=AT) == take
    home.marks.drop("event", "e")
    home.marks.purge(before=AT)


def keep_register(home: Home) -> None:
    secret = new_secret()
    enlist(home.store, "Nadia", "nadia@essai.example", [Role.OPERATOR], secret, vault=home.vault)
    wishes = [
        Wish(Verb.ADD, "Omer", (Role.AUDITOR,), "omer@essai.example"),
        Wish(Verb.ADDRESS, "Omer", mail="o@essai.example"),
        Wish(Verb.INVITE, "Omer", invitation=invitation_digest("ABCD")),
    ]
    shown = [Shown(code_at(secret, AT), AT, "terminal:nadia"), Shown("000000", AT, "terminal:nadia"), Shown("000000", AT, "terminal:nadia")]
    assert isinstance(home.register.change(wishes, actor="Nadia", at=AT, shown=shown[0]), Changed)
    for wrong in shown[1:]:
        assert isinstance(home.register.change([Wish(Verb.LEAVE, "Omer")], actor="Nadia", at=AT, shown=wrong), Refused)
    home.register.enrol("ABCD", secret, code_at(secret, AT), at=AT)
    home.register.change([Wish(Verb.LEAVE, "Omer")], actor="Nadia", at=AT)
    home.register.everyone()
    home.register.entries()
    home.register.holding(Role.AUDITOR)
    home.register.mistaken()


def test_no_statement_reads_a_whole_table(house: House) -> None:
    sent = [" ".join(statement.split()) for statement in house.asked]
    assert len(sent) > 100
    assert [begin for begin in ON_PURPOSE if not any(begin in one for one in sent)] == []
    assert [str(one) for one in scans(house.home.store, house.asked)] == []


def test_every_index_is_what_keeps_a_statement_from_reading_everything(house: House) -> None:
    """Without it, a statement is named in a sentence: so the test above can fail. Those of the backlog go together; see the count below."""
    store, indexes = house.home.store, [index for table in metadata.tables.values() for index in table.indexes if not index.unique]
    alone = [(str(index.name),) for index in indexes if index.name not in COUNTED]
    for names in (*alone, BACKLOG):
        definitions = [sql(store, definition_of(store), name=name)[0][0] for name in names]
        for name in names:
            sql(store, f"DROP INDEX {name}")
        found = scans(store, house.asked)
        for definition in definitions:
            sql(store, definition)
        (table,) = {index.table.name for index in indexes if index.name in names}
        assert any(f" {table}" in one.statement for one in found), (names, found)
        assert all(re.search(r"^« .+ » reads everything: .+\.$", str(one)) for one in found)


def definition_of(store: Store) -> str:
    return (
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = :name"
        if isinstance(store.dialect, Sqlite)
        else "SELECT indexdef FROM pg_indexes WHERE indexname = :name"
    )


def steps(store: Store, ask: Callable[[], object]) -> int:
    """How many instructions of its own SQLite goes through for a question: each row that it looks at takes some."""
    ask()  # what is compiled once is compiled
    count = 0

    def one() -> int:
        nonlocal count
        count += 1
        return 0

    with store.transaction(write=False):
        connection = store._kept.connection
    connection.set_progress_handler(one, 1)
    try:
        ask()
    finally:
        connection.set_progress_handler(None, 1)
    return count


def questions(home: Home, references: list[str]) -> dict[str, Callable[[], object]]:
    """What is asked all day, of a house of any size."""
    reference, walk = references[3], Walk(home.store, references[3])
    names = sql(home.store, "SELECT reference FROM partnerships ORDER BY reference")
    middle, last = names[len(names) // 2][0], names[-5][0]
    new = iter([Walk(home.store, f"NEUF-{number}") for number in range(2)])
    Tallies(home.store).fold()
    return {
        "show": lambda: reading.show(home, reference),
        "why": lambda: reading.why(home, reference, None, None),
        "the list": lambda: reading.list_(home),
        "the end of the list": lambda: reading.list_(home, after=last),
        "the board": lambda: dashboard(home, at=AT),
        "what is behind": lambda: home.dashboard.behind("", 100),
        "a slice of the board": lambda: home.dashboard.after(middle, 100),
        "the dossiers of a form": lambda: home.dashboard.in_state(State.APPROVED, 101),
        "what is due": lambda: home.dashboard.due(20),
        "what waits": lambda: home.outbox.take(now=AT - timedelta(days=9), lease="x"),
        "what follows": lambda: home.outbox.take(now=AT - timedelta(days=9), lease="x", follows=reference),
        "what was given up": home.outbox.given_up,
        "the last rounds": lambda: home.marks.last("deliver"),
        "who holds a role": lambda: home.register.holding(Role.BOARD_SECRETARY),
        "a step": lambda: walk.do("attach"),
        "a step that is too late": lambda: walk.ask("approve"),
        "a new dossier": lambda: next(new).do("open"),
    }


def test_sqlite_does_no_more_for_a_question_in_a_big_house_than_in_a_small_one(tmp_path: Path) -> None:
    counted = []
    for many in (1000, 4000):
        close_all()
        home = Home(settings({**os.environ, "JALON_HOME": str(tmp_path / str(many))}), create=True)
        asked = questions(home, filled(home.store, many))
        counted.append({name: steps(home.store, ask) for name, ask in asked.items()})
    small, big = counted
    assert all(count > 10 for count in small.values())
    assert {name: (small[name], big[name]) for name in small if big[name] > 1.1 * small[name]} == {}
    close_all()


def test_each_index_that_no_plan_misses_is_worth_its_keep(tmp_path: Path) -> None:
    """With a backlog in which nothing of one dossier is, and a big register, the one question that it is for does ten times as much."""
    home = Home(settings({"JALON_HOME": str(tmp_path)}), create=True)
    reference = filled(home.store, 1000)[3]
    keep_lines(home, [name for (name,) in sql(home.store, "SELECT reference FROM partnerships")])
    others = "partnership_id <> (SELECT id FROM partnerships WHERE reference = :r)"
    sql(home.store, f"UPDATE outbox SET dead_at = NULL, fault = NULL, sent_at = CASE WHEN {others} THEN NULL ELSE due_at END", r=reference)
    enlist_all(home.store, [Enlisted(f"Agent {number}", "a@essai.example", [Role.AUDITOR]) for number in range(300)])
    for name, ask in COUNTED.items():
        asked = partial(ask, home, reference)
        definition = sql(home.store, definition_of(home.store), name=name)[0][0]
        few = steps(home.store, asked)
        sql(home.store, f"DROP INDEX {name}")
        assert steps(home.store, asked) > 10 * few, name
        sql(home.store, definition)
    close_all()


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_a_step_that_is_too_late_reads_one_entry_of_a_long_journal(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    for _ in range(30):
        walk.do("attach")
    with listening(store) as asked:
        late = walk.ask("approve", actor="Bruno")
        behind = walk.ask("attach", seen=2)
    assert isinstance(late, Conflict)
    assert "« Approuver le partenariat » a déjà été fait par Bruno" in late.sentence
    assert isinstance(behind, Conflict)
    assert "« Joindre un document » a déjà été fait par Tania" in behind.sentence
    read = [statement for statement in asked if statement.startswith("SELECT journal.entry")]
    assert len(read) == 2
    for statement in read:
        with store.transaction(write=False) as cursor:
            cursor.execute(statement, asked[statement])
            assert len(cursor.fetchall()) == 1
