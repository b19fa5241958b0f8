"""The seal of a night is one Merkle tree over every chain: written once, read again by every proof, and one dossier without the others."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attacks import NIGHTS, at_instant, delivered, house, morning, night, opened, rewritten, sealed_house, told, verified
from lives import LIVES
from playing import BEGAN, played
from walks import Walk

from flows.cli import proving
from flows.cli.sealed import on_the_seals
from flows.home import Home
from flows.ports import seals
from flows.server.symptoms import FAIL, OK, WARN
from flows.settings import settings
from models.answers import Invalid
from models.database.faults import Unreachable
from models.database.store import Store
from models.people.register import Changed
from models.verify.auditing import Auditor
from models.verify.nights import Nights, proved
from models.verify.received import received
from models.verify.schema import DECLARED, declared, objects
from models.verify.seals import NoSeal, read
from states.grammar.guard import Refused
from states.register.requests import Verb, Wish

FIRST, SECOND = (night.isoformat() for night in NIGHTS[:2])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house that was sealed on two nights."""
    folder = tmp_path_factory.mktemp("kept")
    sealed_house(folder).store.close()
    return folder


@pytest.fixture
def home(tmp_path: Path, kept: Path) -> Iterator[Home]:
    """A house whose letters went, sealed on two nights, with a step more on the second day."""
    home = opened(shutil.copytree(kept, tmp_path / "house"))
    yield home
    home.store.close()


def folder(home: Home) -> Path:
    return seals.folder_of(home.settings.home)


def nights(home: Home) -> Nights:
    return Nights(seals.read_all(folder(home)))


def test_a_seal_holds_every_chain_the_register_the_schema_and_the_night_before(home: Home) -> None:
    first = read((folder(home) / f"{FIRST}.json").read_bytes())
    assert [leaf["kind"] for leaf in first.leaves.values()] == ["night", "register", "schema", "dossier", "dossier"]
    assert (first.previous, first.size, first.whole) == (None, 5, True)
    second = read((folder(home) / f"{SECOND}.json").read_bytes())
    assert second.previous == (FIRST, first.root)


def test_a_night_writes_what_has_changed_since_the_one_before_and_the_first_of_a_month_everything(home: Home) -> None:
    second = read((folder(home) / f"{SECOND}.json").read_bytes())
    assert [(place, leaf.get("reference", leaf["kind"])) for place, leaf in second.leaves.items()] == [(0, "night"), (4, "ESSAI-2")]
    december = NIGHTS[1] + timedelta(days=10)
    night(home, december)
    third = read((folder(home) / f"{december.isoformat()}.json").read_bytes())
    assert (third.whole, sorted(third.leaves)) == (True, [0, 1, 2, 3, 4])
    assert nights(home).faults == []


def test_a_new_dossier_takes_a_place_behind_the_others(home: Home) -> None:
    Walk(home.store, "AVANT-1").do("open", at=morning(NIGHTS[1]))
    night(home, NIGHTS[2])
    third = read((folder(home) / f"{NIGHTS[2].isoformat()}.json").read_bytes())
    assert third.leaves[5]["reference"] == "AVANT-1"
    assert nights(home).faults == []


def test_a_seal_says_no_name_and_no_address(home: Home) -> None:
    content = b"".join(content for _, content in seals.read_all(folder(home))).decode()
    for name in ("Tania", "Martin", "essai.example", "Zo"):
        assert name not in content


def test_a_seal_is_readable_by_its_owner_alone_and_never_written_again(home: Home) -> None:
    path = folder(home) / f"{FIRST}.json"
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    seals.write(folder(home), FIRST, b"other")
    assert path.read_bytes() == before
    assert {one.suffix for one in folder(home).iterdir()} == {".json"}


def test_a_night_that_comes_again_sends_the_same_seal(home: Home) -> None:
    Walk(home.store, "ESSAI-2").do("attach", at=morning(NIGHTS[1]))
    before = (folder(home) / f"{SECOND}.json").read_bytes()
    message, _ = night(home, NIGHTS[1])
    assert f"Sceau : {read(before).root[:16]}…" in message
    assert (folder(home) / f"{SECOND}.json").read_bytes() == before


