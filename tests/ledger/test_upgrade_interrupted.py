"""An upgrade that is killed, interrupted, or met by others leaves the old or the new database, and never a third."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from old_databases import BEFORE, old_file, old_postgresql, opened, rows_of
from witness import child, sql

from models.database.faults import Unreachable
from models.database.store import Store, sqlite_url
from models.tables import SCHEMA
from models.verify.proof import Verifier

pytestmark = pytest.mark.long  # databases of before


def test_a_copy_is_never_overwritten(tmp_path: Path) -> None:
    """A half upgraded database would replace the one good copy, and then ask for it."""
    url = old_file(tmp_path)
    opened(url).close()
    good = rows_of(sqlite_url(tmp_path / "jalon.db.schema-0003"))
    with closing(sqlite3.connect(tmp_path / "jalon.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0003'")
        database.commit()
    with pytest.raises(Unreachable, match="restaurez la première copie"):
        opened(url)
    assert rows_of(sqlite_url(tmp_path / "jalon.db.schema-0003")) == good
    assert (tmp_path / "jalon.db.schema-0003-2").exists()


def test_a_step_that_somebody_is_writing_on_postgresql_is_waited_for_and_carried_over(postgresql_url: str) -> None:
    """A jalon of before holds the dossier when the upgrade begins; its step is in the facts, or not written at all."""
    url = old_postgresql(postgresql_url)
    address = url.replace("+psycopg", "")
    with psycopg.connect(address) as writing, psycopg.connect(address, autocommit=True) as watching:
        writing.execute("SELECT id FROM partnerships WHERE reference = 'CDG-ENCOURS-2025' FOR UPDATE")
        upgrader = child(OPEN, url)
        assert upgrader.stdout.readline() == "ready\n"
        upgrader.stdin.write("go\n")
        upgrader.stdin.flush()
        while watching.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
            time.sleep(0.05)
        writing.execute("UPDATE partnerships SET entered_on = '2025-12-10' WHERE reference = 'CDG-ENCOURS-2025'")
        writing.commit()
    assert upgrader.communicate() == ("opened\n", "")
    store = Store(url)
    (fault, *_) = Verifier(store).verify("CDG-ENCOURS-2025").faults
    assert "la date ou l’origine de l’état" in fault  # what was committed before is what was looked at
    store.close()


# Opens the database of argv[1], and gets the signal argv[3] before the statement of the number argv[2].
STOPPED = """
import os, sys
from datetime import UTC, datetime
from sqlalchemy import Engine, event
from models.database.store import Store, Upgrading
place, sign, seen = int(sys.argv[2]), int(sys.argv[3]), 0
@event.listens_for(Engine, "do_execute")
@event.listens_for(Engine, "do_executemany")
def stop(cursor, statement, *_):
    global seen
    if statement.startswith(("PRAGMA", "SHOW", "select pg_catalog", "select current_schema", "show standard")):
        return
    seen += 1
    if seen == place:
        os.kill(os.getpid(), sign)
Store(sys.argv[1], upgrading=Upgrading(datetime(2026, 11, 25, 12, tzinfo=UTC), agreed=True)).close()
print(seen)
"""


@pytest.mark.endurance
def test_a_kill_at_any_statement_of_the_upgrade_leaves_the_old_or_the_new_database(old: str) -> None:
    """A process is killed (SIGKILL) before each statement in turn; the next one that opens the database brings it forward."""
    before = rows_of(old)
    for place in range(1, 1000):
        told, fault = child(STOPPED, old, str(place), str(int(signal.SIGKILL))).communicate()
        if told:
            break
        assert fault == ""
        assert rows_of(old) == before, place
    assert place > 8 * 10  # each of eight dossiers takes more than ten
    after = rows_of(old)
    assert after["alembic_version"] == [(SCHEMA,)]
    store = Store(old)
    assert {fault for one in Verifier(store).verify_all() for fault in one.faults} == set()
    store.close()


@pytest.mark.parametrize("place", [1, 30, *(pytest.param(place, marks=pytest.mark.endurance) for place in (2, 79))])
def test_an_interruption_of_the_upgrade_stays_one_and_takes_everything_back(old: str, place: int) -> None:
    """Ctrl-C in the middle of a statement makes the connection useless: that is no fault to tell in its stead."""
    before = rows_of(old)
    told, fault = child(STOPPED, old, str(place), str(int(signal.SIGINT))).communicate()
    assert (told, fault.splitlines()[-1]) == ("", "KeyboardInterrupt")
    assert rows_of(old) == before
    opened(old).close()
    assert rows_of(old)["alembic_version"] == [(SCHEMA,)]


OPEN = """
import sys
from datetime import UTC, datetime
from models.database.store import Store, Upgrading
import alembic.command, models.database.migrate
print("ready", flush=True)
sys.stdin.readline()
store = Store(sys.argv[1], upgrading=Upgrading(datetime(2026, 11, 25, 12, tzinfo=UTC), agreed=True))
print("opened", flush=True)
store.close()
"""


def test_four_processes_that_open_it_at_once_upgrade_it_once(old: str) -> None:
    openers = [child(OPEN, old) for _ in range(4)]
    assert [opener.stdout.readline() for opener in openers] == ["ready\n"] * 4
    for opener in openers:
        opener.stdin.write("go\n")
        opener.stdin.flush()
    assert [opener.communicate() for opener in openers] == [("opened\n", "")] * 4
    store = Store(old)
    assert sql(store, "SELECT count(*) FROM journal WHERE entry LIKE '%carry_over%'") == [(len(BEFORE),)]
    assert {fault for one in Verifier(store).verify_all() for fault in one.faults} == set()
    store.close()


def test_where_no_copy_can_be_put_beside_it_nothing_changes(tmp_path: Path) -> None:
    url = old_file(tmp_path)
    before = rows_of(url)
    (tmp_path / "jalon.db.schema-0003.part").mkdir()
    with pytest.raises(Unreachable, match=r"^La base ne peut pas être copiée à côté avant sa reprise .* rien n’a changé\.$"):
        opened(url)
    assert rows_of(url) == before
