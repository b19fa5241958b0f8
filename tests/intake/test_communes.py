"""A commune is known by its INSEE code or by its exact name, homonyms are all told, and the committed list is the published one."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
import subprocess
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ports import build_communes
from flows.ports.build_communes import CSV_SHA256, TARGET, Unusable, table, unpacked
from flows.ports.communes import ListedCommune, find, nearest
from states.payment.calculation import department_of

ROWS = list(csv.DictReader(TARGET.read_text(encoding="utf-8").splitlines()))
PAS_DE_CALAIS = [row for row in ROWS if row["department"] == "62"]


def codes(text: str) -> list[str]:
    return [commune.insee for commune in find(text)]


# The list.


def test_france_has_34_969_communes_and_the_pas_de_calais_887() -> None:
    assert len(ROWS) == 34_969
    assert len(PAS_DE_CALAIS) == 887


def test_the_committed_list_is_the_one_that_the_script_wrote() -> None:
    assert hashlib.sha256(TARGET.read_bytes()).hexdigest() == CSV_SHA256


def test_every_commune_is_found_by_its_own_code() -> None:
    for row in ROWS:
        assert find(row["insee"]) == (ListedCommune(row["insee"], row["name"], row["department"], None),)


def test_every_commune_is_among_those_found_by_its_own_name() -> None:
    for row in ROWS:
        assert ListedCommune(row["insee"], row["name"], row["department"], None) in find(row["name"])


def test_every_part_of_a_commune_leads_to_it_by_its_name_and_by_its_code() -> None:
    for row in ROWS:
        for alias in filter(None, row["aliases"].split("|")):
            assert row["insee"] in codes(alias)
            assert alias[0].isalpha() or len(find(alias)) == 1


def test_the_department_of_every_commune_is_the_one_the_calculation_reads_from_its_code() -> None:
    assert [row["insee"] for row in ROWS if department_of(row["insee"]) != row["department"]] == []


def test_corsica_and_overseas_are_departments_of_their_own() -> None:
    there = {"Ajaccio": "2A", "Bastia": "2B", "Fort-de-France": "972", "Cayenne": "973", "Mamoudzou": "976"}
    there |= {"Pointe-à-Pitre": "971", "Saint-Barthélemy, 977": "977", "Papeete": "987", "Nouméa": "988"}
    assert {name: [commune.department for commune in find(name)] for name in there} == {name: [d] for name, d in there.items()}
    assert codes("2a004") == ["2A004"]


# Homonyms.


def test_athies_is_in_the_pas_de_calais_and_in_the_somme() -> None:
    assert codes("Athies") == ["62042", "80034"]


@pytest.mark.parametrize("text", ["Athies (62)", "Athies, 62", "athies,62", " ATHIES ( 62 ) "])
def test_a_department_beside_the_name_decides_between_homonyms(text: str) -> None:
    assert codes(text) == ["62042"]


def test_a_department_where_no_such_commune_is_gives_none() -> None:
    assert codes("Athies (59)") == codes("Athies (99)") == codes("62042 (80)") == []


def test_60_names_of_the_pas_de_calais_are_also_names_of_communes_elsewhere() -> None:
    """57 to the letter; Chérisy, Lépine and Rémy but for an accent or an apostrophe."""
    elsewhere = [row for row in PAS_DE_CALAIS if any(one.department != "62" and one.matched is None for one in find(row["name"]))]
    assert len(elsewhere) == 60


def test_6_more_are_names_of_a_part_of_a_commune_elsewhere() -> None:
    elsewhere = [row for row in PAS_DE_CALAIS if any(one.department != "62" for one in find(row["name"]))]
    assert len(elsewhere) == 66


def test_a_name_with_its_department_means_one_commune_of_today_at_most() -> None:
    for row in ROWS:
        today = [one for one in find(f"{row['name']} ({row['department']})") if one.matched is None]
        assert [one.insee for one in today] == [row["insee"]]


def test_no_commune_is_told_twice_and_all_come_in_the_order_of_their_codes() -> None:
    for row in ROWS:
        for name in (row["name"], *row["aliases"].split("|")):
            assert codes(name) == sorted(set(codes(name)))


# Parts of communes.


def test_a_delegated_commune_leads_to_the_commune_of_today_and_is_named() -> None:
    assert find("Huby-Saint-Leu") == (ListedCommune("62447", "Hesdin-la-Forêt", "62", "Huby-Saint-Leu"),)
    assert find("62461") == (ListedCommune("62447", "Hesdin-la-Forêt", "62", "62461"),)


def test_a_part_here_and_a_commune_there_of_one_name_are_both_told() -> None:
    assert [(one.insee, one.matched) for one in find("Labuissière")] == [("38062", None), ("62178", "Labuissière")]


def test_a_part_called_like_its_own_commune_is_told_once_as_the_commune() -> None:
    assert find("Enquin-lez-Guinegatte") == (ListedCommune("62295", "Enquin-lez-Guinegatte", "62", None),)
    assert find("62295") == find("Enquin-lez-Guinegatte")


def test_a_part_that_changed_department_counts_where_its_commune_is() -> None:
    assert [(one.insee, one.department) for one in find("52210")] == [("70122", "70")]


@pytest.mark.parametrize("text", ["75101", "Paris 1er", "paris 1", "Paris 01", "PARIS 1ER ARRONDISSEMENT", "Paris 1er arr."])
def test_an_arrondissement_is_the_city(text: str) -> None:
    (commune,) = find(text)
    assert commune[:3] == ("75056", "Paris", "75")
    assert codes("Lyon 3ème") == codes("69383") == ["69123"]
    assert codes("Marseille 16e") == codes("13216") == ["13055"]


# As people write.


@pytest.mark.parametrize(
    ("text", "insee"),
    [
        ("Bruay la Buissiere", "62178"),
        ("St-Pol-sur-Ternoise", "62767"),
        ("ST POL S/ TERNOISE", "62767"),
        ("Ste Austreberthe", "62447"),
        ("Oeuf en Ternois", "62633"),
        ("l’hay les roses", "94038"),
        ("LHAY LES ROSES", "94038"),
        ("Lambres-lès-Aire", "62486"),
        ("Touquet-Paris-Plage (Le)", "62826"),
        ("Touquet-Paris-Plage (Le) (62)", "62826"),
        ("Haÿ-les-Roses (L')", "94038"),
        ("Bors (Canton de Charente-Sud)", "16053"),
    ],
)
def test_a_name_is_read_as_officers_write_it(text: str, insee: str) -> None:
    assert insee in codes(text)


@given(
    st.sampled_from(ROWS),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.sampled_from(["-", " ", "  ", "\u2011", " - "]),
    st.sampled_from(["'", "’", " ", "' "]),
    st.booleans(),
    st.booleans(),
)
def test_accents_case_hyphens_apostrophes_and_abbreviations_change_nothing(
    row: dict[str, str], case: Any, hyphen: str, apostrophe: str, accents: bool, short: bool
) -> None:
    written = row["name"].replace("-", hyphen).replace("'", apostrophe)
    if not accents:
        written = unicodedata.normalize("NFD", written.replace("œ", "oe").replace("Œ", "OE"))
        written = "".join(letter for letter in written if not unicodedata.combining(letter))
    if short:
        written = re.sub(r"\bSaint(e?)\b", r"St\1", written)
    assert row["insee"] in codes(case(written))


def test_the_beginning_of_a_name_is_not_the_name_but_is_proposed() -> None:
    assert find("Le Touquet") == ()
    assert nearest("Le Touquet", most=1) == find("Le Touquet-Paris-Plage")


def test_a_name_written_badly_means_nothing_and_the_right_one_is_proposed() -> None:
    assert find("Bethunne") == ()
    assert nearest("Bethunne")[0] == ListedCommune("62119", "Béthune", "62", None)
    assert [one.insee for one in nearest("Saint-Omerr (62)", most=1)] == ["62765"]
    assert len(nearest("Noyelle")) == 3


# What means no commune.


def test_a_postcode_that_is_no_insee_code_means_nothing() -> None:
    assert find("62000") == nearest("62000") == find("62000 Arras") == ()


def test_a_postcode_that_is_also_an_insee_code_means_the_commune_of_that_code() -> None:
    """62400 is the postcode of Béthune: only the name in the answer can show that Haillicourt was not meant."""
    assert [one.name for one in find("62400")] == ["Haillicourt"]
    assert find("62400 Béthune") == ()


def test_a_commune_whose_postcode_is_of_another_department_is_known_by_its_code() -> None:
    assert find("03250") == (ListedCommune("03250", "Saint-Pierre-Laval", "03", None),)


@pytest.mark.parametrize(
    "text",
    ["", " ", "-", "(62)", ", 62", "1004", "6204", "620420", "Ar\x00ras", "Arr\u00adas", "Ar\nras", "Arras" + "-" * 200, "é" * 100_000],
)
def test_an_empty_unreadable_or_endless_text_means_nothing(text: str) -> None:
    assert find(text) == nearest(text) == ()


@given(st.text(max_size=250))
def test_no_text_is_a_fault(text: str) -> None:
    assert all(department_of(one.insee) == one.department for one in find(text))


@given(st.integers(0, 99_999).map("{:05}".format))
def test_five_digits_mean_the_commune_of_that_code_or_none(code: str) -> None:
    assert all(code in (one.insee, one.matched) for one in find(code))


def test_the_command_line_does_not_load_communes_before_one_is_asked_for() -> None:
    code = "import sys, flows.cli.command, flows.cli.reading; sys.exit('flows.ports.communes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# The script.


def place(code: str, name: str, kind: str = "commune-actuelle", **more: str) -> dict[str, str]:
    return {"code": code, "nom": name, "type": kind, "departement": code[:2]} | more


PLACES = [
    place("62447", "Hesdin-la-Forêt"),
    place("62447", "Hesdin", "commune-deleguee", chefLieu="62447"),
    place("62461", "Huby-Saint-Leu", "commune-deleguee", chefLieu="62447"),
    place("01262", "Montluel"),
    place("01120", "Cordieux", "commune-associee", chefLieu="01262"),
    place("2A004", "Ajaccio"),
    place("69381", "Lyon 1er Arrondissement", "arrondissement-municipal", commune="69123"),
    place("69123", "Lyon"),
    place("62295", "Enquin"),
    place("62295", "Enquin", "commune-deleguee", chefLieu="62295"),
]
WRITTEN = """insee,name,department,aliases
01262,Montluel,01,01120|Cordieux
2A004,Ajaccio,2A,
62295,Enquin,62,
62447,Hesdin-la-Forêt,62,62461|Hesdin|Huby-Saint-Leu
69123,Lyon,69,69381|Lyon 1er Arrondissement
"""


@given(st.randoms(use_true_random=False))
def test_the_list_is_the_same_to_the_byte_in_whatever_order_the_package_tells_it(chance: random.Random) -> None:
    places = PLACES.copy()
    chance.shuffle(places)
    assert table(json.dumps(places).encode()) == WRITTEN.encode()


def test_a_part_of_a_commune_that_is_not_there_is_refused() -> None:
    with pytest.raises(Unusable, match="62999"):
        table(json.dumps([*PLACES, place("62001", "Ablain", "commune-deleguee", chefLieu="62999")]).encode())


def test_another_tarball_than_the_known_one_is_refused_unopened() -> None:
    with pytest.raises(Unusable, match="checksum"):
        unpacked(b"another")


def test_to_check_compares_and_writes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before = TARGET.read_bytes()
    monkeypatch.setattr(build_communes, "fetched", lambda: json.dumps(PLACES).encode())
    monkeypatch.setattr(sys, "argv", ["build_communes", "--check"])
    assert build_communes.main() == 1
    assert "make communes" in capsys.readouterr().err
    assert TARGET.read_bytes() == before