def test_a_root_is_known_by_its_night(home: Home) -> None:
    found = nights(home)
    assert [found.night_of(read(content).root) for _, content in seals.read_all(folder(home))] == [FIRST, SECOND]
    assert found.night_of(read((folder(home) / f"{FIRST}.json").read_bytes()).root.upper()) == FIRST
    assert found.night_of("0" * 64) is None


def test_a_house_that_changes_lawfully_stays_proved(home: Home) -> None:
    """Steps, an undo, a refusal, a review, letters, people: none of it is a fault the night after."""
    walk = Walk(home.store)
    walk.do("attach", at=morning(NIGHTS[1]))
    walk.do("undo", at=morning(NIGHTS[1]))
    walk.ask("approve", at=morning(NIGHTS[1]))
    walk.do("close", at=morning(NIGHTS[1]))
    home.register.change([Wish(Verb.ADDRESS, "Aude", mail="autre@essai.example")], actor="Olga", at=morning(NIGHTS[1]))
    delivered(home, morning(NIGHTS[1]))
    assert night(home, NIGHTS[2])[1] is None
    page = verified(home)
    assert page.code == 0, page.lines
    assert "Sceaux : 3 nuits scellées, la dernière est celle du 25/11/2026 ; chacune suit celle d’avant." in page.lines


def test_seals_of_before_there_was_a_tree_are_read_and_compared(tmp_path: Path) -> None:
    home = house(tmp_path)
    delivered(home)
    heads = [
        {"reference": reference, "entries": len(history), "head": history[-1].digest}
        for reference in ("ESSAI-1", "ESSAI-2")
        for history in [home.views.history(reference)]
    ]
    old = {"day": "2026-11-22", "heads": heads}
    seals.write(folder(home), "2026-11-22", json.dumps(old, ensure_ascii=False, indent=1, sort_keys=True).encode())
    assert night(home, NIGHTS[0])[1] is None
    assert read((folder(home) / f"{FIRST}.json").read_bytes()).previous is not None
    assert verified(home).code == 0
    rewritten(home.store, "ESSAI-1", lambda entries: entries[3].update(actor="Aude"))
    assert "Sceau de la nuit du 22 novembre 2026 : une des entrées 1 à 17 de ESSAI-1 a été réécrite" in told(verified(home))
    home.store.close()


# --- What comes from outside ---


def letter(home: Home, day: str) -> Path:
    return next(home.settings.mail_dir.glob(f"seal.{day}.*.eml"))


def test_a_seal_that_comes_back_as_a_letter_a_file_or_a_root_is_compared(home: Home, tmp_path: Path) -> None:
    root = read((folder(home) / f"{FIRST}.json").read_bytes()).root
    alone = tmp_path / "racine.txt"
    alone.write_text(f"Sceau reçu :\n{root}\n")
    for file, many in ((letter(home, FIRST), 2), (folder(home) / f"{FIRST}.json", 2), (alone, 0)):
        page = proving.compared(home, file)
        assert page.code == 0, page.lines
        assert page.lines[0].startswith("Sceau de la nuit du 23 novembre 2026 : c’est bien celui du dossier des sceaux ; ")
        assert page.json["night"] == FIRST
        assert len(received(file.read_bytes()).leaves()) == many


def test_a_seal_that_was_kept_outside_tells_when_the_folder_was_made_again(home: Home, tmp_path: Path) -> None:
    kept = tmp_path / "courrier.eml"
    kept.write_bytes(letter(home, FIRST).read_bytes())
    for seal in folder(home).iterdir():
        seal.unlink()
    rewritten(home.store, "ESSAI-1", lambda entries: entries[3].update(actor="Aude"))
    night(home, NIGHTS[1])
    page = proving.compared(home, kept)
    assert page.code == 3
    assert "  - Cette racine n’est celle d’aucune nuit du dossier des sceaux : ce sceau en a été ôté, ou il y a été refait." in page.lines
    said = "le journal de ESSAI-1 a été réécrit depuis, l’entrée 17 n’est plus celle qui a été scellée."
    assert f"  - Sceau de la nuit du 23 novembre 2026 : {said}" in page.lines


