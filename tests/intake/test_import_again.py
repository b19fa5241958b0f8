"""`jalon import trainees` once more: the same file, a refused one, another at the same moment; and names in one table only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from import_house import House, approve, line
from terminal import PAST, REFERENCE
from walks import Walk
from witness import child

from flows.intake import trainees as importing
from models.database.faults import Unreachable
from models.database.store import Store
from models.ledger.ledger import Ledger

# Once.


@pytest.mark.parametrize("by", ["Tania", "Thelma", "Bruno"])
def test_the_same_file_again_changes_nothing_whoever_brings_it(house: House, by: str) -> None:
    path = house.sheet(line(1), line(2))
    done = house.take(path, "--json").told["done"]
    with house.unchanged():
        said, told = house.take(path, by=by), house.take(path, "--json", by=by).told
    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(
        r"Ce fichier a déjà été importé le \d\d/\d\d/\d{4} par Tania \(entrée 3\) : rien ne change\.", said.out.splitlines()[0]
    )
    assert said.out.splitlines()[1:] == ["  Ces stagiaires portent les n° 1 et n° 2."]
    assert told == {"unchanged": done}


def test_a_refused_file_is_imported_by_who_may(house: House) -> None:
    path = house.sheet(line(1), line(2))
    assert [house.take(path, by="Bruno").code for _ in range(2)] == [3, 3]
    assert house.take(path, by="Thelma").code == 0
    assert len(house.entries()) == 5


def test_a_file_refused_in_one_state_is_imported_in_the_next(house: House) -> None:
    with house.store() as store:
        walk = Walk(store, "ESSAI-2")
        walk.do("open", at=datetime.now(UTC), **PAST["open"])
        path = house.sheet(line(1))
        words = ("import", "trainees", "ESSAI-2", path, "--as", "Tania", "--json")
        assert [one["code"] for one in house.run(*words).told["refused"]["reasons"]] == ["WRONG_STATE"]
        walk.do("approve", at=datetime.now(UTC), **PAST["approve"])
    assert house.run(*words).told["done"]["n"] == 4


def test_an_import_that_was_undone_is_done_again(house: House) -> None:
    path = house.sheet(line(1), line(2))
    assert house.take(path).code == 0
    assert house.run("undo", REFERENCE, "--entry", "3", "--motive", "Erreur", "--as", "Tania").code == 0
    assert house.take(path, "--json").told["done"]["n"] == 5
    assert house.take(path, "--json").told["unchanged"]["n"] == 5
    assert len(house.trainees()) == 2


def test_an_import_that_jalon_reviewed_before_it_was_undone_is_done_again(house: House) -> None:
    path = house.sheet(line(1), line(2))
    assert house.take(path).code == 0
    with house.store() as store:
        Walk(store, REFERENCE).do("review_findings", at=datetime.now(UTC))
    assert house.run("undo", REFERENCE, "--entry", "3", "--motive", "Erreur", "--as", "Tania").code == 0
    assert house.trainees() == []
    assert "done" in house.take(path, "--json").told
    assert len(house.trainees()) == 2


def test_a_key_that_somebody_has_used_by_hand_is_a_conflict_and_no_endless_wait(house: House) -> None:
    path = house.sheet(line(1))
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    words = ("attach", REFERENCE, "--title", "Note", "--sha256", sha, "--attached-on", "2025-01-01", "--as", "Tania")
    assert house.run(*words, "--key", f"import:{REFERENCE}:{sha}:1").code == 0
    assert house.take(path).code == 4


@contextmanager
def overtaken(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> Iterator[None]:
    """The next import does `meanwhile` after it has read everything and before it asks the ledger."""
    real = importing._fired

    def fired(*given: Any) -> Any:
        monkeypatch.setattr(importing, "_fired", real)
        meanwhile()
        return real(*given)

    monkeypatch.setattr(importing, "_fired", fired)
    yield
    assert importing._fired is real


@pytest.mark.parametrize("by", ["Tania", "Thelma"])
def test_who_comes_a_moment_later_with_the_same_file_gets_the_first_answer(house: House, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = house.sheet(line(1), line(2))
    with overtaken(monkeypatch, lambda: house.take(path)):
        told = house.take(path, "--json", by=by).told
    assert (told["unchanged"]["n"], told["unchanged"]["actor"], len(house.entries())) == (3, "Tania", 3)


def test_who_comes_a_moment_after_a_refusal_is_asked_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    path = house.sheet(line(1), line(2))
    with overtaken(monkeypatch, lambda: house.take(path, by="Bruno")):
        assert house.take(path, "--json").told["done"]["n"] == 4


def test_what_the_ledger_refuses_names_the_line_of_the_sheet(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    path = house.sheet(line(1), line(2, Rang=0), line(3), line(4))
    with overtaken(monkeypatch, lambda: house.take(house.sheet(line(3)))):
        said = house.take(path, "--good-lines")
    assert said.code == 3
    assert "  - Cette personne (ligne 4), mêmes nom, prénom et date de naissance, est déjà retenue dans ce dossier." in said.err


def test_a_lost_answer_says_that_the_command_can_be_given_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise Unreachable("La base ne répond pas.")

    monkeypatch.setattr(Ledger, "fire", lost)
    said = house.take(house.sheet(line(1)))
    again = "Vous pouvez relancer la même commande : un fichier n’est jamais pris deux fois."
    assert (said.code, said.err) == (5, f"La base ne répond pas. {again}\n")


RACE = """
import sys
from pathlib import Path
from flows.home import Home
from flows.intake.trainees import imported
from flows.cli.importing import page
from flows.settings import settings
home = Home(settings())
print("ready", flush=True)
for path in sys.stdin:
    done = page(imported(home, sys.argv[1], Path(path.strip()), person=sys.argv[2], good_lines=False))
    print(done.code, *done.json, flush=True)
