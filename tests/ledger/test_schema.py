"""The database is the one that the tables describe, keeps the invariants by itself, and is refused when it is another one."""

import hashlib
import os
import sqlite3
import time
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from enlisting import enlist, reroled
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError
from walks import Walk
from witness import child, sql

from models.database.constraints import SENTENCES, violated
from models.database.faults import Unreachable
from models.database.migrate import MIGRATIONS
from models.database.store import Store, sqlite_url
from models.database.vocabulary import WORDS, learnt
from models.people.register import Register
from models.tables import SCHEMA
from models.tables.columns import metadata
from states.grammar.guard import Refused
from states.vocabulary import Role, State


def test_the_migrated_schema_is_the_one_of_the_tables(store: Store) -> None:
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_named_check_of_the_tables_is_in_the_database(store: Store) -> None:
    described = {(table.name, one.name) for table in metadata.tables.values() for one in table.constraints if str(one.name)[:3] == "ck_"}
    inspector = inspect(store.engine)
    assert described == {(table, one["name"]) for table in metadata.tables for one in inspector.get_check_constraints(table)}


def test_the_checks_of_the_migration_are_written_as_in_the_tables(sqlite: Store) -> None:
    described = {
        str(one.name): str(one.sqltext) for table in metadata.tables.values() for one in table.constraints if hasattr(one, "sqltext")
    }
    inspector = inspect(sqlite.engine)
    assert described == {one["name"]: one["sqltext"] for table in metadata.tables for one in inspector.get_check_constraints(table)}


def test_the_schema_that_this_jalon_knows_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA


