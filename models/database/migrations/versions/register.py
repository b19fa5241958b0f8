"""The register of people gets a journal of its own; secrets are sealed with a key outside the database; wrong codes have a source.

Who is in the register already is carried over as it stands: nobody knows any more who put them there.
"""

import hashlib

import orjson
import sqlalchemy as sa
from alembic import context, op

revision = "0006"
down_revision = "0005"

SQLITE_TRIGGERS = (
    """CREATE TRIGGER register_journal_is_never_updated BEFORE UPDATE ON register_journal
    BEGIN SELECT RAISE(ABORT, 'the register is append-only'); END""",
    """CREATE TRIGGER register_journal_is_never_deleted BEFORE DELETE ON register_journal
    BEGIN SELECT RAISE(ABORT, 'the register is append-only'); END""",
    """CREATE TRIGGER register_journal_is_never_replaced BEFORE INSERT ON register_journal
    WHEN EXISTS (SELECT 1 FROM register_journal WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: register_journal.id'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER register_journal_is_never_changed BEFORE UPDATE OR DELETE ON register_journal
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()""",
    """CREATE TRIGGER register_journal_is_never_emptied BEFORE TRUNCATE ON register_journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()""",
)


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    _create_tables()
    for column in ("standing TEXT NOT NULL DEFAULT 'present'", "code_failed_at TEXT"):
        check = " CONSTRAINT ck_people_standing CHECK (standing IN ('present', 'suspended', 'left'))" if "standing" in column else ""
        connection.exec_driver_sql(f"ALTER TABLE people ADD COLUMN {column}{check}")
    connection.exec_driver_sql("ALTER TABLE people_roles ADD COLUMN since TEXT NOT NULL DEFAULT ''")
    _carry_over(connection)
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        connection.exec_driver_sql(statement)


def _create_tables() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "register_journal",
        sa.Column("id", big, nullable=False, autoincrement=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("length(digest) = 64 AND id >= 1", name="ck_register_journal_digest"),
        sa.PrimaryKeyConstraint("id", name="pk_register_journal"),
        sqlite_strict=True,
    )
    op.create_table(
        "code_sources",
        sa.Column("id", big, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", name="uq_code_sources_source"),
        sqlite_strict=True,
    )


def _carry_over(connection) -> None:
    """One entry for each person; a secret that cannot be sealed is forgotten, and its owner invited again."""
    seal, at = context.config.attributes.get("seal"), context.config.attributes["at"]
    roles: dict[int, dict[str, str]] = {}
    for person_id, role in connection.exec_driver_sql("SELECT person_id, role FROM people_roles ORDER BY person_id, role").fetchall():
        roles.setdefault(person_id, {})[role] = ""
    before = "0" * 64
    people = connection.exec_driver_sql("SELECT id, name, folded, mail, secret FROM people ORDER BY id").fetchall()
    for n, (id_, name, folded, mail, secret) in enumerate(people, start=1):
        sealed = seal(folded, secret) if secret is not None and seal is not None else None
        fields = {
            "n": n, "prev": before, "deed": "carried", "person": name, "actor": "horloge", "via": "upgrade", "mail": mail,
            "recorded_at": f"{at.isoformat(timespec='microseconds')[:26]}Z", "roles": roles.get(id_, {}), "enrolled": sealed is not None,
        }  # fmt: skip
        entry = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
        before = hashlib.sha256(entry).hexdigest()
        row = {"id": n, "entry": entry.decode(), "digest": before}
        connection.execute(sa.text("INSERT INTO register_journal (id, entry, digest) VALUES (:id, :entry, :digest)"), row)
        connection.execute(sa.text("UPDATE people SET secret = :secret WHERE id = :id"), {"id": id_, "secret": sealed})