"""


def test_of_two_processes_with_one_file_one_takes_it_and_the_other_is_told(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    approve(store)
    (tmp_path / "home").mkdir()
    url = store.url.render_as_string(hide_password=False)
    house = House(tmp_path / "home", capsys.readouterr, url)
    paths = [house.sheet(*(line(10 * file + place) for place in range(10))) for file in range(1, 11)]
    with ExitStack() as stack:
        racers = [
            stack.enter_context(child(RACE, REFERENCE, name, JALON_DATABASE_URL=url, JALON_HOME=str(house.home)))
            for name in ("Tania", "Thelma")
        ]
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
        for path in paths:
            for racer in racers:
                racer.stdin.write(f"{path}\n")
                racer.stdin.flush()
            assert sorted(racer.stdout.readline() for racer in racers) == ["0 done\n", "0 unchanged\n"]
    assert (len(house.entries()), len(house.trainees())) == (2 + 10, 100)


# Names.


def test_names_and_births_are_in_one_table_and_nowhere_else(house: House) -> None:
    """Neither in what is said, nor in a file, nor in a letter, nor in any other table."""
    good = line(1, **{"Nom": "Zwyndarèche", "Prénom": "Quitterie", "Date de naissance": date(1971, 11, 23)})
    bad = line(2, **{"Nom": "Zwyndarèche", "Prénom": "Quitterie", "Date de naissance": "23/11/1971x", "Rang": "Quitterie"})
    path = house.sheet(good, bad, good)
    said = [house.take(path, *words) for words in ((), ("--json",), ("--good-lines",), ("--json",))]
    said += [house.take(house.sheet(good)), house.run("deliver"), house.run("show", REFERENCE), house.run("verify", REFERENCE)]
    assert [one.code for one in said] == [3, 3, 0, 0, 3, 0, 0, 0]
    rows = house.rows()
    assert len(rows.pop("identities")) == 1
    files = [one for one in house.home.rglob("*") if one.is_file() and not one.name.startswith("jalon.db")]
    assert [one.suffix for one in files if one.parent.name == "mail"] != []
    kept = [repr(rows), *(one.out + one.err for one in said), *(one.read_bytes().decode("utf-8", "replace") for one in files)]
    words = ("Zwyndar", "ZWYNDAR", "Quitterie", "23/11/1971", "1971-11-23", "23 novembre 1971")
    assert [(word, text[:80]) for text in kept for word in words if word in text] == []
