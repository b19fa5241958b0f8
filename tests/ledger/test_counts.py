"""What a step costs, counted: the numbers are the same on every machine."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from breaking import NO_QUORUM
from counting import commands, heard, round_trips, said
from databases import beneath
from enlisting import TEST_VAULT
from walks import RIGHT, WAYS, Walk, right_code
from witness import child, journal, sql

from flows.ports.clock import now
from models.answers import Answer, Done
from models.database.store import Store, sqlite_url
from models.ledger.ledger import Ledger
from models.people.codes import Shown
from states.vocabulary import State


def count(store: Store, ask: Callable[[], object]) -> int:
    return len(commands(store, ask))


# Where a dossier must be, what is asked, and how many commands it may take on SQLite, BEGIN and COMMIT included.
# Each is: the standing, the row, the entry, each fact, each effect.
AT_MOST: dict[str, tuple[State, str, dict, int]] = {
    "a recording": (State.PROPOSED, "attach", {}, 7),
    "a vote": (State.PROPOSED, "approve", {}, 8),
    "a signature": (State.APPROVED, "sign", {}, 9),
    "a trainee": (State.ACTED, "retain_trainee", {"family_name": "Durand"}, 8),
    "an invoice": (State.TRAINED, "receive_invoice", {}, 9),
    "a settlement": (State.INVOICED, "settle", {}, 8),
    "an order": (State.SETTLED, "order_payment", {}, 8),
    "a payment": (State.ORDERED, "pay", {}, 10),
    "a refusal": (State.PROPOSED, "approve", NO_QUORUM, 5),
    "a conflict": (State.APPROVED, "approve", {}, 6),
}
# On PostgreSQL one message begins and locks, one reads, one writes, one commits; one more where the journal must be asked.
WAITS_AT_MOST = 5
WAITS = dict.fromkeys(AT_MOST, 4) | {"a conflict": 5}


@pytest.mark.parametrize("kind", AT_MOST)
def test_a_step_takes_no_more_commands_than_this(sqlite: Store, kind: str) -> None:
    state, trigger, changes, most = AT_MOST[kind]
    walk = Walk(sqlite).until(state)
    assert len(commands(sqlite, lambda: walk.ask(trigger, **changes))) <= most


@pytest.mark.parametrize("kind", AT_MOST)
def test_a_step_waits_for_postgresql_no_more_often_than_this(distant: Store, kind: str) -> None:
    """A refusal and a late attempt no more than a step."""
    state, trigger, changes, _ = AT_MOST[kind]
    walk = Walk(distant).until(state)
    assert round_trips(distant, lambda: walk.ask(trigger, **changes)) == WAITS[kind] <= WAITS_AT_MOST


def people(many: int) -> list[dict[str, object]]:
    return [RIGHT["retain_trainees"]["trainees"][0] | {"given_name": f"Zoé {number}", "rank": number} for number in range(1, many + 1)]


# Steps that need more than the dossier and who asks, in a ledger that knows the dossier and in one that does not.
MORE: dict[str, tuple[State, dict[str, Any]]] = {
    "open": (State.UNOPENED, {}),
    "retain_trainees": (State.ACTED, {"trainees": people(20)}),
    "delegate": (State.ACTED, {"role": "finance_officer", "to": "bruno", "actor": "Farida"}),
    "hold_committee": (State.ACTED, {"actor": "Bruno"}),  # by a role that Tania has lent him
    "attach": (State.ACTED, {"actor": "Bruno", "shown": Shown(right_code("Bruno"), now())}),  # the same, with a code
    "undo": (State.ACTED, {}),
}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("trigger", MORE)
def test_what_a_step_must_know_besides_costs_no_more_waiting(distant: Store, trigger: str, known: bool) -> None:
    state, changes = MORE[trigger]
    walk = Walk(distant).until(state)
    if trigger in ("hold_committee", "attach"):
        walk.do("delegate", to="Bruno", starts_on="2026-01-01", ends_on="2026-12-31")
    if trigger == "undo":
        changes = {"entry": walk.last_standing()}
    if not known:
        walk.ledger = Ledger(distant, vault=TEST_VAULT)
    answers: list[Answer] = []
    assert round_trips(distant, lambda: answers.append(walk.ask(trigger, **changes))) == (5 if trigger == "undo" else 4) <= WAITS_AT_MOST
    assert isinstance(answers[0], Done)


def test_statements_that_are_prepared_are_not_waited_for(distant: Store) -> None:
    """However often the same is asked on one connection."""
    walk, waited = Walk(distant).until(State.ACTED), []
    with heard(distant) as wire:
        for number in range(9):
            walk.do("attach", title=f"Note {number}")
            waited.append(beneath(distant).round_trips(said(wire)))
    assert [after - before for before, after in pairwise([0, *waited])] == [4] * 9


def test_a_dossier_that_somebody_else_has_moved_on_is_waited_for_once_more(distant: Store) -> None:
    walk = Walk(distant).until(State.ACTED)
    other = Walk(distant)
    other.do("attach")
    assert round_trips(distant, lambda: walk.do("hold_committee")) == WAITS_AT_MOST


def test_a_question_asked_again_takes_three_commands(store: Store) -> None:
    """BEGIN (and the lock), the standing, COMMIT."""
    walk = Walk(store).until(State.PROPOSED)
    walk.ask("approve", key="once")
    assert round_trips(store, lambda: walk.ask("approve", key="once")) == 3


def test_a_ledger_that_has_never_seen_the_dossier_reads_it_by_the_same_command(store: Store) -> None:
    first, second = Walk(store).until(State.ACTED), Walk(store)
    known = count(store, lambda: first.do("hold_committee"))
    assert count(store, lambda: second.do("hold_committee")) == known


def test_the_size_of_a_dossier_does_not_change_what_a_step_costs(store: Store) -> None:
    walk = Walk(store).until(State.ACTED)
    before = count(store, lambda: walk.do("hold_committee"))
    for number in range(30):
        walk.do("retain_trainee", given_name=f"Zoé {number}")
    assert count(store, lambda: walk.do("hold_committee")) == before


@pytest.mark.parametrize("kind", ["a vote", "a trainee", "a refusal", "a conflict"])
def test_a_step_is_one_transaction(store: Store, kind: str) -> None:
    """On SQLite one that takes the right to write at once, so that nobody has to give way later."""
    state, trigger, changes, _ = AT_MOST[kind]
    walk = Walk(store).until(state)
    sent = commands(store, lambda: walk.ask(trigger, **changes))
    begins, commits = [one for one in sent if "BEGIN" in one], [one for one in sent if one == "COMMIT"]
    assert (sent[0], sent[-1]) == (begins[0], commits[0])
    assert (len(begins), len(commits)) == (1, 1)
    assert ("IMMEDIATE" in begins[0]) == beneath(store).locks_whole


LIVES = """
import os, sys
from breaking import invoice_of
from walks import RIGHT, WAYS, Walk, right_code
from models.database.store import Store
from states.vocabulary import State
store, steps = Store(sys.argv[1]), 0
Walk(store, "WARM").do("open")
os.getppid()
for number in range(15):
    walk = Walk(store, f"ESSAI-{number}")
    for trigger in WAYS[State.CLOSED]:
        walk.do(trigger, **invoice_of(walk, trigger))
        steps += 1