def test_the_seal_of_another_house_is_told(home: Home, tmp_path: Path) -> None:
    other = house(tmp_path / "other")
    night(other, NIGHTS[0])
    page = proving.compared(home, folder(other) / f"{FIRST}.json")
    assert "  - Aucune des 2 têtes de ce sceau n’est dans cette base : il est d’une autre maison, ou tout a été réécrit." in page.lines
    other.store.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"bonjour", "ce fichier ne porte pas la racine d’un sceau"),
        (b"{}", "ce fichier n’est pas un sceau de jalon"),
        (b'{"jalon":"seal"}', "ce fichier n’est pas un sceau de jalon"),
        (b'{"jalon":"path"}', "ce fichier n’est pas un chemin de jalon"),
        (b"\xff\xfe\x00", "ce fichier ne porte pas la racine d’un sceau"),
        (f"{'a' * 64} {'b' * 64}".encode(), "ou en porte plusieurs"),
        (b"[" * 100_000, "ce fichier ne porte pas la racine d’un sceau"),
        (b'{"heads":' + b"[" * 100_000, "ce fichier n’est pas un sceau de jalon"),
    ],
)
def test_a_file_that_is_no_seal_is_one_sentence(home: Home, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Invalid, match=said):
        proving.compared(home, tmp_path / "x")


def test_a_letter_whose_text_says_another_root_than_its_seal_is_told(home: Home) -> None:
    path = letter(home, FIRST)
    root = read((folder(home) / f"{FIRST}.json").read_bytes()).root
    path.write_bytes(path.read_bytes().replace(root.encode(), b"0" * 64))
    with pytest.raises(Invalid, match="le courrier porte une autre racine que le sceau qui y est joint"):
        proving.compared(home, path)


# --- The path of one dossier ---


def test_the_path_of_a_dossier_proves_it_and_names_no_other(home: Home, tmp_path: Path) -> None:
    for reference in ("ESSAI-1", "ESSAI-2"):
        file = tmp_path / f"{reference}.json"
        proving.path_of(home, reference, file)
        told = json.loads(file.read_text())
        assert proved(told)["reference"] == reference
        (other,) = {"ESSAI-1", "ESSAI-2"} - {reference}
        assert other not in file.read_text()
        assert proving.compared(home, file).code == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["leaf"].update(n=16),
        lambda told: told["leaf"].update(head="0" * 64),
        lambda told: told.update(place=told["place"] - 1),
        lambda told: told.update(size=told["size"] + 4),
        lambda told: told["path"].reverse(),
        lambda told: told["path"].pop(),
        lambda told: told.update(root="0" * 64),
        lambda told: told.update(path=["x"]),
        lambda told: told.pop("leaf"),
        lambda told: told.update(leaf={}),
    ],
)
def test_a_path_that_was_changed_proves_nothing(home: Home, change: Any) -> None:
    path = nights(home).inclusion("ESSAI-1")
    assert path is not None
    change(path)
    with pytest.raises(NoSeal):
        proved(path)


def test_a_path_is_of_a_seal_of_the_folder_and_of_a_journal_that_still_holds(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "chemin.json"
    proving.path_of(home, "ESSAI-1", file)
    rewritten(home.store, "ESSAI-1", lambda entries: entries[3].update(actor="Aude"))
    assert "Ce chemin : le journal de ESSAI-1 a été réécrit depuis" in told(proving.compared(home, file))
    (folder(home) / f"{SECOND}.json").unlink()
    assert "Cette racine n’est celle d’aucune nuit du dossier des sceaux" in told(proving.compared(home, file))


def test_there_is_no_path_before_a_night_and_no_proof_of_what_is_unknown(tmp_path: Path) -> None:
    home = house(tmp_path)
    with pytest.raises(Invalid, match="Aucun sceau qui tienne ne porte ESSAI-1"):
        proving.path_of(home, "ESSAI-1", tmp_path / "x")
    with pytest.raises(Invalid, match="ne peut pas être lu"):
        proving.compared(home, tmp_path / "absent")
    home.store.close()


def test_a_folder_that_cannot_be_written_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "seals").write_text("not a folder")
    with pytest.raises(Unreachable, match="Le sceau ne peut pas être écrit"):
        seals.write(tmp_path / "seals", FIRST, b"")


