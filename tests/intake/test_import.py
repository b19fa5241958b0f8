"""`jalon import trainees`: a file is taken whole, once, or every line to correct is told and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from counting import commands
from import_house import BORN, PERSON, TOMORROW, House, approve, line
from sheet_files import EMPTY, HEADERS, as_csv, as_ods, as_xlsx, xlsx_with
from terminal import REFERENCE
from witness import child, sql

from flows.home import Home
from flows.intake import cells, sheet_template
from flows.intake.trainees import imported
from flows.settings import settings
from models.answers import Done
from models.database.store import Store
from models.verify.proof import Verifier

# What is taken.

MANY = [
    line(1, Nom="Œuvrard", Prénom="Anaïs", Régime=None),
    line(2, **{"Nom": "D’Hérouville", "Commune": None, "Code INSEE": "62041", "N°": 7}),
    line(3, **{"Nom": "Ÿves", "Commune": "ST-OMER (62)", "Retenu(e) le": date(2024, 12, 16)}),
]
WAYS = {"XLSX": (".xlsx", as_xlsx), "ODS": (".ods", as_ods), "CSV in Windows-1252": (".csv", as_csv(";", "cp1252"))}


@pytest.mark.parametrize("way", WAYS)
def test_a_list_gives_the_same_trainees_however_it_is_written(house: House, way: str) -> None:
    suffix, written = WAYS[way]
    said = house.take(house.file(written([HEADERS, *MANY]), suffix))
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"Consigné. {REFERENCE} reste « approuvé » (version 3, entrée 3 du journal).",
        "  Ces stagiaires portent les n° 1, n° 7 et n° 2.",
    ]
    assert house.trainees() == [
        (1, 1, "continuing", "62119", "2024-12-15"),
        (2, 3, "initial", "62765", "2024-12-16"),
        (7, 2, "initial", "62041", "2024-12-15"),
    ]
    with house.store() as store:
        named = sql(store, "SELECT trainee, family_name, given_name, born_on FROM identities ORDER BY trainee")
    assert named == [
        (1, "Œuvrard", "Anaïs", "1987-03-12"), (2, "Ÿves", "Zoé-Anaïs", "1987-03-12"), (7, "D’Hérouville", "Zoé-Anaïs", "1987-03-12"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("commune", "code", "insee"),
    [
        ("Athies (62)", None, "62042"), ("athies, 80", None, "80034"), ("Athies", "62042", "62042"), ("St-Omer (62)", None, "62765"),
        ("Bruay la Buissiere", None, "62178"), ("Labuissière (62)", None, "62178"), (None, "62482", "62178"), ("Paris 1er", None, "75056"),
    ],
)  # fmt: skip
def test_a_commune_is_kept_as_its_code_of_today(house: House, commune: str | None, code: str | None, insee: str) -> None:
    said = house.take(house.sheet(line(**{"Commune": commune, "Code INSEE": code})), "--json")
    assert (said.code, said.told["done"]["trainee"], house.trainees()[0][3]) == (0, 1, insee)


def test_who_lives_in_corsica_or_overseas_is_read_and_is_outside_the_department(house: House) -> None:
    codes = ["2A004", "97411", "97502", "98818", "62119"]
    assert house.take(house.sheet(*(line(place, **{"Code INSEE": code}) for place, code in enumerate(codes, start=1)))).code == 0
    for number, code in enumerate(codes, start=1):
        seen = ("--trainee", str(number), "--insee", code, "--evidence-kind", "tax_notice", "--verified-on", "2025-01-06")
        assert house.run("verify_residence", REFERENCE, *seen, "--as", "Tania").code == 0
    told = house.run("show", REFERENCE, "--json").told["trainees"]
    assert [one["status"] for one in sorted(told, key=lambda one: one["number"])] == ["OUTSIDE_DEPARTMENT"] * 4 + ["COUNTED"]


def test_300_trainees_are_one_entry_and_one_transaction(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two rows for each trainee; what comes besides does not grow with the list."""
    approve(store)
    url = store.url.render_as_string(hide_password=False)
    monkeypatch.setenv("JALON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JALON_DATABASE_URL", url)
    (tmp_path / "home").mkdir()
    house = House(tmp_path / "home", capsys.readouterr, url)
    path = house.sheet(*(line(number) for number in range(1, 301)))
    home, answers = Home(settings()), []
    sent = commands(home.store, lambda: answers.append(imported(home, REFERENCE, path, person="Tania", good_lines=False).answer))
    home.store.close()
    assert isinstance(answers[0], Done)
    assert len(sent) <= 2 * 300 + 30
    assert len([one for one in sent if "INSERT" in one]) <= 2 * 300 + 4
    assert (len(house.entries()), len(house.trainees())) == (3, 300)
    again = house.take(path, "--json")
    assert (again.code, again.told["unchanged"]["n"], len(again.told["unchanged"]["trainees"])) == (0, 3, 300)
    assert len(house.entries()) == 3
    assert Verifier(store).verify(REFERENCE).faults == ()


