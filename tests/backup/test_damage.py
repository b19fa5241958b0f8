"""Whatever was done to the file of a backup, it is told in one sentence, and nothing that looks whole is left."""

from __future__ import annotations

import random
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from backups import LETTER, Place, consistent, members, packed, place, rewritten
from forging import entries_of, rechain
from witness import drop_triggers, sql

from flows.cli.screen import Page
from models.answers import Invalid
from models.backup.archive import opened
from models.backup.landing import unpack
from models.backup.manifest import MANIFEST, Manifest, read
from models.database.faults import Damaged, OtherSchema, Unreachable
from models.database.sqlite import Sqlite
from models.database.store import Store

assert place
pytestmark = pytest.mark.long

Content = dict[str, bytes]
NAME = f"mail/{LETTER}"


@pytest.fixture
def file(sqlite: Store, tmp_path: Path) -> Path:
    """A backup of a SQLite ledger."""
    return Place(sqlite, tmp_path, None).furnish().backup()


def found(file: Path, folder: Path) -> Content:
    """What is unpacked of a backup."""
    with opened(file) as reading:
        unpack(reading, folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(file: Path, folder: Path) -> str:
    """The one sentence that tells why a file is no backup to restore."""
    with pytest.raises((Damaged, Invalid)) as fault:
        found(file, folder)
    sentence = str(fault.value)
    assert sentence.count("\n") == 0
    assert sentence.endswith(".")
    return sentence


@pytest.mark.endurance
def test_a_backup_cut_short_anywhere_is_told(file: Path, tmp_path: Path) -> None:
    whole, cut = file.read_bytes(), tmp_path / "cut.zip"
    chance = random.Random(62)
    for size in {0, 1, 3, 4, 30, len(whole) - 1, len(whole) - 22, *(chance.randrange(len(whole)) for _ in range(150))}:
        cut.write_bytes(whole[:size])
        assert "est coupée ou abîmée" in told(cut, tmp_path / f"cut-{size}")


@pytest.mark.endurance
def test_a_byte_changed_anywhere_is_told_or_changes_nothing(file: Path, tmp_path: Path) -> None:
    """Every byte of what a ZIP says of itself, and many of what it holds: each is in a member, or tells nothing of one."""
    whole, changed, good = file.read_bytes(), tmp_path / "changed.zip", found(file, tmp_path / "good")
    chance, harmless = random.Random(62), 0
    directory = whole.index(b"PK\x01\x02")
    for at in {*range(60), *range(directory, len(whole)), *(chance.randrange(directory) for _ in range(300))}:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        changed.write_bytes(damaged)
        try:
            now = found(changed, tmp_path / f"at-{at}")
        except (Damaged, Invalid):
            continue
        assert now == good, at
        harmless += 1
    assert harmless < 300  # dates, versions and the like, which jalon does not read


def test_a_byte_changed_in_a_member_is_told_by_its_name(file: Path, tmp_path: Path) -> None:
    content = members(file)
    for name, data in content.items():
        damaged = bytearray(data)
        damaged[len(data) // 2] ^= 1
        sentence = told(packed(tmp_path / "changed.zip", {**content, name: bytes(damaged)}), tmp_path / name.replace("/", "-"))
        assert name in sentence


def without(content: Content) -> Content:
    return {name: data for name, data in content.items() if name != NAME}


def manifested(content: Content, change: Callable[[Manifest], Manifest | bytes]) -> Content:
    """The same files under a changed manifest."""
    changed = change(read(content[MANIFEST]))
    return {**content, MANIFEST: changed if isinstance(changed, bytes) else rewritten(changed, dict(changed.members))}


def renamed(content: Content, name: str) -> Content:
    """One letter under another name, which the manifest knows."""
    other = {name: b"x"} | without(content)
    manifest = read(content[MANIFEST])
    one = {name: (1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")}
    told = {key: member for key, member in manifest.members.items() if key != NAME} | one
    return {**other, MANIFEST: rewritten(manifest, told)}


def of_minus_one(told: Manifest) -> Manifest:
    return told._replace(contents=told.contents._replace(entries=-1))


def of_one_byte(told: Manifest) -> Manifest:
    return told._replace(members={**told.members, NAME: told.members[NAME]._replace(size=1)})


HARM: dict[str, tuple[Callable[[Content], Content], str]] = {
    "a member removed": (without, f"« {NAME} » y manque"),
    "a member added": (lambda all_: {"mail/more.eml": b"x", **all_}, "« mail/more.eml »"),
    "a member renamed": (lambda all_: {"mail/other.eml": all_[NAME], **without(all_)}, "« mail/other.eml »"),
    "no manifest": (lambda all_: {name: data for name, data in all_.items() if name != MANIFEST}, "manifest.json y manque"),
    "a manifest that is none": (lambda all_: manifested(all_, lambda _: b"[]"), "manifest.json ne se lit pas"),
    "a manifest spelt otherwise": (lambda all_: {**all_, MANIFEST: all_[MANIFEST] + b" "}, "n’est pas tel que jalon l’écrit"),
    "another format": (lambda all_: manifested(all_, lambda told: told._replace(format=2)), "d’un format que ce jalon ne connaît pas"),
    "a number that is none": (lambda all_: manifested(all_, of_minus_one), "n’est pas tel que jalon l’écrit"),
    "a size that is smaller": (lambda all_: manifested(all_, of_one_byte), NAME),
    "no ledger": (lambda all_: consistent({name: data for name, data in all_.items() if name != "ledger.sqlite"}), "manifest.json"),
}  # fmt: skip
ODD_NAMES = (
    "../out", "/etc/out", "mail/../../out", "mail//out", "mail/./out", "mail/", "mail\\out", "out", "ledger/../out.csv",
    "mail/\x1b[2J", "mail/" + "a" * 300, "codes.key", "jalon.db", "ledger/people.csv", "seals",
)  # fmt: skip


@pytest.mark.parametrize("harm", HARM)
def test_what_is_not_as_the_manifest_says_is_told_by_its_name(file: Path, tmp_path: Path, harm: str) -> None:
    change, sign = HARM[harm]
    assert sign in told(packed(tmp_path / "harmed.zip", change(members(file))), tmp_path / "out")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_would_lead_elsewhere_is_refused_even_if_the_manifest_knows_it(file: Path, tmp_path: Path, name: str) -> None:
    assert "un nom que jalon n’écrit jamais" in told(packed(tmp_path / "odd.zip", renamed(members(file), name)), tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("out*"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_told(file: Path, tmp_path: Path) -> None:
    twice = packed(tmp_path / "twice.zip", members(file))
    with zipfile.ZipFile(twice, "a") as archive:
        archive.writestr(NAME, b"other")
    assert f"« {NAME} » y est deux fois" in told(twice, tmp_path / "out")


@pytest.mark.parametrize("mode", [0o120777, 0o040755, 0o104755, 0o100644])
def test_a_link_a_folder_and_a_program_are_refused(file: Path, tmp_path: Path, mode: int) -> None:
    assert "n’est pas un simple fichier" in told(packed(tmp_path / "odd.zip", members(file), **{NAME: mode}), tmp_path / "out")


def test_a_bomb_is_never_unpacked_beyond_what_the_manifest_says(file: Path, tmp_path: Path) -> None:
    """Its own list says as little as the manifest, and a hundred times as much comes out."""
    content = members(file)
    bomb = bytearray(packed(tmp_path / "bomb.zip", {**content, NAME: b"\0" * 10_000_000}).read_bytes())
    size = (10_000_000).to_bytes(4, "little")
    while size in bomb:
        bomb[bomb.index(size) : bomb.index(size) + 4] = len(content[NAME]).to_bytes(4, "little")
    (tmp_path / "bomb.zip").write_bytes(bomb)
    assert NAME in told(tmp_path / "bomb.zip", tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out" / "mail").iterdir()) < 100


def test_what_is_no_backup_is_badly_asked(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("Bonjour")
    with pytest.raises(Invalid, match="n’est pas une sauvegarde de jalon"), opened(tmp_path / "text"):
        pass
    for absent in (tmp_path / "absent", tmp_path):
        with pytest.raises(Invalid, match="ne se lit pas"), opened(absent):
            pass


def test_a_backup_of_a_later_jalon_is_refused_in_words(place: Place) -> None:
    later = manifested(members(place.backup()), lambda told: told._replace(schema="9999"))
    with pytest.raises(OtherSchema, match="plus récent"):
        place.restore(packed(place.folder / "later.zip", later))


def faulty(place: Place, **how: bool) -> Page:
    page = place.restore(place.backup(), **how)
    assert page.code == 3
    return page


def test_a_broken_chain_under_right_hashes_is_not_put_into_place(place: Place) -> None:
    drop_triggers(place.store)
    sql(place.store, "UPDATE journal SET entry = replace(entry, 'ESSAI', 'ISSAE') WHERE n = 2")
    page = faulty(place)
    assert "ESSAI-1 : Entrée 2 du journal : son empreinte ne correspond pas à son contenu" in "\n".join(page.lines)
    assert not (place.folder / "new").exists()
    with pytest.raises(Unreachable):
        place.restored()


def test_a_history_written_anew_is_told_by_the_seal_beside_it(place: Place) -> None:
    drop_triggers(place.store)
    entries = entries_of(place.store)
    rechain(place.store, [*entries[:-1], {**entries[-1], "actor": "Quelqu’un"}])
    assert "ne s’accorde pas avec le journal : ESSAI-1" in "\n".join(faulty(place).lines)


def test_entries_cut_from_the_end_are_told_by_the_seal_beside_it(place: Place) -> None:
    drop_triggers(place.store)
    rechain(place.store, entries_of(place.store)[:-1])
    assert "ne s’accorde pas avec le journal : ESSAI-1" in "\n".join(faulty(place).lines)


def test_a_role_given_behind_the_register_is_told(place: Place) -> None:
    sql(place.store, "INSERT INTO people_roles (person_id, role, since) VALUES (1, 'public_accountant', '')")
    assert "Registre des personnes" in "\n".join(faulty(place).lines)


def test_somebody_may_put_into_place_what_does_not_hold_and_is_told_so(place: Place) -> None:
    """It may be all that is left."""
    drop_triggers(place.store)
    sql(place.store, "UPDATE partnerships SET state = 'paid'")
    page = faulty(place, despite=True)
    assert "des preuves ne tiennent pas" in page.lines[0]
    if not isinstance(place.store.dialect, Sqlite):
        store = place.restored()
        assert sql(store, "SELECT state FROM partnerships") == [("paid",)]
        store.close()


def test_a_document_that_is_no_longer_its_own_is_told(place: Place) -> None:
    next((place.settings.home / "documents").iterdir()).write_bytes(b"bar")
    assert "n’est plus celui dont il porte l’empreinte" in "\n".join(faulty(place).lines)


def test_a_seal_that_is_none_is_told(place: Place) -> None:
    (place.settings.home / "seals" / "2026-11-24.json").write_text("{}")
    assert "ne se lit pas" in "\n".join(faulty(place).lines)


def test_a_trigger_that_jalon_has_not_made_is_told(sqlite: Store, tmp_path: Path) -> None:
    """It would act when every proof has long held."""
    place = Place(sqlite, tmp_path, None).furnish()
    sql(sqlite, "CREATE TRIGGER later AFTER INSERT ON journal BEGIN UPDATE invoices SET amount_cents = 1; END")
    assert "n’est pas faite comme jalon la fait : later" in "\n".join(faulty(place).lines)


def test_a_ledger_that_is_no_database_is_told(file: Path, tmp_path: Path, sqlite: Store) -> None:
    odd = packed(tmp_path / "odd.zip", consistent({**members(file), "ledger.sqlite": b"SQLite format 3\0" + b"x" * 5000}))
    page = Place(sqlite, tmp_path, None).restore(odd)
    assert (page.code, page.lines[1]) == (3, "  - La base de la sauvegarde n’est pas une base SQLite lisible.")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE t (a)")
    other_one = packed(tmp_path / "other.zip", consistent({**members(file), "ledger.sqlite": (tmp_path / "other.db").read_bytes()}))
    assert Place(sqlite, tmp_path, None).restore(other_one).code == 3


def test_rows_that_no_jalon_wrote_are_told_on_postgresql(distant: Store, tmp_path: Path, new_postgresql: Callable[[], str]) -> None:
    place = Place(distant, tmp_path, new_postgresql).furnish()
    content = members(place.backup())
    for name, change in {
        "ledger/journal.csv": lambda data: data.replace(b"\n1,1,1,", b"\n1,77,1,"),
        "ledger/people.csv": lambda data: data.replace(b"present", b"absent!"),
        "ledger/outbox.csv": lambda data: data + b"a,b\n",
        "ledger/acts.csv": lambda data: b"partnership_id," + data,
    }.items():
        changed = change(content[name])
        assert changed != content[name], name
        page = place.restore(packed(tmp_path / "odd.zip", consistent({**content, name: changed})))
        assert page.code == 3, name
        assert name.split("/")[1].split(".")[0] in page.lines[1]
        with pytest.raises(Unreachable, match="La base est vide"):
            place.restored()
    page = place.restore(
        packed(tmp_path / "odd.zip", consistent({name: data for name, data in content.items() if name != "ledger/acts.csv"}))
    )
    assert "« acts » manque" in page.lines[1]