# One bad write for each promise, on a dossier that is PAID: 2000.00 € invoiced, settled, ordered and paid.
BAD = {
    "uq_partnerships_reference": "INSERT INTO partnerships (id, reference, imported, state, version, n, head, pepper)"
    " SELECT 9, reference, imported, state, version, n, head, pepper FROM partnerships",
    "uq_identities_person": "INSERT INTO identities SELECT partnership_id, 9, family_name, given_name, born_on, salt, digest"
    " FROM identities",
    "uq_invoices_supplier_number": "INSERT INTO invoices SELECT partnership_id, 9, invoice_number, normalised_number, issued_on,"
    " received_on, amount_cents, currency, supplier_siret, iban, 'another file', status FROM invoices",
    "uq_invoices_supplier_document": "INSERT INTO invoices SELECT partnership_id, 9, 'another', 'ANOTHER', issued_on,"
    " received_on, amount_cents, currency, supplier_siret, iban, document_sha256, status FROM invoices",
    "uq_settlements_invoice": "INSERT INTO settlements (partnership_id, number, invoice, ceiling_cents, entitlement_cents, invoiced_cents,"
    " settled_cents, lines, certified_on, certified_by) VALUES (1, 9, 1, 1, 1, 1, 1, '[]', '2026-06-22', 'Farida')",
    "uq_journal_key": 'INSERT INTO journal (id, partnership_id, n, "key", input_digest, entry, digest)'
    ' SELECT 99, partnership_id, 99, "key", input_digest, entry, digest FROM journal WHERE n = 1',
    "ck_settlements_ceiling": "UPDATE settlements SET ceiling_cents = entitlement_cents - 1",
    "ck_settlements_settled": "UPDATE settlements SET settled_cents = invoiced_cents + 1",
    "ck_settlements_ordered": "UPDATE settlements SET ordered_cents = settled_cents + 1",
    "ck_settlements_paid": "UPDATE settlements SET paid_cents = ordered_cents + 1",
    "ck_settlements_order_whole": "UPDATE settlements SET ordered_by = NULL",
    "ck_settlements_three_people": "UPDATE settlements SET paid_by = certified_by",
    "ck_trainings_ended": "UPDATE trainings SET ended_on = '2026-01-11'",
    "ck_trainings_order": "UPDATE trainings SET hours = 0",
    "ck_invoices_currency": "UPDATE invoices SET currency = 'USD'",
    "ck_invoices_received": "UPDATE invoices SET received_on = '2020-01-01'",
    "ck_invoices_status": "UPDATE invoices SET status = 'lost'",
    "ck_invoices_amount_cents_is_not_negative": "UPDATE invoices SET amount_cents = -1",
    "ck_invoices_issued_on_is_a_day": "UPDATE invoices SET issued_on = '15/06/2026'",
    "ck_invoices_received_on_is_a_day": "UPDATE invoices SET received_on = '25/06/2026'",
    "ck_partnerships_state": "UPDATE partnerships SET state = 'lost'",
    "ck_partnerships_version": "UPDATE partnerships SET version = n + 1",
    "ck_partnerships_imported": "UPDATE partnerships SET imported = 2",
    "ck_partnerships_entered_on_is_a_day": "UPDATE partnerships SET entered_on = 'yesterday'",
    "ck_partnerships_behind_is_a_truth": "UPDATE partnerships SET behind = 2",
    "ck_partnerships_due_on_is_a_day": "UPDATE partnerships SET due_on = 'tomorrow'",
    "ck_partnerships_paid_cents_is_not_negative": "UPDATE partnerships SET paid_cents = -1",
    "ck_terms_positive": "UPDATE terms SET cap = 0",
    "ck_terms_year": "UPDATE terms SET year_ends_on = year_starts_on",
    "ck_trainees_verified": "UPDATE trainees SET verified_by = NULL",
    "ck_trainees_regime": "UPDATE trainees SET fee_regime = 'free'",
    "ck_parties_side": "UPDATE parties SET side = 'third'",
    "ck_acts_counts": "UPDATE acts SET votes_for = -1",
    "ck_recoveries_two_people": "INSERT INTO recoveries (partnership_id, number, trainee, amount_cents, motive, order_number, ordered_on,"
    " ordered_by, recovered_on, recovered_by) VALUES (1, 1, 1, 1, 'x', 'x', '2026-09-01', 'Omar', '2026-09-02', 'Omar')",
    "ck_recoveries_order": "INSERT INTO recoveries (partnership_id, number, trainee, amount_cents, motive, order_number, ordered_on,"
    " ordered_by, recovered_on, recovered_by) VALUES (1, 1, 1, 1, 'x', 'x', '2026-09-01', 'Omar', '2026-08-31', 'Paola')",
    "ck_recoveries_amount": "INSERT INTO recoveries (partnership_id, number, trainee, amount_cents, motive, order_number, ordered_on,"
    " ordered_by) VALUES (1, 1, 1, 0, 'x', 'x', '2026-09-01', 'Omar')",
    "ck_payee_changes_two_people": "INSERT INTO payee_changes VALUES"
    " (1, 1, 'x', 'x', '2026-06-17', 'Tania', NULL, '2026-06-17', '2026-06-18', 'x', '2026-06-19', 'Tania', NULL)",
    "ck_payee_changes_once": "INSERT INTO payee_changes VALUES"
    " (1, 1, 'x', 'x', '2026-06-17', 'Tania', NULL, '2026-06-17', '2026-06-18', 'x', '2026-06-19', 'Omar', '2026-06-20')",
    "ck_payee_changes_whole": "INSERT INTO payee_changes VALUES"
    " (1, 1, 'x', 'x', '2026-06-17', 'Tania', NULL, '2026-06-17', NULL, NULL, '2026-06-19', 'Omar', NULL)",
    "ck_delegations_two_people": "INSERT INTO delegations VALUES (1, 1, 'x', 'Tania', 'Tania', '2026-01-01', '2026-01-02')",
    "ck_delegations_order": "INSERT INTO delegations VALUES (1, 1, 'x', 'Tania', 'Bruno', '2026-01-02', '2026-01-01')",
    "ck_acts_order": "UPDATE acts SET transmitted_on = '2025-10-08' WHERE number = 1",
    "ck_acts_transmitted": "UPDATE acts SET receipt_number = NULL",
    "ck_acts_published": "UPDATE acts SET published_on = NULL",
    "ck_acts_kind": "UPDATE acts SET kind = 'other'",
    "ck_appeals_by": "INSERT INTO appeals VALUES (1, 1, 1, 'me', '2025-12-20', NULL)",
    "ck_appeals_order": "INSERT INTO appeals VALUES (1, 1, 1, 'prefect', '2025-12-20', '2025-12-19')",
    "ck_trainees_rank": "UPDATE trainees SET rank = 0",
    "ck_trainees_moved": "UPDATE trainees SET moved_to = '59350'",
    "ck_trainees_left": "UPDATE trainees SET hours_done = 10",
    "ck_terms_dropout_policy": "UPDATE terms SET dropout_policy = 'maybe'",
    "ck_terms_nature": "UPDATE terms SET nature = 'gift'",
    "ck_terms_days": "UPDATE terms SET payment_days = -1",
    "ck_terms_quorum_verified_is_a_truth": "UPDATE terms SET quorum_verified = 2",
    "ck_outbox_kind": "UPDATE outbox SET kind = 'shout', role = NULL",
    "ck_people_roles_role": "UPDATE people_roles SET role = 'clock'",
}
# More ways to break a promise that one statement above has tried already.
MORE = {
    "UPDATE settlements SET invoiced_cents = settled_cents - 1": "ck_settlements_settled",
    "UPDATE settlements SET entitlement_cents = settled_cents - 1": "ck_settlements_settled",
    "UPDATE settlements SET ordered_cents = NULL, ordered_by = NULL": "ck_settlements_paid",
    "UPDATE settlements SET paid_cents = NULL": "ck_settlements_order_whole",
    "UPDATE settlements SET ordered_by = certified_by": "ck_settlements_three_people",
    "UPDATE settlements SET paid_by = ordered_by": "ck_settlements_three_people",
}


