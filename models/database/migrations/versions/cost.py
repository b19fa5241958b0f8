"""Cost does not grow with the house: each question has its index, the dashboard its counters, and a late attempt knows who won.

And the database learns the words that it takes, states and roles: a new one needs no migration any more.
"""

import re

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

STATES = (
    "proposed", "approved", "signed", "acted", "in_training", "trained", "invoiced", "settled", "ordered", "paid", "closed", "rejected",
    "terminated", "invoice_suspended",
)  # fmt: skip
ROLES = (
    "training_officer", "board_secretary", "finance_officer", "authorising_officer", "public_accountant", "university_referent", "operator",
    "auditor",
)  # fmt: skip
ENGAGING = ("signed", "acted", "in_training", "trained", "invoiced", "invoice_suspended", "settled", "ordered")
NEW_COLUMNS = (
    "last_change INTEGER NOT NULL DEFAULT 0", "last_move INTEGER NOT NULL DEFAULT 0", "behind INTEGER NOT NULL DEFAULT 1", "due_on TEXT",
    "engaged_cents BIGINT NOT NULL DEFAULT 0", "ordered_cents BIGINT NOT NULL DEFAULT 0", "paid_cents BIGINT NOT NULL DEFAULT 0",
)  # fmt: skip
NEW_CHECKS = {
    "ck_partnerships_behind_is_a_truth": "behind IN (0, 1)",
    "ck_partnerships_due_on_is_a_day": "due_on LIKE '____-__-__'",
    "ck_partnerships_engaged_cents_is_not_negative": "engaged_cents >= 0",
    "ck_partnerships_ordered_cents_is_not_negative": "ordered_cents >= 0",
    "ck_partnerships_paid_cents_is_not_negative": "paid_cents >= 0",
}
WAITING = "sent_at IS NULL AND dead_at IS NULL"
INDEXES = {  # name: table, columns, where
    "ix_partnerships_state": ("partnerships", ("state", "reference"), None),
    "ix_partnerships_behind": ("partnerships", ("reference",), "behind = 1"),
    "ix_findings_dossier": ("findings", ("partnership_id", "id"), None),
    "ix_outbox_waiting": ("outbox", ("due_at", "id"), WAITING),
    "ix_outbox_follows": ("outbox", ("partnership_id", "due_at", "id"), WAITING),
    "ix_outbox_lease": ("outbox", ("lease",), "lease IS NOT NULL"),
    "ix_outbox_held": ("outbox", ("id",), f"{WAITING} AND fault IS NOT NULL"),
    "ix_outbox_dead": ("outbox", ("id",), "dead_at IS NOT NULL"),
    "ix_outlooks_due": ("outlooks", ("due_on", "partnership_id"), "due_on IS NOT NULL"),
    "ix_marks_done": ("marks", ("done_at",), "key <> ''"),
    "ix_people_name": ("people", ("name",), None),
    "ix_people_refused": ("people", ("code_failures",), "code_failures > 0"),
    "ix_people_roles_role": ("people_roles", ("role",), None),
}
REPLACED = ("ix_partnerships_state", "ix_outbox_waiting", "ix_outlooks_due", "ix_outlooks_state")
COUNTED = ("state", "due_on", "engaged_cents", "ordered_cents", "paid_cents")
TOLD = {"partnerships": ("state", "state"), "people_roles": ("role", "role")}  # table: column, kind of word
COME = "INSERT INTO tallies (state, due_on, loose, dossiers, engaged_cents, ordered_cents, paid_cents) VALUES (NEW.state, NEW.due_on, 1, 1, NEW.engaged_cents, NEW.ordered_cents, NEW.paid_cents);"
GONE = "INSERT INTO tallies (state, due_on, loose, dossiers, engaged_cents, ordered_cents, paid_cents) VALUES (OLD.state, OLD.due_on, 1, -1, -OLD.engaged_cents, -OLD.ordered_cents, -OLD.paid_cents);"


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    last = _last_entries(connection)  # before anything is locked against readers: it takes as long as to read every journal
    _add_columns(connection, sqlite=sqlite)
    _create_tables(connection)
    _fill(connection, last)
    for name in REPLACED:
        op.drop_index(name)
    for name, (table, columns, where) in INDEXES.items():
        condition = {f"{dialect}_where": sa.text(where) for dialect in ("sqlite", "postgresql") if where}
        op.create_index(name, table, list(columns), **condition)
    for statement in _sqlite_triggers() if sqlite else _postgresql_triggers():
        connection.exec_driver_sql(statement)


