"""A database of before is brought forward with its data, or stays as it was: same facts, same history, same pages."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import stat
import time
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden_lives import OLD_DATABASE, OLD_PAGES
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from test_journal import entries_of, rechain
from walks import OTHER_IBAN, Walk
from witness import child, drop_triggers, dump, sql

from flows import dossier_page, reading
from flows.doctor import examined
from flows.home import Home
from flows.settings import settings
from models.answers import Done
from models.canonical import canonical, digest
from models.columns import metadata
from models.faults import Unreachable
from models.migrate import upgrade
from models.redeciding import redecided
from models.store import Store, Upgrading, sqlite_url
from models.tables import SCHEMA
from models.verify import Verifier
from states.lifecycle import STEPS
from states.words import State

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BEFORE: dict[str, dict[str, Any]] = json.loads(OLD_PAGES.read_text(encoding="utf-8"))
CARRIED = "carry_over"


def old_file(folder: Path) -> str:
    """A copy of the database file that version 0.1.0 wrote; its address."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(OLD_DATABASE, folder / "jalon.db")
    return sqlite_url(folder / "jalon.db")


def old_rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of that file, table by table, parents first."""
    with closing(sqlite3.connect(f"{OLD_DATABASE.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return {table.name: [dict(row) for row in database.execute(f'SELECT * FROM "{table.name}"')] for table in metadata.sorted_tables}


def old_postgresql(url: str) -> str:
    """The same rows in a PostgreSQL database of the same schema."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    upgrade(engine, "0003")
    with engine.connect() as connection:
        for table, rows in old_rows().items():
            for row in rows:
                names = ", ".join(f'"{name}"' for name in row)
                connection.execute(text(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(f":{name}" for name in row)})'), row)
        for table in ("partnerships", "journal", "outbox", "findings", "people"):
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))
    engine.dispose()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of schema 0003, with whole lives in it."""
    if request.param == "postgresql":
        return old_postgresql(request.getfixturevalue("postgresql_url"))
    return old_file(tmp_path / "old")


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row, read without jalon."""
    engine = create_engine(url)
    with engine.connect() as connection:
        names = [name for name in inspect(engine).get_table_names() if name != "alembic_version"]
        found = {name: sorted(map(tuple, connection.execute(text(f'SELECT * FROM "{name}"'))), key=repr) for name in names}
        found["alembic_version"] = [tuple(row) for row in connection.execute(text("SELECT * FROM alembic_version"))]
    engine.dispose()
    return found


def opened(url: str) -> Store:
    return Store(url, upgrading=Upgrading(AT, agreed=True))


