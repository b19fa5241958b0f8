"""Whatever breaks, and whenever: a step is done once and whole, or not at all, and the same key finds out which."""

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from walks import WAYS, Walk
from witness import child, dump, fresh, journal, sql

from models.answers import Answer, Conflict, Done
from models.people import Register
from models.store import Store, Unreachable
from models.verify import Verifier
from states.facts import Role, State
from states.guard import Refused


class Faulty:
    """A connection or cursor of the driver that counts its statements and asks `fails(number, sql)` before and after each."""

    def __init__(self, real: Any, statements: list[str], before: Callable[[int, str], bool], after: Callable[[int, str], bool]) -> None:
        self._real, self._rules = real, (statements, before, after)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def cursor(self) -> "Faulty":
        return Faulty(self._real.cursor(), *self._rules)

    def execute(self, statement: str, *parameters: Any) -> None:
        statements, before, after = self._rules
        statements.append(statement)
        if before(len(statements), statement):
            raise OSError("injected")
        self._real.execute(statement, *parameters)
        if after(len(statements), statement):
            raise OSError("injected")


def never(number: int, statement: str) -> bool:
    return False


@contextmanager
def faults(store: Store, before: Callable[[int, str], bool] = never, after: Callable[[int, str], bool] = never) -> Iterator[list[str]]:
    """Every new connection of `store` fails as told; yields the statements as they come."""
    real, statements = store.engine.raw_connection, []
    store.close()
    store.engine.raw_connection = lambda: Faulty(real(), statements, before, after)
    try:
        yield statements
    finally:
        store.engine.raw_connection = real
        store.close()


def invoice_of(walk: Walk, trigger: str) -> dict[str, str]:
    """What makes an invoice of this dossier one that no other has received."""
    if trigger != "receive_invoice":
        return {}
    return {"number": walk.reference, "document_sha256": walk.reference.encode().hex().ljust(64, "0")}


def lead_to(walk: Walk, state: State) -> None:
    for trigger in WAYS[state]:
        walk.do(trigger, **invoice_of(walk, trigger))


