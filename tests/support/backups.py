"""A home on a database of a test, its backups, and the places where they are restored."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from walks import Walk

from flows.cli.restoring import Wanted, restored
from flows.cli.saving import saved
from flows.cli.screen import Page
from flows.home import close_all
from flows.settings import settings
from models.backup.manifest import MANIFEST, Manifest, Member, read, written
from models.database.sqlite import Sqlite
from models.database.store import Store, sqlite_url
from models.verify.proof import Verifier
from states.vocabulary import State

SEAL = "2026-11-23.json"
LETTER = "ESSAI-1:2:auditor.0a1b2c3d.eml"
DOCUMENT = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"  # of « foo »


class Place:
    """A home with a dossier, a seal, a letter and a document; where its backups go, and empty places to restore them to."""

    def __init__(self, store: Store, folder: Path, new_postgresql: Callable[[], str] | None) -> None:
        self.store, self.folder, self._new = store, folder, new_postgresql
        self.settings = settings({"JALON_HOME": str(folder / "home"), "JALON_DATABASE_URL": address(store)})
        self.target = self.settings  # of the last restore

    def furnish(self) -> Place:
        Walk(self.store).until(State.APPROVED)
        for name, content in (
            ("seals/" + SEAL, self.seal("2026-11-23")),
            ("mail/" + LETTER, b"Bonjour"),
            (f"documents/{DOCUMENT}", b"foo"),
        ):
            path = self.settings.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self

    def seal(self, day: str) -> bytes:
        """What a night would seal now."""
        heads = [{"reference": one.reference, "entries": one.entries, "head": one.head} for one in Verifier(self.store).verify_all()]
        return json.dumps({"day": day, "heads": heads}).encode()

    def backup(self, name: str = "jalon.zip") -> Path:
        self.said = self.try_backup(name)
        assert self.said.code == 0
        return self.folder / name

    def try_backup(self, name: str) -> Page:
        try:
            return saved(self.settings, str(self.folder / name))
        finally:
            close_all()

    def restore(
        self, file: Path, into: str = "new", *, seals: tuple[Path, ...] = (), digest: str | None = None, despite: bool = False
    ) -> Page:
        """Restore into an empty place; `target` is then where."""
        given = {"JALON_HOME": str(self.folder / "home")}
        if self._new is not None:
            given["JALON_DATABASE_URL"] = self._new()
        self.target = settings(given)
        return restored(self.target, Wanted(str(file), str(self.folder / into), tuple(map(str, seals)), digest, despite))

    def try_restore(self, name: str) -> Page:
        """Take a backup and restore it."""
        return self.restore(self.backup(name))

    def restored(self, into: str = "new") -> Store:
        """The database of the last restore."""
        return Store(sqlite_url(self.folder / into / "jalon.db") if self._new is None else self.target.database_url)


def address(store: Store) -> str:
    return store.url.render_as_string(hide_password=False)


@pytest.fixture
def place(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    new = None if isinstance(store.dialect, Sqlite) else request.getfixturevalue("new_postgresql")
    return Place(store, tmp_path, new).furnish()


def members(file: Path) -> dict[str, bytes]:
    """Every file of a backup, the manifest last."""
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(file: Path, content: dict[str, bytes], **changes: Any) -> Path:
    """A backup of these files, with `changes` of what jalon would say of each member (`mode`), and the manifest as it stands in them."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            info = zipfile.ZipInfo(name)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            info.external_attr = changes.get(name, 0o100600) << 16
            archive.writestr(info, data)
    return file


def consistent(content: dict[str, bytes]) -> dict[str, bytes]:
    """The same files, with a manifest that says what they are: as somebody would forge it."""
    manifest = read(content[MANIFEST])
    told = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in content.items() if name != MANIFEST}
    return {**{name: data for name, data in content.items() if name != MANIFEST}, MANIFEST: rewritten(manifest, told)}


def rewritten(manifest: Manifest, members: dict[str, Any]) -> bytes:
    return written(manifest._replace(members={name: Member(*told) for name, told in members.items()}))
