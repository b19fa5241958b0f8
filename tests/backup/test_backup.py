"""A backup is taken while others write, and what is restored from it is one moment of the ledger, whole."""

from __future__ import annotations

import asyncio
import itertools
import re
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Self

import pytest
from backups import DOCUMENT, LETTER, SEAL, Place, address, members, place
from breaking import invoice_of
from enlisting import KEY
from lending import administrator, new_database
from walks import SECRETS, WAYS, Walk
from witness import dump, sql

from flows.cli.doctor import _backup
from flows.cli.saving import saved
from flows.home import Home, close_all
from flows.mail.courier import deliver_all
from flows.ports.clock import now
from flows.review import Checked, check
from flows.settings import settings
from models.answers import Done, Invalid
from models.database.store import Store
from models.verify.proof import Verifier
from states.vocabulary import State

assert place
pytestmark = pytest.mark.long


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row, but for what remembers the backup itself."""
    return {name: found for name, found in dump(store).items() if name != "marks"}


def test_what_is_restored_is_what_was_there(place: Place) -> None:
    page = place.restore(place.backup())
    assert page.code == 0, page.lines
    store = place.restored()
    assert rows(store) == rows(place.store)
    assert {fault for one in Verifier(store).verify_all() for fault in one.faults} == set()
    for name in (f"seals/{SEAL}", f"mail/{LETTER}", f"documents/{DOCUMENT}"):
        assert (place.folder / "new" / name).read_bytes() == (place.settings.home / name).read_bytes()
    assert isinstance(Walk(store).ask("sign"), Done)  # triggers, counters and sequences are there, and it goes on
    assert isinstance(Walk(store, "ESSAI-2").ask("open"), Done)
    with pytest.raises(Exception, match="append-only"):
        sql(store, "UPDATE journal SET entry = ''")
    store.close()


def test_it_says_what_it_holds_and_what_it_does_not(place: Place) -> None:
    page = place.restore(place.backup())
    assert place.said.json["backup"]["contents"] == page.json["restored"]["contents"]
    assert page.json["restored"]["contents"] | {"register_head": "", "until": ""} == {
        "dossiers": 1, "entries": 4, "register_entries": 8, "register_head": "", "until": "",
    }  # fmt: skip
    assert place.said.json["backup"]["digest"] == page.json["restored"]["digest"]
    said = "\n".join(place.said.lines)
    assert "1 dossier, 4 entrées du journal, jusqu’au 23/11/2026" in said
    assert "1 sceau, 1 courrier, 1 document" in said
    for told in ("Les noms des stagiaires et les adresses y sont en clair", "La clé des codes"):
        assert told in said
    assert "Remettez la clé des codes" in "\n".join(page.lines)
    assert "tout a été vérifié" in page.lines[0]


class Busy:
    """Two who write steps and one who delivers letters, each in a thread, until told to stop."""

    def __init__(self, place: Place) -> None:
        self.place, self.stop, self.faults = place, threading.Event(), []
        works = [partial(self._write, 0), partial(self._write, 1), self._deliver]
        self.threads = [threading.Thread(target=self._kept, args=(work,)) for work in works]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()
        close_all()
        assert self.faults == []

    def _kept(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - the test says so
            self.faults.append(fault)

    def _write(self, number: int) -> None:
        for turn in itertools.count():
            walk = Walk(self.place.store, f"FIL-{number}-{turn}")
            for trigger in WAYS[State.CLOSED]:
                if self.stop.is_set():
                    return
                walk.do(trigger, **invoice_of(walk, trigger))

    def _deliver(self) -> None:
        home = Home(self.place.settings)

        async def follow(reference: str, _: object) -> Checked:
            return check(home, reference)

        while not self.stop.is_set():
            asyncio.run(deliver_all(home, follow))


def test_a_backup_taken_while_others_write_is_one_moment_of_the_ledger(place: Place) -> None:
    """Each chain that is restored is the beginning of the one that went on, and every letter that was sent is there."""
    files = []
    with Busy(place) as busy:
        for number in range(3):
            busy.stop.wait(0.4)
            before = sql(place.store, "SELECT count(*) FROM journal")[0][0]
            page = saved(place.settings, str(place.folder / f"{number}.zip"))
            assert page.json["backup"]["contents"]["entries"] >= before
            files.append(place.folder / f"{number}.zip")
    ends = chains(place.store)
    assert len(ends) > 1
    for number, file in enumerate(files):
        page = place.restore(file, f"new-{number}")
        assert page.code == 0, page.lines
        store = place.restored(f"new-{number}")
        assert all(ends[reference][: len(chain)] == chain for reference, chain in chains(store).items())
        letters = [path.name for path in (place.folder / f"new-{number}" / "mail").iterdir()]
        sent = sql(store, "SELECT key FROM outbox WHERE kind = 'tell' AND sent_at IS NOT NULL")
        assert [key for (key,) in sent if not any(name.startswith(key) for name in letters)] == []
        store.close()


def chains(store: Store) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    question = "SELECT p.reference, j.digest FROM journal j JOIN partnerships p ON p.id = j.partnership_id ORDER BY p.id, j.n"
    for reference, digest in sql(store, question):
        found.setdefault(reference, []).append(digest)
    return found


def test_no_key_and_no_secret_is_in_it(place: Place) -> None:
    """Neither the key of the codes, nor a secret, nor an invitation, nor anything of Prefect."""
    home = place.settings.home
    (home / "codes.key").write_bytes(KEY)
    (home / "desk.json").write_text("password")
    (home / "prefect").mkdir()
    (home / "prefect" / "prefect.db").write_text("prefect")
    (home / "mail" / "invitation.3.0a1b2c3d.eml").write_text("ABCD-EFGH-JKLM")
    (home / "mail" / "half.part").write_text("half")
    (home / "mail" / "link.eml").symlink_to(home / "codes.key")
    found = members(place.backup())
    assert not [name for name in found if not re.fullmatch(r"ledger.*|seals/.*|documents/.*|mail/ESSAI.*|manifest\.json", name)]
    everything = b"".join(found.values())
    for secret in (KEY, b"ABCD-EFGH-JKLM", b"password", *(secret.encode() for secret in SECRETS.values())):
        assert secret not in everything


def test_a_key_in_a_folder_that_a_backup_takes_stops_it(sqlite: Store, tmp_path: Path) -> None:
    key = tmp_path / "home" / "documents" / "codes.key"
    given = settings({"JALON_HOME": str(tmp_path / "home"), "JALON_DATABASE_URL": address(sqlite), "JALON_CODES_KEY": str(key)})
    with pytest.raises(Invalid, match="mettez-la ailleurs"):
        saved(given, str(tmp_path / "jalon.zip"))


def test_what_was_erased_is_in_no_page_of_it(sqlite: Store, tmp_path: Path) -> None:
    """Neither is it where SQLite leaves it in the file itself, as most builds of it do."""
    place = Place(sqlite, tmp_path, None).furnish()
    with closing(sqlite3.connect(tmp_path / "jalon.db", isolation_level=None)) as database:
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("INSERT INTO marks (name, key, done_at, told) VALUES ('x', '', '', ?)", ("EFFACÉ" * 1000,))
        database.execute("DELETE FROM marks")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert "EFFACÉ".encode() in (tmp_path / "jalon.db").read_bytes()
    assert "EFFACÉ".encode() not in b"".join(members(place.backup()).values())


def test_only_its_owner_reads_it_and_what_is_restored(place: Place) -> None:
    file = place.backup()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    place.restore(file)
    for path in [place.folder / "new", *(place.folder / "new").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_nothing_else_is_left_beside_either(place: Place) -> None:
    place.restore(place.backup())
    assert sorted(path.name for path in place.folder.iterdir() if not path.name.startswith("jalon.db")) == ["home", "jalon.zip", "new"]
    assert sorted(path.name for path in (place.folder / "new").iterdir() if path.name != "jalon.db") == ["documents", "mail", "seals"]


def test_a_backup_never_takes_the_place_of_another_file(place: Place) -> None:
    file = place.backup()
    before = file.read_bytes()
    with pytest.raises(Invalid, match="existe déjà"):
        place.try_backup(file.name)
    with pytest.raises(Invalid, match="n’existe pas"):
        place.try_backup("nowhere/jalon.zip")
    assert file.read_bytes() == before


def test_a_restore_goes_to_an_empty_place_only(place: Place) -> None:
    file = place.backup()
    with pytest.raises(Invalid, match="n’est pas vide"):
        place.restore(file, "home")
    with pytest.raises(Invalid, match="n’est pas un dossier"):
        place.restore(file, file.name)
    (place.folder / "new").mkdir()
    assert place.restore(file).code == 0


def test_the_ledger_remembers_its_last_backup_and_doctor_warns_when_that_is_old(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(days: int, **environment: str) -> tuple[str, str]:
        monkeypatch.setattr("flows.cli.doctor.now", lambda: now() + timedelta(days=days))
        home = Home(settings({"JALON_HOME": str(place.settings.home), "JALON_DATABASE_URL": address(place.store), **environment}))
        found = _backup(home)
        close_all()
        return found.level, found.message

    assert seen(40)[0] == "warn"  # the dossier is of November 2026, and was never saved
    place.backup()
    level, told = seen(0)
    assert level == "ok"
    assert "1 dossier, 4 entrées du journal" in told
    assert seen(9)[0] == "warn"
    assert seen(9, JALON_BACKUP_DAYS="9")[0] == "ok"
    with pytest.raises(Invalid, match="JALON_BACKUP_DAYS"):
        settings({"JALON_BACKUP_DAYS": "bientôt"})


def test_the_digest_that_was_given_tells_another_backup(place: Place) -> None:
    file = place.backup()
    digest = place.said.json["backup"]["digest"]
    page = place.restore(file, digest="0" * 64)
    assert page.code == 3
    assert digest in page.lines[1]
    assert not (place.folder / "new").exists()
    assert place.restore(file, digest=digest).code == 0


def test_the_owner_of_a_postgresql_database_needs_no_other_right(postgresql: str, distant: Store, tmp_path: Path) -> None:
    """Neither to take a backup nor to restore one: no superuser is asked."""
    name = new_database(postgresql)
    with administrator(postgresql) as connection:
        connection.execute(f"CREATE ROLE plain_{name} LOGIN".encode())
        connection.execute(f"ALTER DATABASE {name} OWNER TO plain_{name}".encode())
    url = postgresql.format(database=name).replace("//postgres@", f"//plain_{name}@")
    assert Place(distant, tmp_path, lambda: url).furnish().try_restore("one.zip").code == 0
    store = Store(url)
    again = Place(store, tmp_path / "again", lambda: "")
    again.folder.mkdir()
    assert again.try_backup("two.zip").code == 0
    store.close()
