"""A database of schema 0004 comes forward to 0005: nothing of its dossiers changes, and what is new is what a recount gives."""

from __future__ import annotations

import json
from datetime import date

import pytest
from enlisting import opened_secrets
from old_databases import AT, old_file, old_postgresql, opened, rows_of
from sqlalchemy import create_engine
from test_tallies import kept, recounted
from witness import journal, sql

from models.dashboard import Dashboard
from models.database.migrate import upgrade
from models.database.store import Store, Upgrading
from models.ledger.dossiers import Dossiers
from models.tables import SCHEMA
from models.verify.proof import Verifier
from states.overview.outlook import outlook

pytestmark = pytest.mark.long

NEW = {"tallies", "vocabulary", "alembic_version"}


@pytest.fixture(params=["sqlite", "postgresql"])
def of_0004(request: pytest.FixtureRequest, tmp_path) -> str:
    """The address of a database of schema 0004, with whole lives and a journal that somebody has damaged."""
    url = old_postgresql(request.getfixturevalue("postgresql_url")) if request.param == "postgresql" else old_file(tmp_path / "old")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    upgrade(engine, "0004", at=AT)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "INSERT INTO outlooks SELECT id, version, state, entered_on, NULL, '[]', '2026-12-24', NULL, 0, 0, 0, 0, NULL "
            "FROM partnerships WHERE reference = 'CDG-ENCOURS-2025'"
        )
    engine.dispose()
    return url


def test_no_row_of_before_changes(of_0004: str) -> None:
    before = rows_of(of_0004)
    store = opened(of_0004)
    assert store.upgraded is not None
    assert store.upgraded.schema == "0004"
    after = rows_of(of_0004)
    for name in before.keys() - NEW:
        assert [row[: len(before[name][0])] for row in opened_secrets(name, after[name])] == before[name], name
    assert after["alembic_version"] == [(SCHEMA,)]
    assert {fault for one in Verifier(store).verify_all() for fault in one.faults} == set()
    store.close()


def test_it_knows_who_changed_and_moved_each_dossier_last(of_0004: str) -> None:
    store = opened(of_0004)
    for reference, change, move in sql(store, "SELECT reference, last_change, last_move FROM partnerships"):
        done = [told for _, entry, _ in journal(store, reference) if (told := json.loads(entry))["outcome"] == "done"]
        assert change == done[-1]["n"], reference
        assert move == next(told["n"] for told in reversed(done) if told["from"] != told["to"]), reference
    store.close()


def test_it_counts_its_dossiers_and_the_board_corrects_the_deadlines_that_only_rules_know(of_0004: str) -> None:
    store = opened(of_0004)
    counted = kept(store)
    assert counted["acted", "2026-12-24"] == (1, 4_000_000, 0, 0)  # as its line of the board said
    without_days: dict[str, list[int]] = {}
    for (state, _), sums in recounted(store).items():
        without_days[state] = [*map(sum, zip(without_days.get(state, [0] * 4), sums, strict=True))]
    assert without_days == {
        state: [*map(sum, zip(*(sums for (place, _), sums in counted.items() if place == state), strict=True))] for state in without_days
    }
    assert len(Dashboard(store).behind("", 100)) == sum(sums[0] for sums in counted.values()) - 1
    dossiers = Dossiers(store)
    with store.transaction(write=False) as cursor:
        found = [loaded.partnership for one in dossiers.references(cursor) if (loaded := dossiers.load(cursor, one)) is not None]
    Dashboard(store).keep((outlook(one, AT), one.version) for one in found)
    assert kept(store) == recounted(store)
    assert Dashboard(store).behind("", 100) == []
    assert sum(one.dossiers for one in Dashboard(store).totals(date(2026, 11, 25), date(2026, 12, 2))) == len(found)
    store.close()


def test_an_entry_that_cannot_be_read_stops_nobody(of_0004: str) -> None:
    engine = create_engine(of_0004, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        trigger = "journal_is_never_updated" if engine.dialect.name == "sqlite" else "journal_is_never_changed ON journal"
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.exec_driver_sql("UPDATE journal SET entry = 'not JSON' WHERE n = 1")
    engine.dispose()
    store = Store(of_0004, upgrading=Upgrading(AT, agreed=True))
    assert all(one.faults for one in Verifier(store).verify_all())
    assert sql(store, "SELECT count(*) FROM partnerships WHERE last_change = 0") == [(0,)]
    store.close()
