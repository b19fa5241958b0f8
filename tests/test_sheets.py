"""A sheet of retained trainees is read whole, whatever wrote it; every bad line is told in one pass, and no name with it."""

from __future__ import annotations

import csv
import hashlib
import io
import random
import re
import secrets
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from datetime import time as hour
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from make_sheets import BAD_DATE, BAD_LINE, EXAMPLES, cell, examples, ods
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableRow
from pydantic import TypeAdapter

from flows.ports import cells, sheets
from flows.ports.sheets import Sheet
from flows.story import trainees
from models.answers import Invalid
from states.trainee_requests import TraineeRetained

TODAY, MIDNIGHT = date(2026, 1, 5), hour()


class Place(NamedTuple):
    insee: str
    name: str
    department: str


PLACES = tuple(
    Place(*words.split("/"))
    for words in (
        "62119/Béthune/62", "62041/Arras/62", "62042/Athies/62", "80034/Athies/80", "2A004/Ajaccio/2A", "01004/Ambérieu-en-Bugey/01",
        *(f"{number}/Colombe/10" for number in range(10_001, 10_014)),
    )
)  # fmt: skip


def find(text: str) -> tuple[Place, ...]:
    return tuple(place for place in PLACES if text.lower() in {place.insee.lower(), place.name.lower()})


HEADERS = ["Nom", "Prénom", "Date de naissance", "Rang", "Régime", "Commune", "Code INSEE", "Code postal", "Retenu(e) le", "N°"]
# One table, as people fill it: dates as dates, empty cells as None.
TABLE: list[list[Any]] = [
    ["Lefèvre", "Zoé", date(1987, 3, 12), 1, "formation continue", "Béthune", None, "62400", date(2025, 12, 15), 7],
    ["D’Hérouville", "Jean-Noël", date(1990, 2, 28), 2, "FI", None, "62041", None, date(2025, 12, 15), None],
    ["Œuvrard", "Anaïs", date(2000, 2, 29), 3, None, "Athies", "80034", "80200", date(2025, 12, 16), None],
    ["Rossi", "Ghjuvan", date(1975, 12, 31), 4, "FC", None, "2A004", "20000", date(2025, 12, 15), 9],
    ["Ain", "Premier", date(1968, 1, 1), 5, "initiale", None, "01004", "01500", date(2025, 12, 15), None],
]


def expected(first: int = 2) -> list[tuple[int, dict[str, Any]]]:
    codes = ["62119", "62041", "80034", "2A004", "01004"]
    regimes = ["continuing", "initial", "continuing", "continuing", "initial"]
    return [
        (
            line,
            {
                "family_name": row[0], "given_name": row[1], "born_on": row[2].isoformat(), "rank": row[3], "fee_regime": regime,
                "insee": code, "retained_on": row[8].isoformat(), **({"number": row[9]} if row[9] else {}),
            },
        )
        for line, (row, code, regime) in enumerate(zip(TABLE, codes, regimes, strict=True), start=first)
    ]  # fmt: skip


# How a table is written.


def as_xlsx(table: Sequence[Sequence[Any]], **options: Any) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, **options}) as book:
        sheet, day = book.add_worksheet("Liste"), book.add_format({"num_format": "dd/mm/yyyy"})
        fill(sheet, table, day)
    return target.getvalue()


def fill(sheet: Any, table: Sequence[Sequence[Any]], day: Any) -> None:
    for line, values in enumerate(table):
        for column, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(line, column, value)
            elif isinstance(value, date):
                sheet.write_datetime(line, column, datetime.combine(value, MIDNIGHT), day)
            elif value is not None:
                sheet.write_number(line, column, value)


def as_csv(separator: str, encoding: str) -> Callable[[Sequence[Sequence[Any]]], bytes]:
    def written(table: Sequence[Sequence[Any]]) -> bytes:
        target = io.StringIO()
        csv.writer(target, delimiter=separator).writerows([[french(value) for value in line] for line in table])
        return target.getvalue().encode(encoding)

    return written


def french(value: Any) -> str:
    return "" if value is None else f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)


def as_ods(table: Sequence[Sequence[Any]]) -> bytes:
    return ods({"Liste": table})


def in_texts(table: Sequence[Sequence[Any]]) -> bytes:
    return as_xlsx([[None if value is None else french(value) for value in line] for line in table])


WAYS: dict[str, tuple[str, Callable[[Sequence[Sequence[Any]]], bytes]]] = {
    "XLSX": (".xlsx", as_xlsx),
    "XLSX of 1904": (".xlsx", lambda table: as_xlsx(table, date_1904=True)),
    "XLSX without shared texts": (".xlsx", lambda table: as_xlsx(table, constant_memory=True)),
    "XLSX of texts": (".xlsx", in_texts),
    "ODS": (".ods", as_ods),
    "ODS that bears another name": (".bin", as_ods),
    "CSV, semicolons, UTF-8": (".csv", as_csv(";", "utf-8")),
    "CSV, semicolons, UTF-8 with BOM": (".csv", as_csv(";", "utf-8-sig")),
    "CSV, commas, UTF-8": (".csv", as_csv(",", "utf-8")),
    "CSV, tabs, UTF-8": (".txt", as_csv("\t", "utf-8")),
    "CSV, semicolons, Windows-1252": (".csv", as_csv(";", "cp1252")),
}


def read(folder: Path, content: bytes, suffix: str = ".csv", **asked: Any) -> Sheet:
    path = folder / f"{secrets.token_hex(8)}{suffix}"
    path.write_bytes(content)
    return sheets.read(path, today=TODAY, find=find, **asked)


def one(folder: Path, **values: Any) -> Sheet:
    """A sheet of one line, the first of the table, where some columns hold something else."""
    line = dict(zip(HEADERS, TABLE[0], strict=True)) | values
    return read(folder, as_xlsx([list(line), list(line.values())]), ".xlsx")