os.getppid()
print(steps)
"""


@pytest.mark.needs_strace
@pytest.mark.long
def test_sqlite_syncs_at_most_105_times_for_100_steps(sqlite: Store, tmp_path: Path) -> None:
    """Counted by strace between two calls that nothing else makes."""
    sqlite.close()
    log = tmp_path / "calls"
    prefix = ("strace", "-f", "-o", str(log), "-e", "trace=fsync,fdatasync,getppid")
    told, fault = child(LIVES, str(sqlite.url), prefix=prefix).communicate()
    assert fault == ""
    calls = re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE)
    (*_, start, end) = [place for place, call in enumerate(calls) if call == "getppid"]
    syncs = end - start - 1
    assert int(told) <= syncs <= 1.05 * int(told)


@pytest.mark.long
def test_postgresql_syncs_at_most_105_times_for_100_steps(postgresql_url: str) -> None:
    """Counted by PostgreSQL itself, for the processes that serve clients."""
    store = Store(postgresql_url, create=True)
    Walk(store)

    def syncs() -> int:
        sql(store, "SELECT pg_stat_force_next_flush()")
        return int(sql(store, "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal' AND backend_type = 'client backend'")[0][0])

    before = syncs()
    told, fault = child(LIVES, postgresql_url).communicate()
    assert fault == ""
    # Now and then the server's own writer has synced for a client that was about to.
    assert 0.9 * int(told) <= syncs() - before <= 1.05 * int(told)
    store.close()


def test_to_show_a_dossier_loads_neither_prefect_nor_the_forms(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path / "jalon.db"), create=True)
    Walk(store).until(State.PAID)
    store.close()
    code = "import sys; from flows.cli.command import run; code = run(['show', 'ESSAI-1']); print('MODULES', code, *sys.modules)"
    child(code, JALON_HOME=str(tmp_path)).communicate()  # the first command of a version looks at the whole table
    told, fault = child(code, JALON_HOME=str(tmp_path)).communicate()
    code, *modules = told.split("MODULES")[1].split()
    assert (code, fault) == ("0", "")
    heavy = {"prefect", "pydantic", "cyclopts", "rich", "alembic", "mako", "transitions", "sqlalchemy.orm", "psycopg", "stdnum"}
    assert heavy & set(modules) == set()


def test_an_entry_of_the_journal_stays_under_two_kilobytes(sqlite: Store) -> None:
    """Each step of a life with a board of 33 members."""
    Walk(sqlite).until(State.CLOSED)
    sizes = [len(entry.encode()) for _, entry, _ in journal(sqlite, "ESSAI-1")]
    assert len(sizes) == len(WAYS[State.CLOSED])
    assert max(sizes) < 2048