def test_the_old_file_is_of_the_schema_that_version_0_1_0_made() -> None:
    with closing(sqlite3.connect(f"{OLD_DATABASE.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        entries = [json.loads(entry) for (entry,) in database.execute("SELECT entry FROM journal")]
    assert not any("law" in entry or "facts" in entry for entry in entries)
    assert {entry["trigger"] for entry in entries} == set(STEPS)


def test_every_row_of_before_stays_and_the_old_entries_to_the_byte(old: str) -> None:
    before = rows_of(old)
    opened(old).close()
    after = rows_of(old)
    for name in before.keys() - {"alembic_version", "partnerships", "journal"}:
        assert after[name] == before[name], name
    assert set(before["journal"]) < set(after["journal"])
    assert len(after["journal"]) == len(before["journal"]) + len(before["partnerships"])
    same = [(row[0], *row[1:5], row[7:]) for row in before["partnerships"]]  # all but the number and the head of the last entry
    assert [(row[0], *row[1:5], row[7:]) for row in after["partnerships"]] == same
    assert after["alembic_version"] == [(SCHEMA,)]


def test_every_dossier_of_before_verifies_and_its_facts_are_carried_over_whole(old: str) -> None:
    store = opened(old)
    verifier = Verifier(store)
    assert verifier.references() == sorted(BEFORE)
    for reference in verifier.references():
        proof, entries = verifier.proved(reference)
        assert proof.faults == ()
        assert (entries[-1]["trigger"], entries[-1]["law"], entries[-1].get("faults")) == (CARRIED, 1, None)
        assert not any("facts" in entry for entry in entries[:-1])
        found = redecided(reference, entries)
        assert (found.again, found.anomalies) == (0, ())
    store.close()


def without_the_carry_over(page: dict[str, Any]) -> dict[str, Any]:
    assert page["history"][-1]["trigger"] == CARRIED
    return {**page, "history": page["history"][:-1]}


def test_a_dossier_shows_the_same_before_and_after(old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same facts, history, findings, sums, people and pages: only the line of the upgrade is new, and with it the head."""
    monkeypatch.setattr(dossier_page, "LINES_AT_MOST", dossier_page.LINES_AT_MOST + 1)  # the new line hides no old one
    home = Home(settings({"JALON_HOME": str(tmp_path), "JALON_DATABASE_URL": old}), agreed=True)
    for reference, before in BEFORE.items():
        page, partnership, history = home.views.page(reference, on=date(2026, 11, 25))
        assert json.loads(json.dumps(without_the_carry_over(page))) == before["show"]
        assert home.views.people(reference) == before["people"]
        assert home.views.entitlement(reference, on=date(2026, 11, 25)) == before["entitlement"]
        assert reading.money(partnership) == before["money"]
        assert plain(reading.timeline(history)[:-1]) == plain(before["timeline"])
        assert "Reprendre le journal d’avant" in reading.timeline(history)[-1]
        assert but_undo(json.loads(json.dumps(home.views.why(reference, at=AT)))) == but_undo(before["why"])
        text_now, _ = dossier_page.page(home, reference, at=AT, form=lambda *_: None)
        assert set(lines_of(before["page"])) - set(lines_of(text_now)) == set()
    home.store.close()


def but_undo(why: dict[str, Any]) -> dict[str, Any]:
    """What may come next, but for the undo, which has another label and another rule now."""
    return {**why, "next": [step for step in why["next"] if step["trigger"] != "undo"]}


def plain(timeline: list[str]) -> list[str]:
    """The lines of a timeline, whatever the widths of its columns, without the numbers of the undos that are now named."""
    undone = re.compile(r" : annulé par l’entrée \d+$|annulé par l’entrée \d+ ; ")
    return [re.sub(r"\s+", " ", undone.sub("", line)) for line in timeline if not line.startswith("─")]


def lines_of(page: str) -> list[str]:
    """The lines of a page that say something of the dossier: not its head, nor the numbers of lines that are left out."""
    undone = re.compile(r", annulé par l’entrée \d+")
    return [
        undone.sub("", line) for line in page.splitlines() if not line.startswith(("Tête de la chaîne", "Et ")) and "Annuler" not in line
    ]


def test_a_copy_of_the_file_is_put_beside_it_first_for_its_owner_alone(tmp_path: Path) -> None:
    url = old_file(tmp_path / "old")
    before = rows_of(url)
    store = opened(url)
    assert store.upgraded is not None
    kept = store.upgraded.copy
    assert kept == tmp_path / "old" / "jalon.db.schema-0003"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    store.close()
    assert rows_of(sqlite_url(kept)) == before
    again = Store(url)
    assert again.upgraded is None
    again.close()


def test_postgresql_is_upgraded_after_an_instruction_and_a_yes(postgresql_url: str, tmp_path: Path) -> None:
    url = old_postgresql(postgresql_url)
    before = rows_of(url)
    for leave in (None, Upgrading(AT)):
        with pytest.raises(Unreachable) as refused:
            Store(url, upgrading=leave)
        assert "jalon upgrade" in str(refused.value)
    assert "pg_dump --format=custom --file=jalon-0003.dump" in str(refused.value)
    assert "jalon upgrade --yes" in str(refused.value)
    assert rows_of(url) == before
    environment = {"JALON_HOME": str(tmp_path), "JALON_DATABASE_URL": url}
    said = child("from flows.command import run; import sys; sys.exit(run(['upgrade', '--yes', '--json']))", **environment).communicate()
    assert json.loads(said[0]) == {"schema": SCHEMA, "from": "0003", "copy": None}
    again = child("from flows.command import run; import sys; sys.exit(run(['upgrade']))", **environment).communicate()
    assert again == (f"La base est déjà du schéma {SCHEMA}.\n", "")


def test_the_doctor_looks_at_a_database_of_before_and_changes_nothing(tmp_path: Path) -> None:
    url = old_file(tmp_path)
    before = rows_of(url)
    page = examined(settings({"JALON_HOME": str(tmp_path)}))
    assert "La base est du schéma 0003, d’avant ce jalon" in "\n".join(page.lines)
    assert rows_of(url) == before
    assert [path.name for path in tmp_path.iterdir()] == ["jalon.db"]


def test_a_step_of_before_is_taken_back_by_name_after_the_upgrade(old: str) -> None:
    """The entries of before hold no facts; the reader of their time tells what they led to."""
    home = Home(settings({"JALON_DATABASE_URL": old}), agreed=True)
    undoing = STEPS["undo"].asks
    before = home.views.partnership("CDG-ENCOURS-2025")

    def undo(entry: int, who: str = "Thaïs") -> Any:
        request = undoing.model_validate({"entry": entry, "motive": "Erreur"})
        return home.ledger.fire("CDG-ENCOURS-2025", "undo", request, actor=who, at=AT, key=f"undo-{entry}-{who}")

    assert isinstance(undo(11), Done)  # the dropout, with a committee after it
    after = home.views.partnership("CDG-ENCOURS-2025")
    assert before.trainee(1).left_on is not None
    assert after.trainee(1) == before.trainee(1)._replace(left_on=None, hours_done=None, left_because=None)
    assert after._replace(trainees=(), version=0, findings=()) == before._replace(trainees=(), version=0, findings=())
    refused = undo(2, "Ornella")
    assert "l’entrée 6 (« Acter la signature », par Basile) a fait avancer le dossier depuis" in refused.reasons[0].reason
    assert [reason.code for reason in undo(13).reasons] == ["NOTHING_TO_UNDO"]  # what was carried over
    assert home.verifier.verify("CDG-ENCOURS-2025").faults == ()
    home.store.close()


# Steps of whoever has every right on the database of before: each was seen then, and goes on being said.
TAMPERED = {
    "UPDATE settlements SET paid_cents = paid_cents - 1": "la liquidation, le mandat et le paiement",
    f"UPDATE parties SET payee_iban = '{OTHER_IBAN}' WHERE side = 'university'": "les parties",
    "DELETE FROM committees": "les comités",
    "UPDATE terms SET cap = cap + 1": "les conditions",
    "UPDATE trainees SET insee = '59350' WHERE number = 1": "les stagiaires",
    "UPDATE partnerships SET entered_on = '2026-01-01'": "la date ou l’origine de l’état",
    "UPDATE partnerships SET imported = 1 - imported": "la date ou l’origine de l’état",
    "UPDATE partnerships SET state = 'closed'": "l’état ou la version",
    "UPDATE findings SET code = 'NO_QUORUM' WHERE code = 'ROLL_CALL_UNKNOWN'": "des constats",
    "INSERT INTO documents VALUES (1, 9, 'Faux', 'x', '2026-01-01')": "les documents",
}


@pytest.mark.parametrize("change", TAMPERED)
def test_what_did_not_hold_before_the_upgrade_does_not_hold_after_it(old: str, change: str) -> None:
    engine = create_engine(old, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(change))
    engine.dispose()
    store = opened(old)
    faults = [fault for one in Verifier(store).verify_all() for fault in one.faults]
    assert any(fault.startswith("À la reprise") and TAMPERED[change] in fault for fault in faults)
    assert len(faults) > sum(fault.startswith("À la reprise") for fault in faults) or "findings" in change
    store.close()


def test_facts_carried_over_that_the_entries_before_do_not_tell_are_an_anomaly(old: str) -> None:
    """Somebody with every right writes other facts into that entry, and into the rows, and hashes all again: only the reader knows."""
    store = opened(old)
    drop_triggers(store)
    (id_,), *_ = sql(store, "SELECT id FROM partnerships WHERE reference = 'CDG-REJET-2025'")
    ((entry,),) = sql(store, "SELECT entry FROM journal WHERE partnership_id = :id ORDER BY n DESC LIMIT 1", id=id_)
    forged = canonical(json.loads(entry.replace('"cap":20', '"cap":21'))).decode()
    sealed = digest(forged.encode())
    sql(store, "UPDATE journal SET entry = :e, digest = :d WHERE partnership_id = :id AND n = 4", e=forged, d=sealed, id=id_)
    sql(store, "UPDATE partnerships SET head = :d WHERE id = :id", d=sealed, id=id_)
    sql(store, "UPDATE terms SET cap = 21 WHERE partnership_id = :id", id=id_)
    proof, entries = Verifier(store).proved("CDG-REJET-2025")
    assert proof.faults == ()
    (one,) = redecided("CDG-REJET-2025", entries).anomalies
    assert one.sentence.startswith("Entrée 4 (« Reprendre le journal d’avant ») : anomalie. Le journal dit : repris tel quel")
    store.close()


def edited(url: str, old_words: str, new_words: str) -> None:
    """Edit the entries of a database of before, without its triggers; nothing is hashed again."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER journal_is_never_updated"))
        else:
            connection.execute(text("DROP TRIGGER journal_is_never_changed ON journal"))
        connection.execute(text("UPDATE journal SET entry = replace(entry, :old, :new)"), {"old": old_words, "new": new_words})
    engine.dispose()


def test_a_journal_of_before_that_was_edited_is_carried_over_and_stays_accused(old: str) -> None:
    edited(old, '"pay"', '"pai"')
    store = opened(old)
    broken = {one.reference: one.faults for one in Verifier(store).verify_all() if one.faults}
    assert "CDG62-ARTOIS-DUSGM-2025" in broken
    assert broken["CDG62-ARTOIS-DUSGM-2025"] == ("Entrée 63 du journal : son empreinte ne correspond pas à son contenu.",)
    carried = sql(store, "SELECT entry FROM journal WHERE entry LIKE '%carry_over%' AND entry LIKE '%CDG62-ARTOIS%'")
    assert json.loads(carried[0][0])["faults"] == ["Le journal d’avant la reprise ne se relit pas (entrée 64)."]
    store.close()


def test_a_jalon_of_before_that_still_runs_can_write_no_entry_any_more(old: str) -> None:
    store = opened(old)
    before = dump(store)
    with pytest.raises(DBAPIError, match="start the new jalon"):
        sql(
            store,
            'INSERT INTO journal (partnership_id, n, "key", input_digest, entry, digest)'
            " SELECT partnership_id, n + 1, 'another', input_digest, '{}', digest FROM journal WHERE id = 1",
        )
    assert dump(store) == before
    store.close()


# What somebody may have damaged in one dossier; the others are brought forward all the same.
DAMAGED = {
    "an entry that is no JSON": "UPDATE journal SET entry = '{\"n\":' WHERE id = 3",
    "an entry that is no object": "UPDATE journal SET entry = '[]' WHERE id = 3",
    "an entry without an outcome": "UPDATE journal SET entry = '{}' WHERE id = 3",
    "a request of another shape": 'UPDATE journal SET entry = replace(entry, \'"request":{\', \'"request":[],"was":{\') WHERE id = 2',
    "a list that is no JSON": "UPDATE acts SET present = 'personne' WHERE partnership_id = 1",
    "a secret that is none": "UPDATE partnerships SET pepper = 'poivre' WHERE id = 1",
    "a number of entries": "UPDATE partnerships SET n = n - 1 WHERE id = 1",
    "a head": "UPDATE partnerships SET head = 'x' WHERE id = 1",
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_dossier_is_accused_and_stops_no_other(old: str, case: str) -> None:
    edited(old, "nothing", "nothing")  # the triggers are gone
    engine = create_engine(old, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(DAMAGED[case].replace(":", r"\:")))
        reference = connection.execute(text("SELECT reference FROM partnerships WHERE id = 1")).scalar()
    engine.dispose()
    store = opened(old)
    broken = {one.reference: one.faults for one in Verifier(store).verify_all() if one.faults}
    assert set(broken) == {reference}
    assert all(fault.endswith(".") and "\n" not in fault for fault in broken[reference])
    store.close()


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


def test_a_half_upgraded_database_is_refused_or_accused_in_words(old: str) -> None:
    store = opened(old)
    sql(store, "UPDATE alembic_version SET version_num = '0003'")
    store.close()
    before = rows_of(old)
    with pytest.raises(Unreachable, match=r"^La base est à moitié reprise : le dossier \S+ l’est déjà.*Rien n’a changé"):
        opened(old)
    assert rows_of(old) == before


def test_a_database_that_only_says_to_be_upgraded_is_accused_dossier_by_dossier(tmp_path: Path) -> None:
    url = old_file(tmp_path)
    with closing(sqlite3.connect(tmp_path / "jalon.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (SCHEMA,))
        database.commit()
    store = Store(url)
    for one in Verifier(store).verify_all():
        assert one.faults == (
            "Le journal date d’avant cette version de jalon et n’a pas été repris : la base est à moitié reprise, restaurez sa copie.",
        )
    store.close()


def test_a_carried_entry_is_accepted_once_and_only_after_entries_of_before(store: Store) -> None:
    """Else whoever reaches the database could begin a dossier anew."""
    walk = Walk(store).until(State.SIGNED)
    drop_triggers(store)
    told = entries_of(store)
    rechain(store, [*told[:-1], told[-1] | {"outcome": "carried", "to": told[-1]["from"]}])
    sql(store, "UPDATE partnerships SET state = :s", s=told[-1]["from"])
    (fault,) = Verifier(store).verify(walk.reference).faults
    assert "jalon n’écrit jamais une telle entrée à cet endroit" in fault


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from sqlalchemy import Engine, event
from models.store import Store, Upgrading
place, seen = int(sys.argv[2]), 0
@event.listens_for(Engine, "before_cursor_execute")
def kill(connection, cursor, statement, *_):
    global seen
    if statement.startswith(("PRAGMA", "SHOW", "select pg_catalog", "select current_schema", "show standard")):
        return
    seen += 1
    if seen == place:
        os.kill(os.getpid(), signal.SIGKILL)
Store(sys.argv[1], upgrading=Upgrading(datetime(2026, 11, 25, 12, tzinfo=UTC), agreed=True)).close()
print(seen)
"""


@pytest.mark.endurance
def test_a_kill_at_any_statement_of_the_upgrade_leaves_the_old_or_the_new_database(old: str) -> None:
    """A process is killed (SIGKILL) before each statement in turn; the next one that opens the database brings it forward."""
    before = rows_of(old)
    for place in range(1, 1000):
        told, fault = child(KILLED, old, str(place)).communicate()
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


OPEN = """
import sys
from datetime import UTC, datetime
from models.store import Store, Upgrading
import alembic.command, models.migrate
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