def told(sheet: Sheet) -> list[tuple[int, str, str]]:
    return [tuple(fault) for fault in sheet.faults]


# The same table.


@pytest.mark.parametrize("way", WAYS)
def test_one_table_gives_the_same_rows_however_it_is_written(tmp_path: Path, way: str) -> None:
    suffix, written = WAYS[way]
    sheet = read(tmp_path, written([HEADERS, *TABLE]), suffix)
    assert told(sheet) == []
    assert [tuple(row) for row in sheet.rows] == expected()
    assert all(TraineeRetained.model_validate(row.content) for row in sheet.rows)


@pytest.mark.parametrize("way", ["XLSX", "ODS", "CSV, commas, UTF-8"])
def test_a_title_empty_lines_and_unknown_columns_are_passed_over(tmp_path: Path, way: str) -> None:
    suffix, written = WAYS[way]
    extended = [[None, *row, "06 00 00 00 00"] for row in TABLE]
    table = [["Nos stagiaires"], [], [None, *HEADERS, "Téléphone"], *extended[:2], [], [None, "  ", None, " "], *extended[2:]]
    sheet = read(tmp_path, written(table), suffix)
    assert told(sheet) == []
    assert [row.content for row in sheet.rows] == [content for _, content in expected()]
    assert [row.line for row in sheet.rows] == [4, 5, 8, 9, 10]


@given(order=st.permutations(range(len(HEADERS))), upper=st.booleans())
@settings(max_examples=25)
def test_columns_come_in_any_order_and_any_case(tmp_path: Path, order: list[int], *, upper: bool) -> None:
    table = [[HEADERS[place].upper() if upper else HEADERS[place] for place in order], *([row[place] for place in order] for row in TABLE)]
    for way in ("XLSX", "CSV, semicolons, UTF-8"):
        suffix, written = WAYS[way]
        assert [tuple(row) for row in read(tmp_path, written(table), suffix).rows] == expected()


@pytest.mark.parametrize(
    ("place", "header"),
    [
        (0, "NOM DE FAMILLE"), (0, " nom "), (0, "Nom de naissance"), (1, "Prénom(s)"), (1, "PRENOM"), (2, "Né(e) le"), (2, "Née le"),
        (2, "Né le"), (3, "Classement"), (3, "Rang de sélection"), (4, "regime"), (5, "Commune de résidence"), (6, "INSEE"), (7, "CP"),
        (8, "Retenue le"), (8, "Retenu le"), (8, "Date de sélection"), (9, "Numéro"), (9, "Nº"), (9, "N°"),
    ],
)  # fmt: skip
def test_a_header_has_the_names_that_people_give_it(tmp_path: Path, place: int, header: str) -> None:
    headers = [*HEADERS]
    headers[place] = header
    assert [tuple(row) for row in read(tmp_path, as_csv(";", "utf-8")([headers, *TABLE])).rows] == expected()


