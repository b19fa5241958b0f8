"""The counters of the house: at every moment the sum of what its dossiers are, whoever works, and whoever puts rows together."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import AT, PEOPLE, WAYS, Walk
from witness import sql

from models.answers import Done
from models.dashboard import Dashboard
from models.database.sqlite import SQLITE
from models.database.store import Store
from models.ledger import tallies
from models.ledger.codec import cents
from models.ledger.dossiers import Dossiers
from models.ledger.tallies import Tallies, Total
from models.read.views import Views
from states.overview.outlook import outlook, weighed
from states.vocabulary import Role, State

ORDERING = PEOPLE[Role.AUTHORISING_OFFICER]  # who may take back what others did
TODAY, SOON = date(2026, 1, 10), date(2026, 1, 17)
IN_ALL = "SELECT state, due_on, sum(dossiers), sum(engaged_cents), sum(ordered_cents), sum(paid_cents) FROM tallies GROUP BY state, due_on"
HAVING = "HAVING sum(dossiers) <> 0 OR sum(engaged_cents) <> 0 OR sum(ordered_cents) <> 0 OR sum(paid_cents) <> 0"


def recounted(store: Store) -> dict[tuple[str, str | None], tuple[int, ...]]:
    """The counters made again, from the facts of every dossier."""
    found: dict[tuple[str, str | None], tuple[int, ...]] = {}
    dossiers = Dossiers(store)
    with store.transaction(write=False) as cursor:
        for reference in dossiers.references(cursor):
            loaded = dossiers.load(cursor, reference)
            assert loaded is not None
            due_on, *money = weighed(loaded.partnership)
            place = loaded.partnership.state.value, due_on.isoformat() if due_on else None
            found[place] = tuple(map(sum, zip(found.get(place, (0,) * 4), (1, *map(cents, money)), strict=True)))
    return found


def kept(store: Store) -> dict[tuple[str, str | None], tuple[int, ...]]:
    return {(state, due_on): tuple(map(int, sums)) for state, due_on, *sums in sql(store, f"{IN_ALL} {HAVING}")}


houses = itertools.count(1)
triggers = st.sampled_from(["onward"] * 12 + ["undo", "attach", "retain_trainee", "terminate", "reject_invoice", "refuse_payment", "fold"])


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(1, 3), triggers), min_size=5, max_size=40))
def test_after_random_walks_the_counters_are_what_a_recount_gives(store: Store, drawn: list[tuple[int, str]]) -> None:
    house = next(houses)
    walks = {place: Walk(store, f"MARCHE-{house}-{place}") for place in (1, 2, 3)}
    ways = {place: iter(WAYS[State.CLOSED]) for place in walks}
    for place, trigger in drawn:
        if trigger == "fold":
            Tallies(store).fold()
        else:
            asked = next(ways[place], "attach") if trigger == "onward" else trigger
            opened = sql(store, "SELECT 1 FROM partnerships WHERE reference = :r", r=walks[place].reference)
            if opened or asked == "open":
                walks[place].ask(asked, actor=ORDERING if asked == "undo" else None, **invoice(walks[place], asked))
    assert kept(store) == recounted(store)


def invoice(walk: Walk, trigger: str) -> dict[str, str]:
    return (
        {"number": walk.reference, "document_sha256": walk.reference.encode().hex().ljust(64, "0")} if trigger == "receive_invoice" else {}
    )


def test_steps_and_foldings_that_meet_lose_no_dossier(store: Store) -> None:
    """Eight people walk a dossier each, to and fro, while two put the rows together and one reads: nothing is lost."""
    walks = [Walk(store, f"ESSAI-{number}") for number in range(8)]
    at_work, seen = threading.Event(), set()

    def walk(number: int) -> None:
        walks[number].do("open")
        for _ in range(4):
            walks[number].do("approve")
            walks[number].do("undo", actor=ORDERING)

    def fold() -> None:
        while not at_work.wait(0.02):
            Tallies(store).fold()

    def look() -> None:
        while not at_work.wait(0.02):
            seen.add(sum(one.dossiers for one in Dashboard(store).totals(TODAY, SOON)))

    with ThreadPoolExecutor(11) as threads:
        rest = [threads.submit(one) for one in (fold, fold, look)]
        try:
            list(threads.map(walk, range(8)))
        finally:
            at_work.set()
        assert [one.result() for one in rest] == [None] * 3
    assert kept(store) == recounted(store)
    assert sum(many for many, *_ in kept(store).values()) == 8
    assert seen <= set(range(9))  # at no moment was a dossier counted nowhere that had been counted, or twice


def test_no_step_waits_for_the_counter_that_another_step_has_moved(postgresql_url: str) -> None:
    """One step has counted its dossier and is not committed yet; others of the same state come and go."""
    store, elsewhere = Store(postgresql_url, create=True), Store(f"{postgresql_url}&options=-c%20lock_timeout%3D300ms")
    for number in (1, 2):
        Walk(store, f"ESSAI-{number}").do("open")
    with store.transaction() as cursor:
        cursor.execute("UPDATE partnerships SET state = 'approved' WHERE reference = 'ESSAI-1'")
        assert isinstance(Walk(elsewhere, "ESSAI-2").ask("approve"), Done)
        Tallies(elsewhere).fold()
        assert sum(sums[0] for sums in kept(elsewhere).values()) == 2
    assert {state for state, _ in kept(store)} == {"approved"}
    for one in (store, elsewhere):
        one.close()


def test_the_board_counts_by_state_what_is_late_and_soon_and_the_money(store: Store) -> None:
    for number, state in enumerate((State.PROPOSED, State.APPROVED, State.SIGNED, State.PAID, State.CLOSED), start=1):
        walk = Walk(store, f"ESSAI-{number}")
        for trigger in WAYS[state]:
            walk.do(trigger, **invoice(walk, trigger))
    found = {one.state: one for one in Dashboard(store).totals(TODAY, SOON)}
    assert list(found) == [State.PROPOSED, State.APPROVED, State.SIGNED, State.PAID, State.CLOSED]
    assert found[State.PROPOSED] == Total(State.PROPOSED, 1, 1, 0, 0, 0, 0)
    assert found[State.SIGNED] == Total(State.SIGNED, 1, 0, 1, 4_000_000, 0, 0)
    assert found[State.PAID][4:] == (0, 200_000, 200_000)


def test_many_loose_rows_are_put_together_by_who_reads_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Walk(store).until(State.PROPOSED)
    monkeypatch.setattr(tallies, "LOOSE_AT_MOST", 5)
    for _ in range(2):
        walk.do("approve")
        walk.do("undo", actor=ORDERING)
    before = kept(store)
    assert len(sql(store, "SELECT 1 FROM tallies")) == 9
    Views(store).dossiers(10)
    assert len(sql(store, "SELECT 1 FROM tallies")) == 1
    assert kept(store) == before


def test_who_reads_waits_for_nobody_who_writes_to_put_rows_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "LOOSE_AT_MOST", 0)
    Walk(store).until(State.APPROVED)
    elsewhere = Store(store.url.render_as_string(hide_password=False))
    with elsewhere.transaction() as cursor:
        cursor.execute("UPDATE tallies SET loose = 1")
        began = time.monotonic()
        assert Views(store).dossiers(10).in_all == 1
        assert time.monotonic() - began < 5  # of the ten seconds for which a step waits
    elsewhere.close()
    many = sql(store, "SELECT count(*) FROM tallies")
    Views(store).dossiers(10)
    assert sql(store, "SELECT count(*) FROM tallies") < many
    if store.dialect is SQLITE:  # who writes a step waits as before
        with store.transaction(write=False) as cursor:
            cursor.execute("PRAGMA busy_timeout")
            assert cursor.fetchone() == (10_000,)


def test_a_board_that_knows_another_deadline_than_the_step_did_corrects_the_count(store: Store) -> None:
    """A delay of the law has changed since the last step: the line that is kept again counts."""
    walk = Walk(store).until(State.PROPOSED)
    sql(store, "UPDATE partnerships SET due_on = '2027-01-01', engaged_cents = 5")
    assert list(kept(store)) == [("proposed", "2027-01-01")]
    line = Dashboard(store)
    with store.transaction(write=False) as cursor:
        loaded = walk.ledger.dossiers.load(cursor, walk.reference)
    line.keep([(outlook(loaded.partnership, AT), loaded.partnership.version)])
    assert kept(store) == recounted(store)