# How a database can fail at its k-th statement: each makes the two rules of a fault.
FAILURES: dict[str, Callable[[int], tuple[Callable[[int, str], bool], Callable[[int, str], bool]]]] = {
    "the statement fails": lambda k: (lambda number, _: number == k, never),
    "the connection is lost": lambda k: (lambda number, _: number >= k, never),
    "its answer is lost": lambda k: (never, lambda number, statement: number == k and statement != "COMMIT"),
}
NO_QUORUM = {"present": ["Membre 1"], "votes_for": 1}
ATTEMPTS: dict[str, tuple[State, dict[str, Any], type]] = {
    "open": (State.UNOPENED, {}, Done),
    "approve": (State.PROPOSED, {}, Done),
    "retain_trainee": (State.ACTED, {"family_name": "Durand"}, Done),
    "verify_residence": (State.ACTED, {"insee": "59350"}, Done),
    "receive_invoice": (State.TRAINED, {}, Done),
    "settle": (State.INVOICED, {}, Done),
    "pay": (State.ORDERED, {}, Done),
    "a refused approve": (State.PROPOSED, NO_QUORUM, Refused),
    "a late approve": (State.APPROVED, {}, Conflict),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_fault_at_any_statement_leaves_nothing_behind_and_the_same_key_then_succeeds(store: Store, attempt: str) -> None:
    state, changes, kind = ATTEMPTS[attempt]
    for number, (failure, rules) in enumerate(FAILURES.items()):
        walk, trigger = Walk(store, f"ESSAI-{number}"), attempt.rpartition(" ")[2]
        lead_to(walk, state)
        before = dump(store)
        for k in itertools.count(1):
            with faults(store, *rules(k)) as statements, suppress(Unreachable):
                answer = walk.ask(trigger, key=walk.reference, **invoice_of(walk, trigger), **changes)
                break
            assert dump(store) == before, (failure, statements[k - 1])
        assert isinstance(answer, kind)
        assert k == len(statements) + (failure != "its answer is lost")  # each was tried; a lost COMMIT has a test of its own
        assert len(dump(store)["journal"]) == len(before["journal"]) + 1
        assert Verifier(store).verify(walk.reference).faults == ()


def committed(_: int, statement: str) -> bool:
    return statement == "COMMIT"


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_answer_lost_after_the_commit_is_given_to_the_same_key(store: Store, attempt: str) -> None:
    state, changes, kind = ATTEMPTS[attempt]
    walk, trigger = Walk(store).until(state), attempt.rpartition(" ")[2]
    with faults(store, after=committed), pytest.raises(Unreachable, match=r"^La base ne répond pas \(OSError\)\.$"):
        walk.ask(trigger, key="once", **changes)
    before = dump(store)
    answer = walk.ask(trigger, key="once", **changes)
    assert isinstance(answer, kind)
    assert json.loads(journal(store, walk.reference)[-1][1])["key"] == "once"
    assert dump(store) == before


def test_an_opening_that_was_lost_is_not_remembered(sqlite: Store) -> None:
    """Another ledger then opens the same dossier with the same words; its secret is another one."""
    first, second = Walk(sqlite), Walk(sqlite)
    with faults(sqlite, before=committed), pytest.raises(Unreachable):
        first.ask("open", key="once")
    second.do("open", key="once")
    answer = first.do("approve", key="twice")
    assert second.ask("approve", key="twice") == answer


def test_a_fault_of_the_program_itself_leaves_nothing_behind(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    before = dump(store)
    with faults(store, before=lambda _, statement: bool("INSERT INTO outbox" in statement and 1 / 0)), pytest.raises(ZeroDivisionError):
        walk.ask("approve", key="once")
    assert dump(store) == before
    walk.do("approve", key="once")


WALK_ON = """
import sys
from walks import WAYS, Walk
from test_faults import invoice_of
from models.store import Store
from states.facts import State
store = Store(sys.argv[1])
for number in range(1000):
    walk = Walk(store, f"{sys.argv[2]}-{number}")
    for step, trigger in enumerate(WAYS[State.CLOSED]):
        done = walk.do(trigger, key=f"{walk.reference}:{step}", **invoice_of(walk, trigger))
        print(walk.reference, step, done.digest, flush=True)
"""


def again(store: Store, reference: str, step: int) -> Answer:
    walk, trigger = Walk(store, reference), WAYS[State.CLOSED][step]
    return walk.ask(trigger, key=f"{reference}:{step}", **invoice_of(walk, trigger))


@pytest.mark.parametrize("seed", range(4))
def test_what_was_acknowledged_before_a_kill_is_there_and_is_acknowledged_again(store: Store, seed: int) -> None:
    """A process is killed (SIGKILL) at a random moment of a long walk; afterwards its last step is asked again as well."""
    Walk(store)
    chance = random.Random(seed)
    walker = child(WALK_ON, store.url.render_as_string(hide_password=False), f"ESSAI-{seed}")
    lines = [walker.stdout.readline() for _ in range(chance.randint(3, 150))]
    time.sleep(chance.random() / 200)
    walker.kill()
    rest, fault = walker.communicate()
    assert fault == ""
    acknowledged = [line.split() for line in [*lines, *rest.splitlines()] if line.strip()]
    assert all(one.faults == () for one in Verifier(store).verify_all())
    before = dump(store)
    for reference, step, digest in acknowledged:
        assert again(store, reference, int(step)).digest == digest
    assert dump(store) == before
    reference, step, _ = acknowledged[-1]
    if int(step) + 1 < len(WAYS[State.CLOSED]):
        assert isinstance(again(store, reference, int(step) + 1), Done)
        assert len(journal(store, reference)) == int(step) + 2


RACE = """
import sys
from walks import Walk
from models.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
for reference in sys.stdin:
    answer = Walk(store, reference.strip()).ask("approve", actor=sys.argv[2], key=f"{reference}{sys.argv[2]}")
    print(type(answer).__name__, answer.actor if hasattr(answer, "actor") else answer.who, flush=True)
"""


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
    assert all(one.faults == () for one in Verifier(store).verify_all())


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
    assert sorted(answer.version for answer in answers) == list(range(3, 11))
    assert [one.number for one in fresh(walk).partnership.trainees] == list(range(1, 9))
    assert Verifier(store).verify(walk.reference).faults == ()


def test_one_invoice_sent_at_once_to_eight_dossiers_is_received_by_one(store: Store) -> None:
    walks = [Walk(store, f"ESSAI-{number}").until(State.TRAINED) for number in range(8)]
    answers = at_once(lambda number: walks[number].ask("receive_invoice"))
    assert sorted(type(answer).__name__ for answer in answers) == ["Done", *["Refused"] * 7]
    assert all(one.faults == () for one in Verifier(store).verify_all())


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