@given(day=st.dates(date(1900, 1, 1), date(2025, 12, 14)), spelling=st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"]))
@settings(max_examples=60)
def test_a_date_is_read_in_each_of_its_spellings(tmp_path: Path, day: date, spelling: str) -> None:
    table = [HEADERS, [*TABLE[0]]]
    table[1][2] = f" {day.strftime(spelling).zfill(10)} "
    assert [row.content["born_on"] for row in read(tmp_path, as_csv(",", "utf-8")(table)).rows] == [day.isoformat()]


@given(day=st.dates(date(1900, 3, 1), date(2025, 12, 14)))
@settings(max_examples=20)
def test_a_date_cell_is_the_day_that_it_shows(tmp_path: Path, day: date) -> None:
    table = [HEADERS, [*TABLE[0]]]
    table[1][2] = day
    for way in ("XLSX", "ODS"):
        suffix, written = WAYS[way]
        assert [row.content["born_on"] for row in read(tmp_path, written(table), suffix).rows] == [day.isoformat()]


@pytest.mark.parametrize(
    ("column", "value", "field", "content"),
    [
        ("Rang", "3", "rank", 3), ("Rang", 3.0, "rank", 3), ("Rang", "3.0", "rank", 3), ("Code INSEE", 62119, "insee", "62119"),
        ("Code INSEE", 1004, "insee", "01004"), ("Code INSEE", "1004", "insee", "01004"), ("Code INSEE", "2a004", "insee", "2A004"),
        ("Code INSEE", "62119.0", "insee", "62119"), ("Code postal", 62400, "insee", "62119"), ("Code postal", "1500", "insee", "62119"),
        ("Date de naissance", "1/3/1987", "born_on", "1987-03-01"), ("Régime", "Formation Initiale", "fee_regime", "initial"),
        ("Régime", "continue", "fee_regime", "continuing"), ("Nom", "  Le Goff ", "family_name", "Le Goff"), ("N°", 12, "number", 12),
        ("Commune", "béthune ", "insee", "62119"),
    ],
)  # fmt: skip
def test_a_cell_is_understood(tmp_path: Path, column: str, value: Any, field: str, content: Any) -> None:
    sheet = one(tmp_path, **{column: value})
    assert (told(sheet), sheet.rows[0].content[field]) == ([], content)


def test_only_the_first_sheet_with_headers_is_read(tmp_path: Path) -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        fill(book.add_worksheet("Listes"), [HEADERS, TABLE[0]], day)
        book.add_worksheet("Vide")
        fill(book.add_worksheet("Notes"), [["à relire"]], day)
        old = book.add_worksheet("Ancienne")
        fill(old, [HEADERS, TABLE[1]], day)
        fill(book.add_worksheet("Sélection"), [HEADERS, TABLE[2]], day)
        book.get_worksheet_by_name("Vide").activate()
        old.hide()
    assert [row.content["family_name"] for row in read(tmp_path, target.getvalue(), ".xlsx").rows] == ["Œuvrard"]


def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    content = as_ods([HEADERS, *TABLE])
    assert read(tmp_path, content, ".ods").sha256 == hashlib.sha256(content).hexdigest()


# Bad cells.

FORMULA = "cette cellule contient une formule : remplacez-la par sa valeur"
ERROR = "cette cellule affiche une erreur de calcul : écrivez la valeur"
NO_DAY = "une date s’écrit JJ/MM/AAAA, par exemple 12/03/1987"
NUMBER = "ce nombre n’est pas une date : donnez à la cellule le format Date, ou écrivez JJ/MM/AAAA"
WHOLE = "un nombre entier est attendu"
NOWHERE = "aucune commune ne porte ce code INSEE"
REGIME = "le régime est « formation continue » ou « formation initiale »"
INVISIBLE = "ce texte contient des caractères invisibles ou un saut de ligne"
REQUIRED = "ce champ est obligatoire"
CODE = "un code INSEE a cinq signes, par exemple 62119 pour Béthune"
NAMELESS = "un nom commence par une lettre"
PLACE = "le nom d’une commune est attendu ; son code INSEE se met dans la colonne « Code INSEE »"
BAD_CELLS: list[tuple[str, Any, str]] = [
    ("Nom", None, REQUIRED), ("Nom", " \u00a0 ", REQUIRED), ("Nom", "=SOMME(A1)", FORMULA), ("Nom", "+Durand", NAMELESS),
    ("Nom", "@cmd", NAMELESS), ("Nom", "-", NAMELESS), ("Nom", "?", NAMELESS), ("Nom", "Du\u200brand", INVISIBLE),
    ("Nom", "Du\u202erand", INVISIBLE), ("Nom", "Du\nrand", INVISIBLE), ("Nom", "#N/A", ERROR), ("Nom", "#REF!", ERROR),
    ("Nom", "Err:502", ERROR), ("Nom", "a" * 201, "ce texte est trop long (200 caractères au plus)"), ("Nom", 12, "un texte est attendu"),
    ("Prénom", None, REQUIRED), ("Prénom", "\u200b", NAMELESS), ("Date de naissance", None, REQUIRED),
    ("Date de naissance", "12/03/87", "l’année s’écrit avec quatre chiffres, par exemple 12/03/1987"),
    ("Date de naissance", "12.03.87", "l’année s’écrit avec quatre chiffres, par exemple 12/03/1987"),
    ("Date de naissance", "31/02/1982", "cette date n’existe pas dans le calendrier"), ("Date de naissance", "12 mars 1987", NO_DAY),
    ("Date de naissance", "1987/03/12", NO_DAY), ("Date de naissance", "12/03-1987", NO_DAY), ("Date de naissance", 31848, NUMBER),
    ("Date de naissance", "31848", NO_DAY), ("Date de naissance", date(2026, 1, 6), "cette date est dans l’avenir"),
    ("Date de naissance", "31/12/1899", "cette date est antérieure à 1900"),
    ("Date de naissance", date(2025, 12, 15), "la date de naissance n’est pas antérieure à la date de sélection"),
    ("Date de naissance", "\u0661\u0662/03/1987", NO_DAY), ("Retenu(e) le", date(2026, 1, 6), "cette date est dans l’avenir"),
    ("Retenu(e) le", None, REQUIRED), ("Rang", None, REQUIRED), ("Rang", 0, "la valeur doit être au moins 1"),
    ("Rang", -1, "la valeur doit être au moins 1"), ("Rang", 2.5, WHOLE), ("Rang", "1er", WHOLE), ("Rang", 1e300, WHOLE),
    ("Rang", date(2025, 2, 1), WHOLE), ("Rang", "3 et 4", WHOLE),
    ("Rang", 100_001, "la valeur doit être au plus 100000"),
    ("N°", 0, "la valeur doit être au moins 1"), ("Régime", "autre", REGIME),
    ("Régime", 1, REGIME), ("Code INSEE", "62", NOWHERE),
    ("Code INSEE", 62119.5, CODE), ("Code INSEE", -62119, CODE), ("Code INSEE", "2C004", CODE), ("Code INSEE", "Béthune", CODE),
    ("Code INSEE", "99999", NOWHERE), ("Code postal", "A2400", "un code postal a cinq chiffres"),
    ("Code postal", 624000, "un code postal a cinq chiffres"),
    ("Commune", None, "la commune de résidence est obligatoire : son nom ou son code INSEE"),
    ("Commune", "Nulle-Part", "aucune commune ne porte ce nom : vérifiez-le, ou écrivez son code INSEE"), ("Commune", 62119, PLACE),
    ("Commune", "62119", PLACE), ("Commune", "2A004", PLACE),
    (
        "Commune",
        "Athies",
        "plusieurs communes portent ce nom : Athies (62042, département 62) et Athies (80034, département 80) ; écrivez le code INSEE",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "reason"), BAD_CELLS)
def test_a_bad_cell_is_told_by_its_line_and_its_header_in_one_sentence(tmp_path: Path, column: str, value: Any, reason: str) -> None:
    sheet = one(tmp_path, **{column: value})
    assert told(sheet) == [(2, column, reason)]
    assert sheet.rows == ()


def test_every_bad_cell_is_told_in_one_pass_and_the_good_lines_are_given(tmp_path: Path) -> None:
    table = [HEADERS, *([*row] for row in TABLE)]
    table[1][3], table[1][2], table[3][0], table[5][6] = 0, "12/03/87", None, "99999"
    sheet = read(tmp_path, as_ods(table), ".ods")
    assert [fault[:2] for fault in sheet.faults] == [(2, "Date de naissance"), (2, "Rang"), (4, "Nom"), (6, "Code INSEE")]
    assert [row.line for row in sheet.rows] == [3, 5]


def test_no_reason_repeats_a_name_or_a_date(tmp_path: Path) -> None:
    bad = [["Lefèvre\u200b", "=Zoé", "12/03/8765", "premier", "autre", "Nulle-Part", None, "x", "hier", "un"]]
    sheet = read(tmp_path, as_csv(";", "utf-8")([HEADERS, *bad, TABLE[0], TABLE[0]]), known=lambda *_: True)
    assert len(sheet.faults) == 12
    assert not any(word in fault.reason for fault in sheet.faults for word in ("Lefèvre", "Zoé", "8765", "Béthune", "premier", "hier"))


def test_a_name_of_many_communes_gives_ten_of_them(tmp_path: Path) -> None:
    (fault,) = one(tmp_path, Commune="Colombe").faults
    assert fault.reason.count("département") == 10
    assert fault.reason.endswith("et 3 autres ; écrivez le code INSEE")


def test_the_code_decides_even_against_the_name(tmp_path: Path) -> None:
    sheet = one(tmp_path, Commune="Nulle-Part", **{"Code INSEE": "62041"})
    assert (told(sheet), sheet.rows[0].content["insee"]) == ([], "62041")


@pytest.mark.parametrize("swapped", [False, True])
def test_the_same_person_twice_names_the_first_line(tmp_path: Path, swapped: bool) -> None:
    again = [*TABLE[0]]
    again[0], again[1] = ("ZOE", "lefevre") if swapped else ("LEFÈVRE", "zoé")
    again[3], again[9] = 2, None
    sheet = read(tmp_path, as_xlsx([HEADERS, TABLE[0], TABLE[1], again]), ".xlsx")
    assert told(sheet) == [(4, "", "la même personne est déjà à la ligne 2")]


def test_the_same_number_twice_names_the_first_line(tmp_path: Path) -> None:
    table = [HEADERS, *([*row] for row in TABLE)]
    table[5][9] = 7
    assert told(read(tmp_path, as_csv(";", "utf-8")(table))) == [(6, "N°", "ce numéro est déjà donné à la ligne 2")]


def test_a_person_of_the_dossier_is_told_even_with_the_names_swapped(tmp_path: Path) -> None:
    sentence = "cette personne est déjà retenue dans ce dossier"
    content = as_csv(";", "utf-8")([HEADERS, *TABLE])
    for names in (("Lefèvre", "Zoé"), ("Zoé", "Lefèvre")):
        sheet = read(tmp_path, content, known=lambda *person, names=names: person == (*names, date(1987, 3, 12)))
        assert told(sheet) == [(2, "", sentence)]


# Bad headers.


def test_missing_headers_are_named(tmp_path: Path) -> None:
    table = [[row[place] for place in (0, 1, 2)] for row in [HEADERS, *TABLE]]
    sheet = read(tmp_path, as_csv(";", "utf-8")(table))
    assert sheet.rows == ()
    assert told(sheet) == [
        (1, "Rang", "cette colonne manque"),
        (1, "Retenu(e) le", "cette colonne manque"),
        (1, "Commune", "cette colonne manque ; « Code INSEE » peut la remplacer"),
    ]


def test_a_header_given_twice_is_told(tmp_path: Path) -> None:
    table = [[*row, row[0]] for row in [HEADERS, *TABLE]]
    table[0][-1] = "Nom de famille"
    sheet = read(tmp_path, as_xlsx(table), ".xlsx")
    assert told(sheet) == [(1, "Nom de famille", "deux colonnes donnent la même chose (Nom de famille) : n’en gardez qu’une")]


def test_a_header_that_is_nearly_right_is_told_and_not_passed_over(tmp_path: Path) -> None:
    headers = ["Regimes" if header == "Régime" else header for header in HEADERS]
    sheet = read(tmp_path, as_xlsx([headers, *TABLE]), ".xlsx")
    assert told(sheet) == [(1, "Regimes", "cet en-tête est inconnu : écrivez « Régime », ou supprimez la colonne")]


def test_values_without_a_header_are_told(tmp_path: Path) -> None:
    sheet = read(tmp_path, as_xlsx([HEADERS, TABLE[0], [*TABLE[1], None, "x"]]), ".xlsx")
    assert told(sheet) == [(3, "", "la 12e colonne porte des valeurs mais n’a pas d’en-tête")]


# Formulas, errors, merged cells.


def xlsx_with(change: Callable[[Any, Any], object]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        fill(sheet, [HEADERS, *TABLE], day)
        change(sheet, day)
    return target.getvalue()


def ods_with(line: int, column: int, made: Any, after: Sequence[Any] = ()) -> bytes:
    """The table as ODS, where one cell is another."""
    document, table = OpenDocumentSpreadsheet(), Table(name="Liste")
    for number, values in enumerate([HEADERS, *TABLE]):
        row = TableRow()
        written = [cell(value) for value in values]
        if number == line:
            written[column : column + 1 + len(after)] = [made, *after]
        for one_cell in written:
            row.addElement(one_cell)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "suffix", "faults"),
    [
        (xlsx_with(lambda sheet, _: sheet.write_formula(1, 3, "=1+0", None, 1)), ".xlsx", [(2, "Rang", FORMULA)]),
        (xlsx_with(lambda sheet, _: sheet.write_formula(1, 0, '=""', None, "")), ".xlsx", [(2, "Nom", FORMULA)]),
        (xlsx_with(lambda sheet, _: sheet.write_formula(2, 3, "=NA()", None, "#N/A")), ".xlsx", [(3, "Rang", ERROR)]),
        (xlsx_with(lambda sheet, _: sheet.write_formula(3, 30, "=1+1", None, 2)), ".xlsx", None),
        (ods_with(1, 3, cell(1, formula="of:=1+0")), ".ods", [(2, "Rang", FORMULA)]),
        (ods_with(1, 0, cell("#N/A", formula="of:=NA()")), ".ods", [(2, "Nom", ERROR)]),
        (xlsx_with(lambda sheet, _: sheet.merge_range(2, 0, 3, 1, "Durand")), ".xlsx", "Nom"),
        (xlsx_with(lambda sheet, _: sheet.merge_range(2, 5, 3, 5, "Béthune")), ".xlsx", "Commune"),
        (ods_with(2, 0, cell("Durand", numbercolumnsspanned=2), [CoveredTableCell()]), ".ods", "Nom"),
    ],
)
def test_formulas_errors_and_merged_cells_are_told(tmp_path: Path, content: bytes, suffix: str, faults: Any) -> None:
    if isinstance(faults, str):
        faults = [(3, faults, "des cellules sont fusionnées ici : défusionnez-les, chaque cellule porte sa propre valeur")]
    if faults is None:
        faults = [(4, "", "la 31e colonne porte des valeurs mais n’a pas d’en-tête")]
    assert told(read(tmp_path, content, suffix)) == faults


