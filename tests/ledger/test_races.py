"""However many ask at once: one wins, and everybody else learns who it was."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from breaking import faults
from walks import Walk
from witness import child, fresh, journal, sql

from models.answers import Answer, Conflict, Done
from models.database.faults import Unreachable
from models.database.store import Store
from models.people.register import Register
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
    Register(store).add("Berthe", "berthe@essai.example", [Role.BOARD_SECRETARY])
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


def test_a_row_that_moved_while_a_step_was_decided_is_never_overwritten(store: Store) -> None:
    """Even a ledger that has lost its lock finds at the write that the dossier is no longer the one it read."""
    walk = Walk(store).until(State.PROPOSED)
    old = fresh(walk)
    walk.do("approve")
    with store.transaction() as cursor:
        assert walk.ledger.dossiers.move(cursor, old, old.partnership, old.n + 1, "0" * 64) is False
    assert sql(store, "SELECT state FROM partnerships") == [("approved",)]


def test_a_dossier_opened_while_a_step_begins_is_locked_all_the_same(postgresql_url: str) -> None:
    """There was no row to lock yet; then there is one, and somebody else would like to write to it."""
    store, elsewhere = Store(postgresql_url, create=True), Store(f"{postgresql_url}&options=-c%20lock_timeout%3D300ms")
    walk, other = Walk(store), Walk(elsewhere)

    def meanwhile(number: int, _: str) -> bool:
        with suppress(Unreachable):
            if number == 2:  # the lock, that found nothing
                other.do("open")
            elif number in (4, 5, 6):  # the dossier has been read
                other.do("attach")
        return False

    with faults(store, after=meanwhile):
        answer = walk.ask("open", actor="Bruno", key="late")
    assert isinstance(answer, Conflict)
    assert answer.who == "Tania"
    assert json.loads(journal(store, walk.reference)[-1][1])["key"] == "late"
    elsewhere.close()
    store.close()