# What is to be corrected.

BAD = [line(1), line(2, Rang=-1, Commune="Nulle-Part"), line(3, **{"Date de naissance": "31/02/1987"}), line(4, Nom=None), line(5)]
FAULTS = [
    (3, "Rang", "la valeur doit être au moins 1"),
    (3, "Commune", "aucune commune ne porte ce nom : vérifiez-le, ou écrivez son code INSEE"),
    (4, "Date de naissance", "cette date n’existe pas dans le calendrier"),
    (5, "Nom", "ce champ est obligatoire"),
]


def by_order(faults: Any) -> list[tuple[int, str, str]]:
    return sorted((one["line"], one["column"], one["reason"]) for one in faults)


def test_every_bad_line_is_told_in_one_pass_and_nothing_changes(house: House) -> None:
    path = house.sheet(*BAD)
    with house.unchanged():
        said, told = house.take(path), house.take(path, "--json").told
    assert (said.code, said.out) == (3, "")
    title, *lines = said.err.splitlines()
    assert title == "Refusé. Rien n’est importé : 3 lignes sont à corriger."
    assert sorted(lines) == sorted(f"  - Ligne {number}, colonne « {column} » : {reason}" for number, column, reason in FAULTS)
    assert list(told) == ["refused"]
    assert {tuple(one) for one in told["refused"]["reasons"]} == {("code", "line", "column", "reason", "who", "source")}
    assert by_order(told["refused"]["reasons"]) == sorted(FAULTS)


def test_only_the_first_names_that_no_commune_has_get_a_proposal(house: House) -> None:
    names = ["Bethunne", "Bethunne", "Saint-Omerr", "Calaiss", "Arass", "Lenns"]
    said = house.take(house.sheet(*(line(place, Commune=name) for place, name in enumerate(names, start=1))), "--json")
    proposed = ["vouliez-vous dire" in one["reason"] for one in said.told["refused"]["reasons"]]
    assert proposed == [True, True, True, True, False, False]
    assert " ; vouliez-vous dire Béthune (62119)" in said.told["refused"]["reasons"][0]["reason"]


def test_the_good_lines_are_taken_when_asked_for(house: House) -> None:
    said = house.take(house.sheet(*BAD), "--good-lines", "--json")
    assert (said.code, list(said.told), said.told["done"]["trainees"]) == (0, ["done", "left_out"], [1, 2])
    assert by_order(said.told["left_out"]) == sorted(FAULTS)
    assert [trainee[1] for trainee in house.trainees()] == [1, 5]


def test_what_was_left_out_is_told_to_a_person_and_told_again(house: House) -> None:
    path = house.sheet(*BAD)
    assert "  3 lignes sont laissées de côté :\n  - Ligne 3, colonne" in house.take(path, "--good-lines").out
    last = house.take(path).out.splitlines()[-1]
    assert last == "  3 lignes avaient été laissées de côté : corrigez le fichier, puis importez-le avec --good-lines."


def test_a_corrected_file_brings_only_who_is_new(house: House) -> None:
    assert house.take(house.sheet(*BAD), "--good-lines").code == 0
    corrected = house.sheet(*(line(number) for number in range(1, 6)))
    refused = house.take(corrected, "--json").told["refused"]["reasons"]
    assert by_order(refused) == [(2, "", PERSON), (6, "", PERSON)]
    assert house.take(corrected, "--good-lines", "--json").told["done"]["trainees"] == [3, 4, 5]


def test_a_file_of_bad_lines_only_gives_nothing_to_take(house: House) -> None:
    path = house.sheet(*BAD[1:4])
    with house.unchanged():
        assert house.take(path, "--good-lines").code == 3