def test_a_formula_without_a_value_below_the_last_line_is_told_too(tmp_path: Path) -> None:
    sheet = read(tmp_path, xlsx_with(lambda sheet, _: sheet.write_formula(8, 0, "=A1", None, "")), ".xlsx")
    assert told(sheet)[0] == (9, "Nom", FORMULA)
    assert {fault.line for fault in sheet.faults} == {9}


def test_merged_cells_above_the_table_do_no_harm(tmp_path: Path) -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        fill(sheet, [[], [], HEADERS, *TABLE], day)
        sheet.merge_range(0, 0, 0, 9, "Les stagiaires")
    assert [tuple(row) for row in read(tmp_path, target.getvalue(), ".xlsx").rows] == expected(4)


# Bad files.

GOOD_XLSX, GOOD_ODS = as_xlsx([HEADERS, *TABLE]), as_ods([HEADERS, *TABLE])
CONTENT = zipfile.ZipFile(io.BytesIO(GOOD_ODS)).read("content.xml").decode()
SHEET1 = zipfile.ZipFile(io.BytesIO(GOOD_XLSX)).read("xl/worksheets/sheet1.xml").decode()
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
EMPTY = "La feuille ne contient aucun stagiaire : remplissez une ligne par stagiaire sous les en-têtes."


