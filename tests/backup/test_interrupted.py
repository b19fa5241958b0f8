"""Killed, or out of room: one sentence, and nothing that looks whole; what was left goes with the next attempt."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from backups import Place, address, place
from offices import CLEAN, COMMAND
from walks import Walk
from witness import child, sql

from flows.ports import workplaces
from models.database.faults import Unreachable
from models.database.sqlite import Sqlite
from models.database.store import Store

assert place
pytestmark = pytest.mark.long

# Restores a backup, and dies where the third argument says.
RESTORE = """
import os, signal, sys
from flows.cli import restoring
from flows.settings import settings
from models.backup import landing
from models.database import postgresql_snapshots

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

file, into, where = sys.argv[1:]
owner, name = {
    "unpacked": (landing, "Store"), "made": (landing, "contents_of"), "half filled": (postgresql_snapshots, "_fill_table"),
    "proved": (restoring, "_put"), "publishing": (postgresql_snapshots, "_publish"), "in place": (restoring, "keep"),
}[where]
setattr(owner, name, die)
restoring.restored(settings(), restoring.Wanted(file, into, (), None, False))
"""
BACKUP = """
import os, signal, sys
from flows.cli import saving
from flows.settings import settings
from models.backup import archive

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(*{"begun": (archive.Writing, "finish"), "written": (saving, "_put")}[sys.argv[2]], die)
saving.saved(settings(), sys.argv[1])
"""


def killed(code: str, *arguments: str, **environment: str) -> None:
    with child(code, *arguments, **environment) as process:
        _, told = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, told


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody left is swept up at once."""
    monkeypatch.setattr(workplaces, "YOUNG", -1)


@pytest.mark.endurance
@pytest.mark.parametrize("where", ["unpacked", "half filled", "made", "proved"])
def test_a_restore_that_is_killed_leaves_nothing_that_looks_whole(place: Place, where: str, old: None) -> None:
    if where == "half filled" and isinstance(place.store.dialect, Sqlite):
        where = "unpacked"  # there is nothing to fill
    file = place.backup()
    url = "" if place._new is None else place._new()
    killed(RESTORE, str(file), str(place.folder / "new"), where, JALON_HOME=str(place.folder / "elsewhere"), JALON_DATABASE_URL=url)
    assert not (place.folder / "new").exists()
    if url:
        with pytest.raises(Unreachable, match="La base est vide"):
            Store(url)
        place._new = lambda: url  # the next attempt goes to the same place
    assert [path for path in place.folder.iterdir() if path.name.endswith(".part")] != []
    assert place.restore(file).code == 0
    assert [path for path in place.folder.iterdir() if path.name.endswith(".part")] == []
    store = place.restored()
    assert sql(store, "SELECT count(*) FROM journal") == [(4,)]
    store.close()


def test_a_restore_that_is_killed_before_its_last_moment_leaves_an_empty_postgresql(
    distant: Store, tmp_path: Path, postgresql_url: str
) -> None:
    """The folder is in its place already, and opens nothing."""
    place = Place(distant, tmp_path, lambda: postgresql_url).furnish()
    killed(RESTORE, str(place.backup()), str(tmp_path / "new"), "publishing", JALON_HOME=str(tmp_path), JALON_DATABASE_URL=postgresql_url)
    with pytest.raises(Unreachable, match="La base est vide"):
        Store(postgresql_url)


def test_a_restore_that_is_killed_once_it_is_in_place_has_done_all_of_it(place: Place) -> None:
    file = place.backup()
    url = "" if place._new is None else place._new()
    killed(RESTORE, str(file), str(place.folder / "new"), "in place", JALON_HOME=str(place.folder / "elsewhere"), JALON_DATABASE_URL=url)
    store = Store(url or f"sqlite:///{place.folder / 'new' / 'jalon.db'}")
    assert Walk(store).do("sign").n == 5
    store.close()


