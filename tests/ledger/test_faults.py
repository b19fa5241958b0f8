"""Whatever breaks, and whenever: a step is done once and whole, or not at all, and the same key finds out which."""

import itertools
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from breaking import NO_QUORUM, committed, faults, invoice_of, never
from walks import WAYS, Walk
from witness import child, dump, journal, sql

from models.answers import Answer, Conflict, Done
from models.database.faults import Unreachable
from models.database.store import Store
from models.verify.proof import Verifier
from states.grammar.guard import Refused
from states.vocabulary import State


def lead_to(walk: Walk, state: State) -> None:
    for trigger in WAYS[state]:
        walk.do(trigger, **invoice_of(walk, trigger))


# How a database can fail at its k-th statement: each makes the two rules of a fault.
FAILURES: dict[str, Callable[[int], tuple[Callable[[int, str], bool], Callable[[int, str], bool]]]] = {
    "the statement fails": lambda k: (lambda number, _: number == k, never),
    "the connection is lost": lambda k: (lambda number, _: number >= k, never),
    "its answer is lost": lambda k: (never, lambda number, statement: number == k and statement != "COMMIT"),
}
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
@pytest.mark.long
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


def test_a_connection_that_the_server_has_closed_is_replaced(postgresql_url: str) -> None:
    store = Store(postgresql_url, create=True)
    walk = Walk(store).until(State.PROPOSED)
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert (True,) in sql(store, others)
    walk.do("approve")
    store.close()


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
from breaking import invoice_of
from models.database.store import Store
from states.vocabulary import State
store = Store(sys.argv[1])
for number in range(1000):
    walk = Walk(store, f"{sys.argv[2]}-{number}")
    for step, trigger in enumerate(WAYS[State.CLOSED]):
        done = walk.do(trigger, key=f"{walk.reference}:{step}", **invoice_of(walk, trigger))
        print(walk.reference, step, done.digest, flush=True)
"""


def again(store: Store, reference: str, step: int) -> Answer:
    walk, trigger = Walk(store, reference), WAYS[State.CLOSED][step]
    walk.acts = sum(one in ("approve", "act") for one in WAYS[State.CLOSED][:step])
    return walk.ask(trigger, key=f"{reference}:{step}", **invoice_of(walk, trigger))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.endurance) for seed in range(1, 12))])
@pytest.mark.long
def test_what_was_acknowledged_before_a_kill_is_there_and_is_acknowledged_again(store: Store, seed: int) -> None:
    """A process is killed (SIGKILL) at a random moment of a long walk; afterwards its last step is asked again as well."""
    Walk(store)
    chance = random.Random(seed)
    with child(WALK_ON, store.url.render_as_string(hide_password=False), f"ESSAI-{seed}") as walker:
        lines = [walker.stdout.readline() for _ in range(chance.randint(3, 150))]
        time.sleep(chance.random() / 200)
        walker.kill()
        rest, fault = walker.stdout.read(), walker.stderr.read()
    assert fault == ""
    # The kill may have cut the last line; what is not said whole was not acknowledged.
    acknowledged = [line.split() for line in [*lines, *rest.splitlines(keepends=True)] if line.endswith("\n")]
    assert {fault for one in Verifier(store).verify_all() for fault in one.faults} == set()
    before = dump(store)
    for reference, step, digest in acknowledged:
        assert again(store, reference, int(step)).digest == digest
    assert dump(store) == before
    reference, step, _ = acknowledged[-1]
    if int(step) + 1 < len(WAYS[State.CLOSED]):
        assert isinstance(again(store, reference, int(step) + 1), Done)
        assert len(journal(store, reference)) == int(step) + 2