def repacked(content: bytes, changed: dict[str, str | bytes | None], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The archive with some parts changed, added or left out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w", kind) as archive:
        parts = {name: source.read(name) for name in source.namelist()} | changed
        for name, part in parts.items():
            if part is not None:
                archive.writestr(name, part)
    return target.getvalue()


def line_of(cells: str, times: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{cells}</table:table-row>'


def cell_of(text: str, times: int = 1) -> str:
    repeated = f'table:number-columns-repeated="{times}"'
    return f'<table:table-cell {repeated} office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def row_of(reference: str, value: str, kind: str = "n") -> str:
    return f'<row r="{reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}"><c r="{reference}" t="{kind}"><v>{value}</v></c></row>'


def rows_of_ods(rows: str) -> bytes:
    start, end = CONTENT.index("<table:table-row"), CONTENT.index("</table:table>")
    return repacked(GOOD_ODS, {"content.xml": CONTENT[:start] + rows + CONTENT[end:]})


def rows_of_xlsx(rows: str, shared: str = "") -> bytes:
    start, end = SHEET1.index("<sheetData>"), SHEET1.index("</sheetData>")
    parts: dict[str, str | bytes | None] = {"xl/worksheets/sheet1.xml": SHEET1[: start + 11] + rows + SHEET1[end:]}
    if shared:
        namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{namespace}"><si><t>{shared}</t></si></sst>'
    return repacked(GOOD_XLSX, parts)


def far_corners() -> bytes:
    lines = line_of(cell_of("x")) + line_of(EMPTY_CELLS, 8_000) + line_of(cell_of("x", 90))
    start, end = CONTENT.index("<table:table "), CONTENT.index("</office:spreadsheet>")
    tables = "".join(f'<table:table table:name="{number}">{lines}</table:table>' for number in range(50))
    return repacked(GOOD_ODS, {"content.xml": CONTENT[:start] + tables + CONTENT[end:]})


def with_doctype(xml: str) -> str:
    """The XML with an entity that names a file of this machine."""
    declaration, _, rest = xml.partition("?>")
    return f'{declaration}?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>{rest}'


def lying(content: bytes) -> bytes:
    """The archive whose every part says that it unpacks to 100 bytes."""
    changed = bytearray(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            changed[entry.header_offset + 22 : entry.header_offset + 26] = (100).to_bytes(4, "little")
    at = changed.find(b"PK\1\2")
    while at >= 0:
        changed[at + 24 : at + 28] = (100).to_bytes(4, "little")
        at = changed.find(b"PK\1\2", at + 4)
    return bytes(changed)


def locked(content: bytes) -> bytes:
    """The archive whose central directory says that its parts are encrypted."""
    at, changed = content.find(b"PK\1\2"), bytearray(content)
    while at >= 0:
        changed[at + 8] |= 1
        at = content.find(b"PK\1\2", at + 4)
    return bytes(changed)


def many_sheets(count: int) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        for _ in range(count):
            book.add_worksheet()
    return target.getvalue()


def many(element: str, root: str) -> str:
    """XML of just under 30 MB."""
    return f"<{root}>{element * (29_000_000 // len(element))}</{root}>"


def many_entries() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(85_000):
            archive.writestr(zipfile.ZipInfo(f"{number:x}"), "")
    return target.getvalue()


EMPTY_CELLS = '<table:table-cell table:number-columns-repeated="16384"/>'
FORMULA_CELLS = '<table:table-cell table:number-columns-repeated="100" table:formula="of:=1"/>'
ENCRYPTION = "<m><encryption-data/></m>"
HUGE_PART = b" " * 100_000_000
NAMED = [*TABLE[0][:3]]
# Whatever the file, the sentence that answers. A file is made when its test runs.
BAD_FILES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "50 MB of text": (".csv", lambda: b"Nom;Rang\n" * 5_600_000, cells.TOO_BIG),
    "50 MB of a workbook": (".xlsx", lambda: GOOD_XLSX + bytes(50_000_000), cells.TOO_BIG),
    "a part of 100 MB in an XLSX": (".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": HUGE_PART}), cells.TOO_BIG),
    "a part of 100 MB in an ODS": (".ods", lambda: repacked(GOOD_ODS, {"content.xml": HUGE_PART}), cells.TOO_BIG),
    "a part of 100 MB that says 100 bytes": (".ods", lambda: lying(repacked(GOOD_ODS, {"content.xml": HUGE_PART})), cells.BROKEN),
    "a bomb packed with bzip2": (".ods", lambda: repacked(GOOD_ODS, {"content.xml": HUGE_PART}, zipfile.ZIP_BZIP2), cells.BROKEN),
    "85,000 parts": (".xlsx", many_entries, cells.NO_SHEET),
    "a cell in the last corner of an XLSX": (
        ".xlsx", lambda: rows_of_xlsx(row_of("A1", "1") + row_of("XFD1048576", "1")), cells.TOO_LONG,
    ),
    "a value in each of a million lines of an ODS": (".ods", lambda: rows_of_ods(line_of(cell_of("x"), 1_000_000)), cells.TOO_LONG),
    "a value in 16,000 columns of an ODS": (".ods", lambda: rows_of_ods(line_of(cell_of("x", 16_000))), cells.TOO_WIDE),
    "lines wider than any program's": (".ods", lambda: rows_of_ods(line_of(EMPTY_CELLS * 200)), cells.BROKEN),
    "a count that is no count": (".ods", lambda: rows_of_ods(line_of(EMPTY_CELLS, -5)), cells.BROKEN),
    "a text of 1 MB in each of a million cells of an ODS": (
        ".ods", lambda: rows_of_ods(line_of(cell_of("x" * 1_000_000, 100), 10_000)), cells.TOO_FULL,
    ),
    "a shared text of 1 MB in 10,000 cells of an XLSX": (
        ".xlsx", lambda: rows_of_xlsx("".join(row_of(f"A{n}", "0", "s") for n in range(1, 10_000)), "x" * 1_000_000), cells.TOO_FULL,
    ),
    "a shared text that is not there": (".xlsx", lambda: rows_of_xlsx(row_of("A1", "999", "s")), cells.BROKEN),
    "cells in the far corners of 50 sheets": (".ods", far_corners, cells.TOO_FULL),
    "10 MB of separators": (".csv", lambda: b"x" + b";" * 9_000_000, cells.TOO_WIDE),
    "10 MB of short lines": (".csv", lambda: b"x\n" * 4_900_000, cells.TOO_LONG),
    "a million shared texts and more": (
        ".xlsx", lambda: repacked(GOOD_XLSX, {"xl/sharedStrings.xml": many("<si/>", "sst")}), cells.TOO_FULL,
    ),
    "a million merged cells": (
        ".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": many('<mergeCell ref="A1:B2"/>', "a")}), cells.TOO_FULL,
    ),
    "a million errors": (
        ".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": many('<c r="A1" t="e"/>', "a")}), cells.TOO_FULL,
    ),
    "a million cells of nothing": (
        ".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": many("<c/>", "worksheet")}), cells.TOO_FULL,
    ),
    "a million formulas of an ODS": (".ods", lambda: rows_of_ods(line_of(FORMULA_CELLS, 10_000)), cells.TOO_FULL),
    "a million lines of nothing in an ODS": (".ods", lambda: rows_of_ods("<table:table-row/>" * 1_500_000), EMPTY),
    "a million sheets": (".xlsx", lambda: repacked(GOOD_XLSX, {"xl/workbook.xml": many("<sheet/>", "workbook")}), cells.TOO_FULL),
    "51 sheets": (".xlsx", lambda: many_sheets(51), cells.TOO_FULL),
    "10,001 lines": (".csv", lambda: as_csv(";", "utf-8")([HEADERS, *[TABLE[0]] * 10_000]), cells.TOO_LONG),
    "10,001 lines of an XLSX": (".xlsx", lambda: as_xlsx([HEADERS, *[NAMED] * 10_000]), cells.TOO_LONG),
    "1,000 columns": (".csv", lambda: as_csv(";", "utf-8")([[*HEADERS, *["x"] * 990]]), cells.TOO_WIDE),
    "1,000 columns of an XLSX": (".xlsx", lambda: as_xlsx([[*HEADERS, *["x"] * 990]]), cells.TOO_WIDE),
    "an XLSX with a password": (".xlsx", lambda: OLE + "EncryptedPackage".encode("utf-16-le"), cells.LOCKED),
    "an XLSX whose archive has a password": (".xlsx", lambda: locked(GOOD_XLSX), cells.LOCKED),
    "an ODS with a password": (
        ".ods",
        lambda: repacked(GOOD_ODS, {"META-INF/manifest.xml": ENCRYPTION, "content.xml": secrets.token_bytes(500)}),
        cells.LOCKED,
    ),
    "an ODS that is encrypted whole": (
        ".ods",
        lambda: repacked(GOOD_ODS, {"META-INF/manifest.xml": ENCRYPTION, "content.xml": None, "encrypted-package": b"x"}),
        cells.LOCKED,
    ),
    "an old XLS": (".xls", lambda: OLE + "Workbook".encode("utf-16-le"), cells.OLD),
    "a text named .xlsx": (".xlsx", lambda: b"Bonjour", cells.NOT_TEXT),
    "a CSV named .ods": (".ods", lambda: as_csv(";", "utf-8")([HEADERS, *TABLE]), cells.NOT_TEXT),
    "a PDF named .ods": (".ods", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "Le fichier est un PDF, pas une feuille de calcul."),
    "a web page": (".xls", lambda: b"<html><table></table></html>", cells.OTHERS[1][1]),
    "a text document": (".odt", lambda: repacked(GOOD_ODS, {"mimetype": "application/vnd.oasis.opendocument.text"}), cells.NO_SHEET),
    "any archive": (".zip", lambda: repacked(GOOD_XLSX, {"xl/workbook.xml": None}), cells.NO_SHEET),
    "an archive cut short": (".xlsx", lambda: GOOD_XLSX[: len(GOOD_XLSX) // 2], cells.BROKEN),
    "an archive with a broken part": (".ods", lambda: repacked(GOOD_ODS, {"content.xml": CONTENT[:-30]}), cells.BROKEN),
    "a DOCTYPE in an ODS": (".ods", lambda: repacked(GOOD_ODS, {"content.xml": with_doctype(CONTENT)}), cells.BROKEN),
    "a DOCTYPE in an XLSX": (".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": with_doctype(SHEET1)}), cells.BROKEN),
    "a sheet that is not there": (".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": None}), cells.BROKEN),
    "nothing": (".csv", lambda: b"", "Le fichier est vide."),
    "blank lines": (".csv", lambda: b"\r\n \r\n", "Le fichier est vide."),
    "separators only": (".csv", lambda: b";;;\r\n;;;", "Le fichier est vide."),
    "an empty XLSX": (".xlsx", lambda: as_xlsx([]), EMPTY),
    "an empty ODS": (".ods", lambda: as_ods([]), EMPTY),
    "cells in no table": (
        ".ods", lambda: repacked(GOOD_ODS, {"content.xml": re.sub("(</?table:table)([ >])", r"\1s\2", CONTENT)}), EMPTY,
    ),
    "headers alone": (".ods", lambda: as_ods([HEADERS]), EMPTY),
    "no headers": (".xlsx", lambda: as_xlsx(TABLE), sheets.NO_HEADERS),
    "headers too low": (".csv", lambda: b"x\n" * 20 + as_csv(";", "utf-8")([HEADERS, *TABLE]), sheets.NO_HEADERS),
    "NUL bytes": (".csv", lambda: b"Nom;Pr\0nom;Rang\n", cells.NO_SHEET),
    "bytes that are no text": (".csv", lambda: bytes(range(256)) * 4, cells.NO_SHEET),
    "UTF-16": (".csv", lambda: "Nom;Prénom".encode("utf-16"), "Le fichier est codé en UTF-16 : enregistrez-le en CSV UTF-8."),
    "a quote left open": (".csv", 'Nom;Prénom;Rang\n"Durand;Zoé;1\n'.encode, cells.QUOTES.format(line=2)),
}  # fmt: skip
# Those that could take much memory: they are read in a process of their own, which is measured.
HEAVY = [name for name in BAD_FILES if any(word in name for word in ("MB", "bomb", "corner", "million", ",0", "wider"))]


