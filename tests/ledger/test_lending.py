"""The PostgreSQL databases that tests are lent are empty, and as the schema makes them, whatever the test before has done."""

import pytest
from lending import Lender
from walks import Walk
from witness import drop_triggers, dump, sql

from models.database.store import Store
from states.vocabulary import State


@pytest.fixture
def own(postgresql: str, postgresql_url: str) -> Lender:
    """Of one database, made beforehand, and of no other."""
    Store(postgresql_url, create=True).close()
    made = iter([postgresql_url.rpartition("?")[0].rpartition("/")[2]])
    return Lender(postgresql, lambda: next(made))


def test_a_database_that_was_written_to_comes_back_empty(postgresql: str, own: Lender) -> None:
    store = Store(postgresql.format(database=own.lend()))
    made = dump(store)
    Walk(store).until(State.CLOSED)
    assert dump(store) != made
    own.back(store.url.database or "")
    name = own.lend()
    assert name == store.url.database
    assert dump(store) == made
    assert Walk(store).do("open").n == 1
    assert sql(store, "SELECT id FROM partnerships") == [(1,)]
    store.close()


def test_a_database_whose_guards_were_taken_away_is_lent_to_nobody_again(postgresql: str, own: Lender) -> None:
    store = Store(postgresql.format(database=own.lend()))
    drop_triggers(store)
    store.close()
    own.back(store.url.database or "")
    with pytest.raises(StopIteration):
        own.lend()


def test_what_needs_the_server_is_left_out_of_make_quick(request: pytest.FixtureRequest) -> None:
    needing = [item for item in request.session.items if {"postgresql", "postgresql_url", "lender"} & set(item.fixturenames)]
    assert [item.nodeid for item in needing if item.get_closest_marker("long") is None] == []