def test_what_else_stands_in_the_way_is_told_with_the_bad_lines(house: House) -> None:
    with house.unchanged():
        reasons = house.take(house.sheet(*BAD), "--json", by="Bruno").told["refused"]["reasons"]
    assert [one["code"] for one in reasons] == ["WRONG_ROLE", *["BAD_LINE"] * 4]


@pytest.mark.parametrize(
    ("family", "given", "born"),
    [
        ("LEFEVRE1", "zoe anais", BORN), ("Lefèvre1", "Zoé Anaïs", "12/03/1987"), ("zoe-anais", "lefevre1", "1987-03-12"),
        ("Lefe\u0300vre1", "Zoe\u0301-Anai\u0308s", "12.03.1987"), ("Le Fèvre 1", "Zoé’Anaïs", BORN),
    ],
)  # fmt: skip
def test_the_same_person_is_refused_in_whatever_spelling(house: House, family: str, given: str, born: Any) -> None:
    again = line(2, **{"Nom": family, "Prénom": given, "Date de naissance": born})
    with house.unchanged():
        reasons = house.take(house.sheet(line(1), again), "--json").told["refused"]["reasons"]
    assert by_order(reasons) == [(3, "", "la même personne est déjà à la ligne 2")]
    assert house.take(house.sheet(line(1))).code == 0
    with house.unchanged():
        assert by_order(house.take(house.sheet(line(3), again), "--json").told["refused"]["reasons"]) == [(3, "", PERSON)]


def test_a_person_retained_one_by_one_is_not_taken_again(house: House) -> None:
    words = ("--family-name", "LEFEVRE1", "--given-name", "Zoé Anaïs", "--born-on", "1987-03-12", "--rank", "1", "--commune", "Béthune")
    assert house.run("retain_trainee", REFERENCE, *words, "--retained-on", "2024-12-15", "--as", "Tania").code == 0
    with house.unchanged():
        said = house.take(house.sheet(line(1), line(2, **{"N°": 1})))
    assert said.err.splitlines()[1:] == [
        f"  - Ligne 2 : {PERSON}",
        "  - Ligne 3, colonne « N° » : un stagiaire du dossier porte déjà ce numéro",
    ]


@pytest.mark.parametrize(
    ("commune", "named"),
    [
        ("Athies", "Athies (62042, département 62) et Athies (80034, département 80)"),
        ("St-Omer", "Saint-Omer (14635, département 14) et Saint-Omer (62765, département 62)"),
    ],
)
def test_a_name_of_several_communes_is_refused_with_all_of_them(house: House, commune: str, named: str) -> None:
    with house.unchanged():
        said = house.take(house.sheet(line(Commune=commune)))
    reason = f"plusieurs communes portent ce nom : {named} ; écrivez le code INSEE, ou le département entre parenthèses après le nom"
    assert (said.code, said.err.splitlines()[1:]) == (3, [f"  - Ligne 2, colonne « Commune » : {reason}"])


def merged() -> bytes:
    return xlsx_with(lambda sheet, _: sheet.merge_range(2, 0, 3, 1, "Durand"))


def formula() -> bytes:
    return xlsx_with(lambda sheet, _: sheet.write_formula(1, 3, "=1+0", None, 1))


def of(**values: Any) -> Callable[[], bytes]:
    return lambda: as_xlsx([HEADERS, line(**values)])