# --- Among many ---


def test_what_a_seal_costs_grows_with_what_changed_and_not_with_the_house() -> None:
    def dossiers(changed: int) -> list[dict[str, Any]]:
        return [
            {
                "kind": "dossier",
                "reference": f"D-{place:04}",
                "n": 1 + (place < changed),
                "head": f"{place + 5000 * (place < changed):064x}",
            }
            for place in range(2000)
        ]

    first, _ = Nights().next("2026-11-01", "2026-11-01T22:00:00.000000Z", dossiers(0))
    second, root = Nights([("2026-11-01.json", first)]).next("2026-11-02", "2026-11-02T22:00:00.000000Z", dossiers(3))
    assert len(first) > 100 * len(second)
    both = Nights([("2026-11-01.json", first), ("2026-11-02.json", second)])
    assert (both.faults, both.night_of(root)) == ([], "2026-11-02")
    assert sum(map(len, both.heads.values())) == 2003


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda leaf: leaf | {"n": 4}, "ESSAI-1 y compte 4 entrées, 5 la nuit d’avant."),
        (lambda leaf: leaf | {"head": "b" * 64}, "ESSAI-1 y a une autre tête que la nuit d’avant."),
    ],
)
def test_a_night_never_goes_back_behind_the_one_before(change: Any, said: str) -> None:
    leaf = {"kind": "dossier", "reference": "ESSAI-1", "n": 5, "head": "a" * 64}
    first, _ = Nights().next("2026-11-01", "2026-11-01T22:00:00.000000Z", [leaf])
    second, _ = Nights([("2026-11-01.json", first)]).next("2026-11-02", "2026-11-02T22:00:00.000000Z", [change(leaf)])
    assert Nights([("2026-11-01.json", first), ("2026-11-02.json", second)]).faults == [f"Sceau de la nuit du 2 novembre 2026 : {said}"]


def test_a_dossier_that_nobody_gives_any_more_stays_in_the_tree() -> None:
    leaves = [{"kind": "dossier", "reference": f"ESSAI-{n}", "n": 5, "head": "a" * 64} for n in (1, 2)]
    first, _ = Nights().next("2026-11-01", "2026-11-01T22:00:00.000000Z", leaves)
    second, _ = Nights([("2026-11-01.json", first)]).next("2026-11-02", "2026-11-02T22:00:00.000000Z", leaves[:1])
    both = Nights([("2026-11-01.json", first), ("2026-11-02.json", second)])
    assert (both.faults, both.leaf("dossier ESSAI-2")) == ([], leaves[1] | {"holds": False})


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_what_is_declared_is_what_a_new_database_is_made_of(store: Any) -> None:
    """`python tests/support/declared.py` writes it, after a migration was added."""
    with store.transaction(write=False) as cursor:
        assert objects(store, cursor) == declared(store.url.get_backend_name())
    assert DECLARED.exists()


# --- The doctor ---


def said(home: Home, at: datetime, entry: str = "2026-11-23T09:00:00.000000Z", register: str = "") -> dict[str, tuple[str, str]]:
    """What the doctor says of the seals and the clock at an instant, by name: the level and the sentence."""
    auditor = home.auditor()
    list(auditor.all())
    with at_instant(at):
        found = on_the_seals(home, auditor, {"la dernière entrée d’un journal": entry, "le registre des personnes": register}, at)
        return {symptom.name: (symptom.level, symptom.message) for symptom in found}


