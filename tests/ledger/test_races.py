"""However many ask at once: one wins, and everybody else learns who it was."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from breaking import faults
from enlisting import TEST_VAULT, enlist
from sqlalchemy import select
from walks import Walk
from witness import child, fresh, journal, sql

from models import tables
from models.answers import Answer, Conflict, Done
from models.database.faults import Unreachable
from models.database.store import Store
from models.database.vocabulary import learnt
from models.ledger.ledger import Ledger
from models.ledger.writing import Writing
from models.verify.proof import Verifier
from states.vocabulary import Role, State

RACE = """
import sys
from walks import Walk
from models.database.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
for reference in sys.stdin:
    answer = Walk(store, reference.strip()).ask("approve", actor=sys.argv[2], key=f"{reference}{sys.argv[2]}")
    print(type(answer).__name__, answer.actor if hasattr(answer, "actor") else answer.who, flush=True)
"""


@pytest.mark.long
def test_of_two_processes_one_wins_and_the_other_learns_who_won(store: Store) -> None:
    references = [f"ESSAI-{number}" for number in range(20)]
    for reference in references:
        Walk(store, reference).do("open")
    enlist(store, "Berthe", "berthe@essai.example", [Role.BOARD_SECRETARY])
    with ExitStack() as stack:
        url = store.url.render_as_string(hide_password=False)
        racers = [stack.enter_context(child(RACE, url, name)) for name in ("Bruno", "Berthe")]
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
        for reference in references:
            for racer in racers:
                racer.stdin.write(f"{reference}\n")
                racer.stdin.flush()
            answers = sorted(racer.stdout.readline().split() for racer in racers)
            winner = json.loads(journal(store, reference)[1][1])["actor"]
            assert answers == [["Conflict", winner], ["Done", winner]]
            assert len(journal(store, reference)) == 3
    assert {fault for one in Verifier(store).verify_all() for fault in one.faults} == set()


def at_once(ask: Callable[[int], Answer], many: int = 8) -> list[Answer]:
    """The answers to the same question, asked by so many threads at the same moment."""
    gate = threading.Barrier(many)

    def one(number: int) -> Answer:
        gate.wait()
        return ask(number)

    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(one, range(many)))


@pytest.mark.parametrize("trigger", ["open", "approve"])
def test_of_eight_threads_one_wins_and_seven_learn_who_won(store: Store, trigger: str) -> None:
    walk = Walk(store).until(State.PROPOSED if trigger == "approve" else State.UNOPENED)
    answers = at_once(lambda number: walk.ask(trigger, key=f"thread-{number}"))
    (won,) = [answer for answer in answers if isinstance(answer, Done)]
    assert {answer.who for answer in answers if isinstance(answer, Conflict)} == {won.actor}
    assert sum(isinstance(answer, Conflict) for answer in answers) == 7
    assert Verifier(store).verify(walk.reference).faults == ()


@pytest.mark.parametrize("trigger", ["open", "approve", "attach", "retain_trainee"])
def test_eight_threads_with_one_key_get_one_answer(store: Store, trigger: str) -> None:
    walk = Walk(store).until({"open": State.UNOPENED, "approve": State.PROPOSED}.get(trigger, State.APPROVED))
    before = fresh(walk).n if trigger != "open" else 0
    answers = at_once(lambda _: walk.ask(trigger, key="once"))
    assert {type(answer) for answer in answers} == {Done}
    assert len({answer.digest for answer in answers}) == 1
    assert fresh(walk).n == before + 1


def test_eight_threads_that_record_different_things_all_succeed(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    answers = at_once(lambda number: walk.ask("retain_trainee", given_name=f"Zoé {number}"))
    assert sorted(answer.version for answer in answers) == list(range(5, 13))
    assert [one.number for one in fresh(walk).partnership.trainees] == list(range(1, 9))
    assert Verifier(store).verify(walk.reference).faults == ()


def test_one_invoice_sent_at_once_to_eight_dossiers_is_received_by_one(store: Store) -> None:
    walks = [Walk(store, f"ESSAI-{number}").until(State.TRAINED) for number in range(8)]
    answers = at_once(lambda number: walks[number].ask("receive_invoice"))
    assert sorted(type(answer).__name__ for answer in answers) == ["Done", *["Refused"] * 7]
    assert {fault for one in Verifier(store).verify_all() for fault in one.faults} == set()


def test_eight_first_steps_into_a_new_state_are_all_done(store: Store) -> None:
    """One of them tells the database of the word; the others had been refused by then, and try again all the same."""
    walks = [Walk(store, f"ESSAI-{number}").until(State.PROPOSED) for number in range(8)]
    sql(store, "DELETE FROM vocabulary WHERE word = 'approved'")
    answers = at_once(lambda number: walks[number].ask("approve"))
    assert {type(answer) for answer in answers} == {Done}


def test_who_comes_second_with_a_new_word_goes_on_as_well(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    sql(store, "DELETE FROM vocabulary WHERE word = 'approved'")
    elsewhere = Store(store.url.render_as_string(hide_password=False))

    def meanwhile(number: int, statement: str) -> bool:
        return statement == "ROLLBACK" and not learnt(elsewhere, "ck_partnerships_state")

    with faults(store, after=meanwhile):
        answer = walk.ask("approve")
    elsewhere.close()
    assert isinstance(answer, Done)
    assert [json.loads(entry)["outcome"] for _, entry, _ in journal(store, "ESSAI-1")] == ["done", "done"]


def test_a_row_that_moved_while_a_step_was_decided_is_never_overwritten(store: Store) -> None:
    """Even a ledger that has lost its lock finds at the write that the dossier is no longer the one it read."""
    walk = Walk(store).until(State.PROPOSED)
    old = fresh(walk)
    walk.do("approve")
    with store.transaction() as cursor:
        assert Writing(store).write(cursor, old, old._replace(n=old.n + 1, head="0" * 64), ()) is None
    assert sql(store, "SELECT state FROM partnerships") == [("approved",)]


class Both:
    """Two ledgers on one PostgreSQL database; the other one gives up soon when it must wait."""

    def __init__(self, url: str) -> None:
        self.store, self.elsewhere = Store(url, create=True), Store(f"{url}&options=-c%20lock_timeout%3D300ms")
        self.walk, self.other = Walk(self.store), Walk(self.elsewhere)

    def close(self) -> None:
        self.store.close()
        self.elsewhere.close()


@pytest.fixture
def both(postgresql_url: str) -> Iterator[Both]:
    both = Both(postgresql_url)
    yield both
    both.close()


def test_a_dossier_opened_while_a_step_begins_is_locked_all_the_same(both: Both) -> None:
    """There was no row to lock yet; then there is one, and somebody else would like to write to it."""
    done: list[str] = []

    def meanwhile(number: int, statement: str) -> bool:
        if number == 1:  # the lock, that found nothing
            both.other.do("open")
        elif number == 2:  # the dossier has been read, though nobody had locked it
            both.other.do("attach")
        elif number > 5 and statement != "COMMIT":  # it began again, and it is locked now
            with suppress(Unreachable):
                both.other.do("attach")
                done.append(statement)
        return False

    with faults(both.store, after=meanwhile):
        answer = both.walk.ask("open", actor="Bruno", key="late")
    assert isinstance(answer, Conflict)
    assert answer.who == "Tania"
    assert done == []
    assert [json.loads(entry)["trigger"] for _, entry, _ in journal(both.store, both.walk.reference)] == ["open", "attach", "open"]
    assert Verifier(both.store).verify(both.walk.reference).faults == ()


def test_what_somebody_committed_while_one_waited_for_the_lock_is_read(both: Both) -> None:
    """The whole dossier, and not only the row that was waited for: what was read before the lock would be of before."""
    both.walk.until(State.ACTED)
    both.walk.ledger = Ledger(both.store, vault=TEST_VAULT)  # one that has nothing in memory
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    holds = both.elsewhere.lock(select(tables.partnerships.c.id))
    with ThreadPoolExecutor(1) as thread:
        with both.elsewhere.transaction(locks=holds) as cursor:
            asked = thread.submit(both.walk.ask, "retain_trainee", given_name="Alix")
            while sql(both.store, waits) == [(0,)]:
                time.sleep(0.01)
            cursor.execute("UPDATE trainees SET rank = 7")
        answer = asked.result()
    assert isinstance(answer, Done)
    known = both.walk.ledger.dossiers.remembered(both.walk.reference)
    assert [one.rank for one in known.partnership.trainees] == [7, 1]


def test_a_step_that_waited_for_another_is_decided_on_what_that_one_left(both: Both) -> None:
    """Both have the dossier in memory as it was before; the second waits inside the first, and then the invoice is settled once."""
    both.walk.until(State.ACTED)
    both.other.acts = both.walk.acts
    both.other.do("attach")
    both.walk.do("attach")
    answers = []

    def meanwhile(number: int, statement: str) -> bool:
        if number == 2:  # the first has locked and read
            answers.append(thread.submit(both.walk.ask, "start_training"))
            while sql(both.elsewhere, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == [(0,)]:
                time.sleep(0.01)
        return False

    with ThreadPoolExecutor(1) as thread, faults(both.elsewhere, after=meanwhile):
        assert isinstance(both.other.ask("start_training"), Done)
        (late,) = [one.result() for one in answers]
    assert isinstance(late, Conflict)
    assert Verifier(both.store).verify(both.walk.reference).faults == ()