def _last_entries(connection):
    """For each dossier, the numbers of the entry that changed it last and of the one that last moved it; 0 where none can be read."""
    found = []
    for (id_,) in connection.exec_driver_sql("SELECT id FROM partnerships").fetchall():
        change = move = 0
        rows = connection.execute(sa.text("SELECT n, entry FROM journal WHERE partnership_id = :id ORDER BY n DESC"), {"id": id_})
        for n, entry in rows:
            told = _parsed(entry)
            if told.get("outcome") == "done":
                change = change or n
                move = n if told.get("from") != told.get("to") else 0
            if move:
                break
        rows.close()
        found.append({"id": id_, "change": change, "move": move})
    return found


def _parsed(entry):
    try:
        told = orjson.loads(entry)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _add_columns(connection, *, sqlite):
    for column in NEW_COLUMNS:
        connection.exec_driver_sql(f"ALTER TABLE partnerships ADD COLUMN {column.replace('BIGINT', 'INTEGER') if sqlite else column}")
    checks = [f"CONSTRAINT {name} CHECK ({demand})" for name, demand in NEW_CHECKS.items()]
    if sqlite:
        _rewrite(connection, "partnerships", "ck_partnerships_state", [f"{check}, \n\t" for check in checks])
        _rewrite(connection, "people_roles", "ck_people_roles_role", [])
        return
    connection.exec_driver_sql("ALTER TABLE partnerships DROP CONSTRAINT ck_partnerships_state")
    for check in checks:
        connection.exec_driver_sql(f"ALTER TABLE partnerships ADD {check}")
    connection.exec_driver_sql("ALTER TABLE people_roles DROP CONSTRAINT ck_people_roles_role")


def _rewrite(connection, table, gone, checks):
    """Put checks in the place of one: SQLite keeps them in the text of the table (https://sqlite.org/lang_altertable.html, part 8)."""
    (text,) = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).one()
    rewritten, times = re.subn(rf"CONSTRAINT {gone} CHECK \(\w+ IN \([^)]*\)\), \s*", lambda _: "".join(checks), text)
    assert times == 1, f"{gone} stands once in the text of {table}"
    (version,) = connection.exec_driver_sql("PRAGMA schema_version").one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (rewritten, table))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")


