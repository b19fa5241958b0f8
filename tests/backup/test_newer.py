"""An old backup is told by the seals of later nights, and a seal of another ledger is told as such."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from backups import SEAL, Place, place
from forging import entries_of, rechain
from walks import AT, Walk
from witness import drop_triggers

from models.answers import Invalid
from models.database.store import Store, sqlite_url

assert place
pytestmark = pytest.mark.long


def kept(place: Place, name: str, content: bytes) -> Path:
    """A seal that somebody has kept elsewhere."""
    (place.folder / name).write_bytes(content)
    return place.folder / name


def went_on(place: Place) -> None:
    """Two more steps of the dossier that is in the backup, and a dossier that is not."""
    walk = Walk(place.store)
    walk.acts = 1
    walk.do("transmit_act")
    walk.do("publish_act")
    Walk(place.store, "ESSAI-2").do("open")


def test_an_old_backup_is_told_by_a_seal_that_somebody_has_kept(place: Place) -> None:
    file = place.backup()
    went_on(place)
    early, late = kept(place, SEAL, (place.settings.home / "seals" / SEAL).read_bytes()), kept(place, "late.json", place.seal("2026-11-30"))
    page = place.restore(file, seals=(early, late))
    assert page.code == 0
    said = "\n".join(page.lines)
    assert "Cette sauvegarde s’arrête au 23/11/2026 10:00 ; le sceau du 30 novembre 2026 connaît 1 dossier et 2 entrées de plus" in said
    assert ": ESSAI-1, ESSAI-2." in said
    assert "1 sceau gardé ailleurs s’accorde avec elle" in said
    assert page.json["restored"]["newer"] == [{"day": "2026-11-30", "newer": {"ESSAI-1": 2, "ESSAI-2": 1}}]
    assert page.json["restored"]["agreeing"] == [SEAL]


def test_an_old_backup_is_told_by_the_later_nights_of_the_present_home(place: Place) -> None:
    file = place.backup()
    Walk(place.store, "ESSAI-2").do("open", at=AT + timedelta(days=1))
    (place.settings.home / "seals" / "2026-11-24.json").write_bytes(place.seal("2026-11-24"))
    page = place.restore(file)
    assert "le sceau du 24 novembre 2026 connaît 1 dossier de plus : ESSAI-2." in "\n".join(page.lines)
    assert page.json["restored"]["agreeing"] == ["2026-11-24.json"]


def test_a_backup_that_is_up_to_date_says_nothing_of_the_kind(place: Place) -> None:
    page = place.restore(place.backup(), seals=(kept(place, "now.json", place.seal("2026-11-30")),))
    assert page.json["restored"]["newer"] == []
    assert "s’arrête" not in "\n".join(page.lines)


def test_a_seal_that_only_knows_more_proves_nothing_and_that_is_said(place: Place) -> None:
    file = place.backup()
    went_on(place)
    page = place.restore(file, seals=(kept(place, "late.json", place.seal("2026-11-30")),))
    assert page.code == 0
    assert "Aucun sceau ne prouve que c’est le même registre" in "\n".join(page.lines)


def other_seal(folder: Path, reference: str) -> bytes:
    """The seal of another ledger, with one dossier."""
    store = Store(sqlite_url(folder / "other.db"), create=True)
    walk = Walk(store, reference)
    walk.do("open")
    content = Place(store, folder, None).seal("2026-11-30")
    store.close()
    return content


@pytest.mark.parametrize("reference", ["AUTRE-1", "ESSAI-1"])
def test_a_seal_of_another_ledger_is_told_as_such_and_nothing_is_restored(place: Place, reference: str) -> None:
    page = place.restore(place.backup(), seals=(kept(place, "other.json", other_seal(place.folder, reference)),))
    assert page.code == 3
    assert page.lines[1] == "  - Le sceau other.json est celui d’un autre registre : rien de ce qu’il scelle n’est dans cette sauvegarde."
    assert not (place.folder / "new").exists()


def test_a_seal_of_another_ledger_in_the_present_home_is_left_aside(place: Place) -> None:
    file = place.backup()
    (place.settings.home / "seals" / "2026-11-30.json").write_bytes(other_seal(place.folder, "AUTRE-1"))
    page = place.restore(file)
    assert page.code == 0
    assert "Laissés de côté, car d’un autre registre : 2026-11-30.json." in "\n".join(page.lines)


def test_a_backup_that_somebody_wrote_anew_is_told_by_a_seal_kept_elsewhere(place: Place) -> None:
    """Its hashes, chains and own seals all hold; the seal of another dossier's head says that it is the same ledger."""
    Walk(place.store, "ESSAI-2").do("open")
    seal = kept(place, "kept.json", place.seal("2026-11-23"))
    told = json.loads(seal.read_text())
    told["heads"][0]["head"] = "0" * 64  # as if ESSAI-1 had had another history when that night came
    page = place.restore(place.backup(), seals=(kept(place, "told.json", json.dumps(told).encode()),))
    assert page.code == 3
    assert page.lines[1] == "  - Le sceau told.json contredit la sauvegarde : l’histoire y est autre pour ESSAI-1."


def test_a_whole_history_written_anew_is_told_even_without_its_seals(place: Place) -> None:
    seal = kept(place, "kept.json", (place.settings.home / "seals" / SEAL).read_bytes())
    (place.settings.home / "seals" / SEAL).unlink()
    drop_triggers(place.store)
    entries = entries_of(place.store)
    rechain(place.store, [*entries[:-1], {**entries[-1], "recorded_at": "2026-11-23T09:00:01.000000Z"}])
    page = place.restore(place.backup(), seals=(seal,))
    assert page.code == 3
    assert "kept.json" in "\n".join(page.lines)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"day": 1, "heads": []}', b'{"day": "2026-11-23", "heads": [{"reference": "A"}]}']
)
def test_a_seal_that_is_none_is_badly_asked(place: Place, content: bytes) -> None:
    with pytest.raises(Invalid, match="n’est pas un sceau de jalon"):
        place.restore(place.backup(), seals=(kept(place, "odd.json", content),))
    with pytest.raises(Invalid, match="ne se lit pas"):
        place.restore(place.folder / "jalon.zip", seals=(place.folder / "absent.json",))