@pytest.mark.parametrize("where", ["begun", "written"])
def test_a_backup_that_is_killed_leaves_no_file_of_its_name(place: Place, where: str, old: None) -> None:
    file = place.folder / "jalon.zip"
    killed(BACKUP, str(file), where, JALON_HOME=str(place.settings.home), JALON_DATABASE_URL=address(place.store))
    assert not file.exists()
    place.backup()
    assert [path for path in place.folder.iterdir() if path.name.endswith(".part")] == []


LIMITED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
os.execv({COMMAND[0]!r}, {COMMAND!r} + sys.argv[2:])
"""


def limited(size: int, place: Place, *words: str, **environment: str) -> tuple[int, str]:
    """How a command ends in a process that cannot write a bigger file."""
    given = {**{name: value for name, value in CLEAN.items() if name != "PYTHONPATH"}, **environment}
    with child(LIMITED, str(size), *words, **given) as process:
        said, told = process.communicate(timeout=120)
    return process.returncode, said + told


@pytest.mark.parametrize("size", [4096, 100_000])
def test_a_disk_without_room_is_one_sentence_and_leaves_no_file(place: Place, size: int) -> None:
    for number in range(40):
        (place.settings.home / "mail" / f"{number}.eml").write_bytes(os.urandom(5000))
    code, said = limited(
        size,
        place,
        "backup",
        "-o",
        str(place.folder / "full.zip"),
        JALON_HOME=str(place.settings.home),
        JALON_DATABASE_URL=address(place.store),
    )
    assert (code, said.count("\n")) == (5, 1), said
    assert sorted(path.name for path in place.folder.iterdir() if not path.name.startswith("jalon.db")) == ["home"]


def test_a_disk_without_room_for_a_restore_is_one_sentence_and_leaves_no_folder(place: Place) -> None:
    file, url = place.backup(), "" if place._new is None else place._new()
    (place.folder / "elsewhere").mkdir()
    code, said = limited(
        2000,
        place,
        "restore",
        str(file),
        "--into",
        str(place.folder / "new"),
        JALON_HOME=str(place.folder / "elsewhere"),
        JALON_DATABASE_URL=url,
    )
    assert (code, said.count("\n")) == (5, 1), said
    assert not (place.folder / "new").exists()
    assert [path for path in place.folder.iterdir() if path.name.endswith(".part")] == []


def test_room_is_looked_for_first(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place.backup()
    monkeypatch.setattr(workplaces.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(Unreachable, match="La place manque"):
        place.try_backup("other.zip")
    with pytest.raises(Unreachable, match="La place manque"):
        place.restore(file)
    assert not (place.folder / "new").exists()


def test_a_folder_that_takes_no_file_is_one_sentence(place: Place) -> None:
    code, said = limited(
        10**9, place, "backup", "-o", "/proc/jalon.zip", JALON_HOME=str(place.settings.home), JALON_DATABASE_URL=address(place.store)
    )
    assert (code, said.count("\n")) == (5, 1), said


def test_the_command_line_says_it_all_in_json_too(place: Place) -> None:
    environment = {"JALON_HOME": str(place.settings.home), "JALON_DATABASE_URL": address(place.store)}
    file, into = place.folder / "jalon.zip", place.folder / "new"
    code, said = limited(10**9, place, "backup", "-o", str(file), "--json", **environment)
    assert code == 0, said
    digest = json.loads(said)["backup"]["digest"]
    url = "" if place._new is None else place._new()
    elsewhere = {"JALON_HOME": str(place.folder / "elsewhere"), "JALON_DATABASE_URL": url}
    for words, expected in (
        ((str(file), "--into", str(place.folder)), 2),
        ((str(file),), 2),
        ((str(file), "--into", str(into), "--digest", "0"), 3),
    ):
        code, said = limited(10**9, place, "restore", *words, "--json", **elsewhere)
        assert code == expected, said
        assert json.loads(said).keys() <= {"invalid", "refused"}
    code, said = limited(10**9, place, "restore", str(file), "--into", str(into), "--digest", digest, "--json", **elsewhere)
    assert code == 0, said
    assert json.loads(said)["restored"]["digest"] == digest