def objection(store: Store, statement: str) -> str | None:
    with pytest.raises(DBAPIError) as refused:
        sql(store, statement)
    return "append-only" if "append-only" in str(refused.value) else violated(store, refused.value)


def test_the_database_refuses_every_bad_write_by_the_name_of_what_it_breaks(store: Store) -> None:
    Walk(store).until(State.PAID)
    names = {statement: name for name, statement in BAD.items()} | MORE
    assert set(SENTENCES) <= set(names.values())
    found = {statement: objection(store, statement) for statement in names}
    found = {statement: names[statement] if name == "append-only" else name for statement, name in found.items()}  # the trigger was first
    assert found == names


def test_a_new_database_takes_every_state_and_role_and_no_other(store: Store) -> None:
    """Once they were needed: a migration is written once, and knows the words of its day."""
    for constraint in WORDS:
        learnt(store, constraint)
    said = {kind: {word for found, word in sql(store, "SELECT kind, word FROM vocabulary") if found == kind} for kind in ("state", "role")}
    assert said["state"] == {state.value for state in State} - {"unopened"}
    assert said["role"] == {role.value for role in Role} - {"clock"}


def test_a_state_that_a_database_has_not_heard_of_is_learnt_by_the_first_step_into_it(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    sql(store, "DELETE FROM vocabulary WHERE word IN ('approved', 'auditor')")
    assert objection(store, "UPDATE partnerships SET state = 'approved'") == "ck_partnerships_state"
    walk.do("approve")
    assert sql(store, "SELECT state, version FROM partnerships") == [("approved", 2)]
    assert objection(store, "UPDATE partnerships SET state = 'lost'") == "ck_partnerships_state"
    enlist(store, "Nadia", "nadia@essai.example", [Role.AUDITOR])
    assert Register(store).person("Nadia").roles == (Role.AUDITOR,)
    sql(store, "DELETE FROM vocabulary WHERE word = 'operator'")
    reroled(store, "Nadia", [Role.OPERATOR])
    assert Register(store).person("Nadia").roles == (Role.OPERATOR,)


def test_what_is_no_word_of_this_jalon_is_not_learnt(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that would lead nowhere is refused by the database, tried once, and told."""
    walk = Walk(store).until(State.PROPOSED)
    sql(store, "DELETE FROM vocabulary WHERE word = 'approved'")
    monkeypatch.setitem(WORDS, "ck_partnerships_state", ("state", ("proposed",)))
    answer = walk.ask("approve")
    assert isinstance(answer, Refused)
    assert "ck_partnerships_state" in answer.reasons[0].reason
    assert sql(store, "SELECT state FROM partnerships") == [("proposed",)]


def test_no_check_lists_the_states_or_the_roles(store: Store) -> None:
    words = [f"'{word}'" for word in (*State, *Role)]
    inspector = inspect(store.engine)
    checks = {one["name"]: one["sqltext"] for table in metadata.tables for one in inspector.get_check_constraints(table)}
    assert {name for name, text in checks.items() if sum(word in text for word in words) > 1} == set()


@pytest.mark.parametrize("column", ["imported", "version", "n"])
def test_a_number_cannot_be_text(store: Store, column: str) -> None:
    Walk(store).until(State.PROPOSED)
    with pytest.raises(DBAPIError):
        sql(store, f"UPDATE partnerships SET {column} = 'many'")


def test_every_table_of_sqlite_is_strict(sqlite: Store) -> None:
    strict = {name: strict for _, name, kind, _, _, strict in sql(sqlite, "PRAGMA table_list") if kind == "table"}
    assert {name for name in metadata.tables if not strict[name]} == set()


def test_every_connection_to_sqlite_keeps_what_it_commits(sqlite: Store) -> None:
    with sqlite.engine.connect() as one, sqlite.engine.connect() as two:
        for connection in (one, two):
            asked = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")]
            assert asked == ["wal", 2, 1]


def unreachable(url: str, *, create: bool = False) -> str:
    """The one French sentence with which jalon refuses a database."""
    with pytest.raises(Unreachable) as refused:
        Store(url, create=create)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Error" not in sentence
    return sentence


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused_because_it_keeps_nothing(url: str) -> None:
    unreachable(url, create=True)


@pytest.mark.parametrize("url", ["nonsense", "", "mysql://localhost/jalon", "postgresql+nothing://localhost/jalon"])
def test_an_address_of_no_database_that_jalon_knows_is_refused_in_french(url: str) -> None:
    unreachable(url)


def test_postgresql_that_may_forget_a_commit_is_refused(postgresql_url: str) -> None:
    store = Store(postgresql_url, create=True)
    sql(store, f"ALTER DATABASE {store.url.database} SET synchronous_commit = off")
    store.close()
    assert "durée" in unreachable(postgresql_url)


@pytest.mark.parametrize(("schema", "word"), [("0000", "avant la version"), ("9999", "récent")])
def test_an_older_or_newer_schema_is_refused(store: Store, schema: str, word: str) -> None:
    Walk(store).until(State.PROPOSED)
    sql(store, "UPDATE alembic_version SET version_num = :v", v=schema)
    url = store.url.render_as_string(hide_password=False)
    for create in (False, True):
        assert word in unreachable(url, create=create)
    assert sql(store, "SELECT version_num FROM alembic_version") == [(schema,)]


def test_a_database_that_is_refused_is_not_kept_open(postgresql_url: str) -> None:
    with pytest.raises(Unreachable) as refused:  # and with it, the frames that hold the store
        Store(postgresql_url)
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()"
    with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as connection:
        for _ in range(100):  # the server takes its time to see that a client has gone
            if connection.execute(others).fetchone() == (1,):
                break
            time.sleep(0.05)
        assert connection.execute(others).fetchone() == (1,)
    assert refused.value.args


def test_an_empty_postgresql_is_refused_and_stays_empty(postgresql_url: str) -> None:
    assert "vide" in unreachable(postgresql_url)
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_postgresql_that_is_not_there_is_unreachable(postgresql_url: str) -> None:
    unreachable(postgresql_url + "/nowhere")
    unreachable("postgresql+psycopg://postgres@127.0.0.1:1/jalon")


def foreign(path: Path) -> None:
    stranger = sqlite3.connect(path)
    stranger.execute("CREATE TABLE theirs (theirs INTEGER)")
    stranger.commit()
    stranger.close()


FILES = {
    "missing": lambda path: None,
    "in a missing folder": lambda path: None,
    "a folder": Path.mkdir,
    "empty": Path.touch,
    "text": lambda path: path.write_text("Bonjour.\n" * 1000),
    "the database of another program": foreign,
}


def seen(folder: Path) -> dict[str, str]:
    return {str(one): hashlib.sha256(one.read_bytes()).hexdigest() if one.is_file() else "folder" for one in folder.rglob("*")}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("folder/jalon.db" if "folder" in kind and "missing" in kind else "jalon.db")
    FILES[kind](path)
    before = seen(tmp_path)
    unreachable(sqlite_url(path))
    assert seen(tmp_path) == before


@pytest.mark.parametrize("kind", ["a folder", "text"])
def test_no_schema_is_made_where_no_database_can_be(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "jalon.db"
    FILES[kind](path)
    before = seen(tmp_path)
    unreachable(sqlite_url(path), create=True)
    assert seen(tmp_path) == before


def test_no_folder_is_made_below_a_file(tmp_path: Path) -> None:
    path = tmp_path / "jalon.db"
    FILES["text"](path)
    unreachable(sqlite_url(path / "jalon.db"), create=True)


AS_NOBODY = """
import os, sys
from walks import Walk
from models.database.store import Store
from models.database.faults import Unreachable
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    Walk(Store(sys.argv[1])).do("approve")
except Unreachable as fault:
    print(fault)
"""


@pytest.mark.parametrize("locked", ["file", "folder", "both"])
def test_a_ledger_that_may_not_be_written_says_so_and_stays_as_it_is(tmp_path: Path, locked: str) -> None:
    """Tried by a process without the rights of root."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        os.chmod(folder, 0o755)  # noqa: PTH101 - pytest's own folders, opened to the other user for reading
    path = tmp_path / "ledger" / "jalon.db"
    made = Store(sqlite_url(path), create=True)
    Walk(made).until(State.PROPOSED)
    made.close()
    path.chmod(0o666 if locked == "folder" else 0o444)
    path.parent.chmod(0o777 if locked == "file" else 0o555)
    before = path.read_bytes()
    told, fault = child(AS_NOBODY, sqlite_url(path)).communicate()
    assert fault == ""
    assert told.count("\n") == 1
    assert told.strip().endswith(".")
    assert path.read_bytes() == before


CREATE = """
import sys
import alembic.command, models.database.migrate
from models.database.store import Store
print("ready", flush=True)
for url in sys.stdin:
    try:
        Store(url.strip(), create=True).close()
        print("made", flush=True)
    except Exception as fault:
        print(type(fault).__name__, str(fault).splitlines()[0], flush=True)
"""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.long
def test_four_processes_may_make_the_schema_at_once(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> None:
    sqlite_urls = [sqlite_url(tmp_path / f"{number}.db") for number in range(15)]
    urls = sqlite_urls if database == "sqlite" else [request.getfixturevalue("postgresql_url")]
    makers = [child(CREATE) for _ in range(4)]
    assert [maker.stdout.readline() for maker in makers] == ["ready\n"] * 4
    for url in urls:
        for maker in makers:
            maker.stdin.write(f"{url}\n")
            maker.stdin.flush()
        assert [maker.stdout.readline() for maker in makers] == ["made\n"] * 4
    assert [maker.communicate() for maker in makers] == [("", "")] * 4