FORMULA = f"Ligne 2, colonne « Rang » : {sheet_template.FORMULA}"
MERGED = "Ligne 3, colonne « Nom » : des cellules sont fusionnées ici : défusionnez-les, chaque cellule porte sa propre valeur"
FILES: dict[str, tuple[str, Callable[[], bytes], int, str]] = {
    "50 MB": (".csv", lambda: b"Nom;Rang\n" * 5_600_000, 2, "Le fichier est trop gros : 10 Mo au plus."),
    "a password": (".xlsx", lambda: cells.OLE + "EncryptedPackage".encode("utf-16-le"), 2, cells.LOCKED),
    "a text named .xlsx": (".xlsx", lambda: b"Bonjour", 2, cells.NOT_TEXT),
    "an empty sheet": (".xlsx", lambda: as_xlsx([]), 2, EMPTY),
    "nothing": (".csv", lambda: b"", 2, "Le fichier est vide."),
    "a formula": (".xlsx", formula, 3, FORMULA),
    "merged cells": (".xlsx", merged, 3, MERGED),
    "a birth to come": (
        ".xlsx", of(**{"Date de naissance": TOMORROW}), 3, "Ligne 2, colonne « Date de naissance » : cette date est dans l’avenir",
    ),
    "a negative rank": (".xlsx", of(Rang=-3), 3, "Ligne 2, colonne « Rang » : la valeur doit être au moins 1"),
    "an unknown commune": (".xlsx", of(Commune="Nulle-Part"), 3, f"Ligne 2, colonne « Commune » : {FAULTS[1][2]}"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_file_is_one_sentence_and_nothing_changes(house: House, kind: str) -> None:
    suffix, made, code, sentence = FILES[kind]
    path = house.file(made(), suffix)
    with house.unchanged():
        said = house.take(path)
    title = [] if code == 2 else ["Refusé. Rien n’est importé : 1 ligne est à corriger."]
    assert (said.code, said.out, said.err.splitlines()) == (code, "", [*title, sentence if code == 2 else f"  - {sentence}"])


PEAK = """
import resource, sys
from pathlib import Path
from flows.cli.command import run
code = run(sys.argv[1:])
status = Path("/proc/self/status")
own = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")] if status.exists() else []
print(code, int(own[0]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize("kind", ["50 MB", "9,999 lines"])
def test_no_file_takes_the_command_beyond_300_mb(house: House, kind: str) -> None:
    full = kind != "50 MB"
    content = as_csv(";", "utf-8")([HEADERS, *map(line, range(1, 10_000))]) if full else FILES[kind][1]()
    told, fault = child(PEAK, "import", "trainees", REFERENCE, str(house.file(content)), "--as", "Tania").communicate()
    code, peak = map(int, told.splitlines()[-1].split())
    assert (code, fault) == ((0, "") if full else (2, f"{FILES[kind][3]}\n"))
    assert peak < 300 * 1024


@pytest.mark.parametrize(
    "words", [(), (REFERENCE,), (REFERENCE, "liste.csv"), ("--as", "Tania"), (REFERENCE, "--as", "Tania")], ids=" ".join
)
def test_a_missing_word_is_told(house: House, words: tuple[str, ...]) -> None:
    said = house.run("import", "trainees", *words)
    sentence = "Il faut la référence du dossier, le fichier et --as NOM ; voyez « jalon import trainees --help »."
    assert (said.code, said.out, said.err) == (2, "", f"{sentence}\n")


def test_an_unknown_dossier_person_or_file_is_told(house: House) -> None:
    path = house.sheet(line(1))
    with house.unchanged():
        absent = house.run("import", "trainees", "ESSAI-9", path, "--as", "Tania")
        stranger = house.take(path, by="Personne")
        nowhere = house.take(house.files / "absente.ods")
    assert (absent.code, absent.err) == (2, "Aucun dossier ne porte la référence ESSAI-9.\n")
    assert (stranger.code, stranger.err.partition(" : ")[0]) == (2, "Le nom « Personne » n’est pas au registre des personnes")
    assert (nowhere.code, nowhere.err) == (2, "Le fichier ne peut pas être lu (le chemin n’existe pas).\n")


def test_the_template_is_an_empty_sheet_that_is_never_written_over(house: House) -> None:
    path = house.files / "modèle.xlsx"
    assert house.run("import", "trainees", "--template", path).out == f"Le tableau vide est dans {path}.\n"
    assert house.run("import", "trainees", "--template", path).code == 2
    with house.unchanged():
        said = house.take(path)
    assert (said.code, said.err) == (2, f"{EMPTY}\n")


def test_a_name_that_misleads_is_taken_and_told_line_by_line(house: House) -> None:
    """In another alphabet, or as that of another line: somebody may bear it, and somebody should look. The name itself is not repeated."""
    lines = [line(1, Nom="Martin"), line(2, Nom="M\u0430rtin"), line(3, Nom="Durand")]
    said = house.take(house.file(as_xlsx([HEADERS, *lines]), ".xlsx"))
    assert said.code == 0
    assert "  À vérifier :" in said.out.splitlines()
    assert "Ligne 3, colonne « Nom » : ce nom contient « \u0430 » (U+0430, lettre cyrillique)" in said.out
    assert "Ligne 3 : cette personne passe pour celle de la ligne 2" in said.out
    assert "artin" not in said.out
