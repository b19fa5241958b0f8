"""Where alembic meets the database that `models.database.migrate.upgrade` hands over."""

from __future__ import annotations

from contextlib import suppress

from alembic import context
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from models.tables.dossier import partnerships

engine: Engine = context.config.attributes["engine"]
keep_copy = context.config.attributes["keep_copy"]

with engine.connect() as connection:
    # The engine is in autocommit (the ledger says BEGIN itself), so the whole migration is one explicit transaction.
    # Two processes may arrive together: the second waits here, and then finds nothing left to do.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "BEGIN")
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(6210)")
        if connection.dialect.has_table(connection, "journal"):  # readers go on; whoever writes waits for the new schema
            connection.exec_driver_sql("LOCK TABLE partnerships, journal IN EXCLUSIVE MODE")
    try:
        context.configure(connection=connection, target_metadata=partnerships.metadata, transactional_ddl=False)
        schema = context.get_context().get_current_revision()
        if schema is not None and schema != context.get_head_revision():
            keep_copy(schema)  # under the lock: nothing is written between the copy and the upgrade
        context.run_migrations()
    except BaseException:
        with suppress(SQLAlchemyError):  # after Ctrl-C the connection may be of no use; closing it takes everything back too
            connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")