def test_the_doctor_compares_the_clock_with_the_newest_of_all_that_is_dated(home: Home) -> None:
    late = morning(NIGHTS[1])
    assert said(home, late + timedelta(hours=1))["Horloge"] == (OK, "Elle suit le dernier sceau (24/11/2026 23:00).")
    assert said(home, late - timedelta(hours=1))["Horloge"] == (FAIL, "Elle retarde sur le dernier sceau (24/11/2026 23:00).")
    entry, later = "2026-11-25T09:00:00.000000Z", "2026-11-25T10:00:00.000000Z"
    assert said(home, late, entry)["Horloge"] == (FAIL, "Elle retarde sur la dernière entrée d’un journal (25/11/2026 10:00).")
    assert said(home, late, entry, later)["Horloge"] == (FAIL, "Elle retarde sur le registre des personnes (25/11/2026 11:00).")


def test_the_doctor_looks_at_every_dossier_and_not_at_what_was_written_last(home: Home) -> None:
    """The entry with the highest number in the table may be the older one."""
    Walk(home.store).do("attach", at=morning(NIGHTS[2]))
    Walk(home.store, "ESSAI-2").do("attach", at=morning(NIGHTS[1]))
    newest = max(audit.proof.newest for audit in home.auditor().all())
    assert newest == "2026-11-25T22:00:00.000000Z"


def test_the_doctor_says_when_nights_are_no_longer_sealed(home: Home, tmp_path: Path) -> None:
    assert said(home, morning(NIGHTS[2]))["Sceaux"] == (OK, "2 nuits scellées, la dernière le 24/11/2026.")
    assert said(home, morning(NIGHTS[2]) + timedelta(days=3))["Sceaux"][0] == WARN
    new = house(tmp_path / "new")
    assert said(new, morning(NIGHTS[0]))["Sceaux"] == (OK, "Aucune nuit n’est scellée encore.")
    new.store.close()


def test_the_doctor_says_what_does_not_hold_of_the_house(home: Home) -> None:
    (folder(home) / f"{FIRST}.json").unlink()
    level, message = said(home, morning(NIGHTS[2]))["Maison"]
    assert level == FAIL
    assert message.startswith("Sceau de la nuit du 23 novembre 2026 : la ronde dit l’avoir fait, et il n’est plus")
    assert message.endswith("Et 3 autres points.")


# --- What is true is never called false ---


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_every_life_that_was_lived_lawfully_holds(store: Store) -> None:
    """Refusals, conflicts, delegations, undoings, recoveries, codes: whatever the ledger writes is what an audit expects."""
    played(store, LIVES)
    auditor = Auditor(store, Nights())
    assert {audit.proof.reference: audit.faults for audit in auditor.all() if audit.faults} == {}
    assert auditor.house.faults(auditor.nights, BEGAN + timedelta(days=1)) == []


def test_a_database_of_before_holds_once_it_was_brought_forward(old: str, tmp_path: Path) -> None:
    home = Home(settings({"JALON_HOME": str(tmp_path), "JALON_DATABASE_URL": old}), agreed=True)
    (tmp_path / "mail").mkdir()
    assert night(home, NIGHTS[0])[1] is None
    page = verified(home)
    assert page.code == 0, page.lines
    home.store.close()


def test_what_a_witness_outside_has_answered_is_kept(home: Home) -> None:
    root = next(iter(home.auditor().nights.roots))
    night_ = home.auditor().nights.night_of(root)
    answer = Wish(Verb.WITNESS, "Aude", because="Je tiens ce sceau.", witness="Me Notaire", root=root, night=night_)
    at = morning(NIGHTS[1])
    kept = home.register.change([answer], actor="Aude", at=at)
    assert isinstance(kept, Changed)
    assert (kept.entries[0].witness, kept.entries[0].night) == ("Me Notaire", night_)
    for wrong, code in (
        (answer._replace(night=None), "NO_SUCH_SEAL"),
        (answer._replace(witness="Tania"), "WITNESS_INSIDE"),
        (answer._replace(because=None), "ANSWER_MISSING"),
    ):
        refused = home.register.change([wrong], actor="Aude", at=at)
        assert isinstance(refused, Refused)
        assert [reason.code for reason in refused.reasons] == [code]
    assert home.verifier.verify_register().faults == ()