def _create_tables(connection):
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "vocabulary",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "word", name="pk_vocabulary"),
        sqlite_strict=True,
    )
    op.create_table(
        "tallies",
        sa.Column("id", big, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=True),
        sa.Column("loose", sa.Integer(), nullable=False),
        sa.Column("dossiers", sa.Integer(), nullable=False),
        sa.Column("engaged_cents", big, nullable=False),
        sa.Column("ordered_cents", big, nullable=False),
        sa.Column("paid_cents", big, nullable=False),
        sa.CheckConstraint("due_on LIKE '____-__-__'", name="ck_tallies_due_on_is_a_day"),
        sa.CheckConstraint("loose IN (0, 1)", name="ck_tallies_loose_is_a_truth"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    words = [{"kind": "state", "word": word} for word in STATES] + [{"kind": "role", "word": word} for word in ROLES]
    connection.execute(sa.text("INSERT INTO vocabulary (kind, word) VALUES (:kind, :word)"), words)


def _fill(connection, last):
    """What the database holds already: the money from the facts, the deadlines from the lines of the board where they are up to date."""
    if last:
        connection.execute(sa.text("UPDATE partnerships SET last_change = :change, last_move = :move WHERE id = :id"), last)
    for column in ("ordered_cents", "paid_cents"):
        connection.exec_driver_sql(
            f"UPDATE partnerships SET {column} = "  # noqa: S608 - names of ours, here and below
            f"(SELECT coalesce(sum({column}), 0) FROM settlements WHERE partnership_id = partnerships.id)"
        )
    engaging = ", ".join(f"'{state}'" for state in ENGAGING)
    connection.exec_driver_sql(
        "UPDATE partnerships SET engaged_cents = coalesce((SELECT rate_cents * cap FROM terms "  # noqa: S608
        f"WHERE partnership_id = partnerships.id ORDER BY number DESC LIMIT 1), 0) WHERE state IN ({engaging})"
    )
    connection.exec_driver_sql(
        "UPDATE partnerships SET behind = 0, due_on = (SELECT due_on FROM outlooks WHERE partnership_id = partnerships.id) WHERE EXISTS "
        "(SELECT 1 FROM outlooks WHERE partnership_id = partnerships.id AND outlooks.version >= partnerships.version)"
    )
    connection.exec_driver_sql(
        "INSERT INTO tallies (state, due_on, loose, dossiers, engaged_cents, ordered_cents, paid_cents) "
        "SELECT state, due_on, 0, count(*), sum(engaged_cents), sum(ordered_cents), sum(paid_cents) FROM partnerships GROUP BY state, due_on"
    )


def _sqlite_triggers():
    for table, (column, kind) in TOLD.items():
        unknown = f"NOT EXISTS (SELECT 1 FROM vocabulary WHERE kind = '{kind}' AND word = NEW.{column})"  # noqa: S608
        refused = f"BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: ck_{table}_{column}'); END"
        yield f"CREATE TRIGGER {table}_{column}_is_known BEFORE INSERT ON {table} WHEN {unknown} {refused}"
        yield f"""CREATE TRIGGER {table}_{column}_stays_known BEFORE UPDATE OF {column} ON {table}
        WHEN OLD.{column} IS NOT NEW.{column} AND {unknown} {refused}"""
    differs = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in COUNTED)
    yield f"CREATE TRIGGER partnerships_that_come_are_counted AFTER INSERT ON partnerships BEGIN {COME} END"
    yield f"CREATE TRIGGER partnerships_that_go_are_counted AFTER DELETE ON partnerships BEGIN {GONE} END"
    yield f"""CREATE TRIGGER partnerships_that_move_are_counted AFTER UPDATE OF {", ".join(COUNTED)} ON partnerships WHEN {differs}
    BEGIN {GONE} {COME} END"""


def _postgresql_triggers():
    for table, (column, kind) in TOLD.items():
        name = f"{table}_{column}_is_known"
        unknown = f"NOT EXISTS (SELECT 1 FROM vocabulary WHERE kind = '{kind}' AND word = NEW.{column})"  # noqa: S608
        refused = f"RAISE EXCEPTION 'not a {kind}' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_{table}_{column}'"
        yield f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF {unknown} THEN {refused}; END IF; RETURN NEW; END $$"""
        yield f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        yield f"""CREATE TRIGGER {table}_{column}_stays_known BEFORE UPDATE OF {column} ON {table} FOR EACH ROW
        WHEN (OLD.{column} IS DISTINCT FROM NEW.{column}) EXECUTE FUNCTION {name}()"""
    yield f"""CREATE FUNCTION partnerships_are_counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP <> 'INSERT' THEN {GONE} END IF; IF TG_OP <> 'DELETE' THEN {COME} END IF; RETURN NULL; END $$"""
    yield """CREATE TRIGGER partnerships_that_come_or_go_are_counted AFTER INSERT OR DELETE ON partnerships FOR EACH ROW
    EXECUTE FUNCTION partnerships_are_counted()"""
    old, new = (", ".join(f"{row}.{name}" for name in COUNTED) for row in ("OLD", "NEW"))
    yield f"""CREATE TRIGGER partnerships_that_move_are_counted AFTER UPDATE OF {", ".join(COUNTED)} ON partnerships FOR EACH ROW
    WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION partnerships_are_counted()"""