@pytest.mark.parametrize("name", [name for name in BAD_FILES if name not in HEAVY])
def test_a_bad_file_gives_one_french_sentence(tmp_path: Path, name: str) -> None:
    suffix, made, sentence = BAD_FILES[name]
    with pytest.raises(Invalid) as refused:
        read(tmp_path, made(), suffix)
    assert refused.value.sentences == (sentence,)


MEASURED = """
import sys, time
from datetime import date
from pathlib import Path
from flows.ports import sheets
from models.answers import Invalid
before = time.perf_counter()
try:
    sheets.read(Path(sys.argv[1]), today=date(2026, 1, 5), find=lambda text: ())
    print("read")
except Invalid as fault:
    print(fault)
print(time.perf_counter() - before)
status = Path("/proc/self/status")
import resource
if status.exists():
    print(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def measured(path: Path) -> tuple[str, float, float]:
    """What a process of its own says of the file, in how many seconds, and at its peak of how many MB."""
    done = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, timeout=120, check=True)
    sentence, seconds, peak = done.stdout.splitlines()
    return sentence, float(seconds), float(peak) / 1024


@pytest.mark.parametrize("name", HEAVY)
def test_no_file_takes_300_mb_of_memory(tmp_path: Path, name: str) -> None:
    suffix, made, sentence = BAD_FILES[name]
    path = tmp_path / f"heavy{suffix}"
    path.write_bytes(made())
    told_to_us, seconds, peak = measured(path)
    assert told_to_us == sentence
    assert (peak < 300, seconds < 20) == (True, True), (peak, seconds)


def long_ods(table: Sequence[Sequence[Any]]) -> bytes:
    """As ODS, faster than odfpy."""
    kinds = {str: 'string"', date: 'date" office:date-value="{}"', int: 'float" office:value="{}"'}
    lines = (
        "".join(
            f'<table:table-cell office:value-type="{kinds[type(value)].format(value)}><text:p>{value}</text:p></table:table-cell>'
            if value is not None else "<table:table-cell/>"
            for value in line
        )
        for line in table
    )  # fmt: skip
    return rows_of_ods("".join(map(line_of, lines)))


LONG = {"XLSX": (".xlsx", as_xlsx), "ODS": (".ods", long_ods), "CSV": (".csv", as_csv(";", "utf-8"))}


def many_trainees(count: int) -> list[list[Any]]:
    born, retained = date(1980, 1, 1), date(2025, 12, 15)
    people = ([f"Nom{n}", f"Prénom{n}", born, n, "FC", "Béthune", None, "62400", retained, n] for n in range(1, count + 1))
    return [HEADERS, *people]


@pytest.mark.parametrize("way", LONG)
def test_the_fullest_sheet_that_is_taken_stays_under_300_mb(tmp_path: Path, way: str) -> None:
    suffix, written = LONG[way]
    path = tmp_path / f"full{suffix}"
    path.write_bytes(written(many_trainees(9_999)))
    sentence, _, peak = measured(path)
    assert (sentence, peak < 300) == ("read", True), peak


@pytest.mark.parametrize("way", LONG)
def test_2_000_lines_are_read_in_less_than_a_second(tmp_path: Path, way: str) -> None:
    suffix, written = LONG[way]
    path = tmp_path / f"long{suffix}"
    path.write_bytes(written(many_trainees(2_000)))
    best = 9.0
    for _ in range(3):
        before = time.perf_counter()
        sheet = sheets.read(path, today=TODAY, find=find)
        best = min(best, time.perf_counter() - before)
    assert (len(sheet.rows), sheet.faults) == (2_000, ())
    assert best < 1


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    for path, sentence in {
        tmp_path: "Le fichier ne peut pas être lu : c’est un dossier ou un appareil.",
        tmp_path / "absent.ods": "Le fichier ne peut pas être lu : il n’existe pas.",
        Path("/dev/zero"): "Le fichier ne peut pas être lu : c’est un dossier ou un appareil.",
    }.items():
        with pytest.raises(Invalid) as refused:
            sheets.read(path, today=TODAY, find=find)
        assert refused.value.sentences == (sentence,)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_a_damaged_file_gives_a_sheet_or_a_sentence_and_nothing_else(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    good, name, suffix = chance.choice(
        [(GOOD_XLSX, "xl/worksheets/sheet1.xml", ".xlsx"), (GOOD_XLSX, "xl/workbook.xml", ".xlsx"), (GOOD_XLSX, "xl/styles.xml", ".xlsx"),
         (GOOD_XLSX, "xl/sharedStrings.xml", ".xlsx"), (GOOD_ODS, "content.xml", ".ods"), (GOOD_ODS, "", ".ods"), (GOOD_XLSX, "", ".xlsx")]
    )  # fmt: skip
    part = bytearray(zipfile.ZipFile(io.BytesIO(good)).read(name) if name else good)
    for _ in range(chance.choice([1, 1, 3])):
        at = chance.randrange(len(part))
        part[at : at + chance.choice([0, 1, 1, 20])] = chance.choice([b"", b"9", b"-", b'"', b"<", b"\xff", b"e", b"99999999999999999999"])
    try:
        sheet = read(tmp_path, repacked(good, {name: bytes(part)}) if name else bytes(part), suffix)
    except Invalid as refused:
        sentences = refused.sentences
    else:
        TypeAdapter(list[TraineeRetained]).validate_python([row.content for row in sheet.rows])
        sentences = tuple({fault.reason for fault in sheet.faults}) or ("read",)
    assert all(sentences)


# The empty sheet and the demo's files.


def test_the_empty_sheet_is_the_same_every_time_and_holds_nobody(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.xlsx" for number in range(2)]
    for path in paths:
        sheets.write_template(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(Invalid) as refused:
        sheets.read(paths[0], today=TODAY, find=find)
    assert refused.value.sentences == (EMPTY,)


def test_the_empty_sheet_filled_in_is_read(tmp_path: Path) -> None:
    from python_calamine import load_workbook

    path = tmp_path / "modele.xlsx"
    sheets.write_template(path)
    book = load_workbook(path)
    headers = book.get_sheet_by_name("Stagiaires").to_python()[0]
    assert book.sheet_names == ["Stagiaires", "Mode d'emploi"]
    assert [tuple(row) for row in read(tmp_path, as_xlsx([headers, TABLE[0]]), ".xlsx").rows] == expected()[:1]


def test_the_empty_sheet_asks_for_dates_a_regime_and_a_rank(tmp_path: Path) -> None:
    path = tmp_path / "modele.xlsx"
    sheets.write_template(path)
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert [xml.count(f'type="{kind}"') for kind in ("list", "date", "whole")] == [1, 2, 2]
    assert "formation continue,formation initiale" in xml
    assert 'state="frozen"' in xml


def test_the_empty_sheet_is_never_written_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "modele.xlsx"
    path.write_bytes(b"precious")
    for target, sentence in {
        path: "Le modèle n’a pas été écrit : un fichier de ce nom existe déjà.",
        tmp_path / "absent" / "modele.xlsx": "Le modèle n’a pas été écrit : il n’existe pas.",
    }.items():
        with pytest.raises(Invalid) as refused:
            sheets.write_template(target)
        assert refused.value.sentences == (sentence,)
    assert path.read_bytes() == b"precious"


def test_the_example_is_the_demo_s_trainees() -> None:
    from flows.ports.communes import find as find_commune

    sheet = sheets.read(EXAMPLES / "stagiaires.ods", today=TODAY, find=find_commune)
    assert sheet.faults == ()
    assert [row.content for row in sheet.rows] == trainees()


def test_the_example_with_an_error_has_one_on_line_9() -> None:
    from flows.ports.communes import find as find_commune

    sheet = sheets.read(EXAMPLES / "stagiaires-une-erreur.ods", today=TODAY, find=find_commune)
    assert told(sheet) == [(BAD_LINE, "Né(e) le", "cette date n’existe pas dans le calendrier")]
    assert (len(sheet.rows), BAD_LINE) == (22, 9)
    assert BAD_DATE not in str(sheet)


def test_the_committed_examples_are_those_that_the_script_writes() -> None:
    for name, content in examples().items():
        written, fresh = (zipfile.ZipFile(io.BytesIO(one)) for one in ((EXAMPLES / name).read_bytes(), content))
        assert [written.read(part) for part in fresh.namelist()] == [fresh.read(part) for part in fresh.namelist()]
