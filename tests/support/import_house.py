"""A home where `jalon import trainees` is given as a person gives it: the lines of its sheets, and what they leave behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from enlisting import enlist
from sheet_files import HEADERS, as_csv
from terminal import PAST, REFERENCE, Said
from walks import Walk
from witness import dump, journal, sql

from flows.cli.command import run
from models.database.store import Store, sqlite_url
from states.vocabulary import Role

BORN, RETAINED = date(1987, 3, 12), date(2024, 12, 15)
TOMORROW = datetime.now(UTC).date() + timedelta(days=2)
PERSON = "cette personne est déjà retenue dans ce dossier"


def line(number: int = 1, **values: Any) -> list[Any]:
    """One line of a sheet, right unless told otherwise by its headers."""
    right = [f"Lefèvre{number}", "Zoé-Anaïs", BORN, number, "FI", "Béthune", None, "62400", RETAINED, None]
    return [*(dict(zip(HEADERS, right, strict=True)) | values).values()]


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with everybody at the register and an approved dossier."""
    path = tmp_path_factory.mktemp("approved") / "jalon.db"
    store = Store(sqlite_url(path), create=True)
    approve(store)
    store.close()
    return path


def approve(store: Store) -> Walk:
    walk, at = Walk(store), datetime.now(UTC)
    enlist(store, "Thelma", "thelma@essai.example", [Role.TRAINING_OFFICER])
    walk.do("open", at=at, **PAST["open"])
    walk.do("approve", at=at, **PAST["approve"])
    return walk


class House:
    """The command line on a home of its own."""

    def __init__(self, home: Path, read: Callable[[], tuple[str, str]], url: str) -> None:
        self.home, self._read, self.url = home, read, url
        self.files = home.parent / "files"
        self.files.mkdir()

    def run(self, *words: str | Path) -> Said:
        code = run([str(word) for word in words])
        said = Said(code, *self._read())
        assert "Traceback" not in said.err
        return said

    def file(self, content: bytes, suffix: str = ".csv") -> Path:
        path = self.files / f"{len([*self.files.iterdir()])}{suffix}"
        path.write_bytes(content)
        return path

    def sheet(self, *lines: list[Any]) -> Path:
        return self.file(as_csv(";", "utf-8")([HEADERS, *lines]))

    def take(self, path: Path, *words: str, by: str = "Tania") -> Said:
        return self.run("import", "trainees", REFERENCE, path, "--as", by, *words)

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = Store(self.url)
        try:
            yield store
        finally:
            store.close()

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.store() as store:
            return dump(store)

    def entries(self) -> list[tuple[Any, ...]]:
        with self.store() as store:
            return journal(store, REFERENCE)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        before = self.rows()
        yield
        assert self.rows() == before

    def trainees(self) -> list[tuple[Any, ...]]:
        with self.store() as store:
            return sql(store, "SELECT number, rank, fee_regime, insee, retained_on FROM trainees ORDER BY number")


@pytest.fixture
def house(approved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A home on SQLite, with an approved dossier."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("JALON_HOME", str(home))
    monkeypatch.delenv("JALON_DATABASE_URL", raising=False)
    shutil.copy(approved, home)
    return House(home, capsys.readouterr, sqlite_url(home / "jalon.db"))
