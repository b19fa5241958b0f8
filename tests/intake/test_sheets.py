"""A sheet of retained trainees is read whole, whatever wrote it; every bad line is told in one pass, and no name with it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from drawing import draws
from hypothesis import given
from hypothesis import strategies as st
from make_sheets import BAD_DATE, BAD_LINE, EXAMPLES, cell, examples, ods
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableRow
from sheet_files import EMPTY, HEADERS, TABLE, TODAY, as_csv, as_ods, as_xlsx, fill, find, french, read, xlsx_with

from flows.demo.story import trainees
from flows.intake import sheets
from flows.intake.sheets import Sheet
from models.answers import Invalid
from states.trainees.requests import TraineeRetained


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
@draws(25)
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
@draws(60)
def test_a_date_is_read_in_each_of_its_spellings(tmp_path: Path, day: date, spelling: str) -> None:
    table = [HEADERS, [*TABLE[0]]]
    table[1][2] = f" {day.strftime(spelling).zfill(10)} "
    assert [row.content["born_on"] for row in read(tmp_path, as_csv(",", "utf-8")(table)).rows] == [day.isoformat()]


@given(day=st.dates(date(1900, 3, 1), date(2025, 12, 14)))
@draws(20)
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


def test_hidden_sheets_and_lists_to_choose_from_are_not_looked_at(tmp_path: Path) -> None:
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


def test_a_second_list_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    sentence = "Plusieurs feuilles portent une liste de stagiaires : gardez-en une seule, ou masquez celles qui ne sont pas à lire."
    with pytest.raises(Invalid) as refused:
        read(tmp_path, ods({"2024": [["Nos stagiaires"], HEADERS, TABLE[0]], "2025": [HEADERS, *TABLE]}), ".ods")
    assert refused.value.sentences == (sentence,)


def test_a_list_without_lines_does_not_hide_the_one_that_has_some(tmp_path: Path) -> None:
    content = ods({"Modèle": [HEADERS], "Stagiaires": [HEADERS, *TABLE], "Plus tard": [HEADERS]})
    assert [tuple(row) for row in read(tmp_path, content, ".ods").rows] == expected()


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
WHICH = "écrivez le code INSEE, ou le département entre parenthèses après le nom"
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
        "plusieurs communes portent ce nom : Athies (62042, département 62) et Athies (80034, département 80) ; " + WHICH,
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
    sheet = read(tmp_path, as_csv(";", "utf-8")([HEADERS, *bad, TABLE[0], TABLE[0]]), retained=lambda *_: True)
    assert len(sheet.faults) == 12
    assert not any(word in fault.reason for fault in sheet.faults for word in ("Lefèvre", "Zoé", "8765", "Béthune", "premier", "hier"))


def test_a_name_of_many_communes_gives_ten_of_them(tmp_path: Path) -> None:
    (fault,) = one(tmp_path, Commune="Colombe").faults
    assert fault.reason.count(", département 10)") == 10
    assert fault.reason.endswith("et 3 autres ; " + WHICH)


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


def test_a_number_of_the_dossier_is_told(tmp_path: Path) -> None:
    sheet = read(tmp_path, as_csv(";", "utf-8")([HEADERS, *TABLE]), numbers={1, 9})
    assert told(sheet) == [(5, "N°", "un stagiaire du dossier porte déjà ce numéro")]


def test_a_person_of_the_dossier_is_told_even_with_the_names_swapped(tmp_path: Path) -> None:
    sentence = "cette personne est déjà retenue dans ce dossier"
    content = as_csv(";", "utf-8")([HEADERS, *TABLE])
    for names in (("Lefèvre", "Zoé"), ("Zoé", "Lefèvre")):
        sheet = read(tmp_path, content, retained=lambda *person, names=names: person == (*names, date(1987, 3, 12)))
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


# What is hidden is told.

HIDDEN_LINE = "cette ligne est masquée ou filtrée : affichez-la, ou supprimez-la"
HIDDEN_COLUMN = "cette colonne est masquée : affichez-la, ou supprimez-la"


def ods_hiding(before: str, after: str, times: int = 1) -> bytes:
    """The table as ODS, where a part of its XML is another."""
    content, target = as_ods([HEADERS, *TABLE]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            part = source.read(name).decode()
            assert name != "content.xml" or before in part
            archive.writestr(name, part.replace(before, after, times) if name == "content.xml" else part)
    return target.getvalue()


ROW = "<table:table-row>"
COLUMNS = '<table:table-column/><table:table-column table:visibility="collapse"/>'
COLLAPSED = '<table:table-row table:visibility="collapse">'
HIDDEN: dict[str, tuple[str, Callable[[], bytes], list[tuple[int, str, str]]]] = {
    "a line of an XLSX": (
        ".xlsx", lambda: xlsx_with(lambda sheet, _: sheet.set_row(2, None, None, {"hidden": True})), [(3, "", HIDDEN_LINE)],
    ),
    "a line of no height": (".xlsx", lambda: xlsx_with(lambda sheet, _: sheet.set_row(2, 0)), [(3, "", HIDDEN_LINE)]),
    "the headers": (".xlsx", lambda: xlsx_with(lambda sheet, _: sheet.set_row(0, None, None, {"hidden": True})), [(1, "", HIDDEN_LINE)]),
    "columns of an XLSX": (
        ".xlsx", lambda: xlsx_with(lambda sheet, _: sheet.set_column(0, 1, None, None, {"hidden": True})),
        [(1, "Nom", HIDDEN_COLUMN), (1, "Prénom", HIDDEN_COLUMN)],
    ),
    "columns that nobody fills": (
        ".xlsx", lambda: xlsx_with(lambda sheet, _: sheet.set_column(20, 16383, None, None, {"hidden": True})), [],
    ),
    "lines that nobody fills": (".xlsx", lambda: xlsx_with(lambda sheet, _: sheet.set_row(50, None, None, {"hidden": True})), []),
    "the first line of an ODS": (".ods", lambda: ods_hiding(ROW, COLLAPSED), [(1, "", HIDDEN_LINE)]),
    "every line of an ODS": (
        ".ods", lambda: ods_hiding(ROW, COLLAPSED.replace("collapse", "filter"), 9), [(line, "", HIDDEN_LINE) for line in range(1, 7)],
    ),
    "a column of an ODS": (
        ".ods", lambda: ods_hiding(ROW, COLUMNS + ROW),
        [(1, "Prénom", HIDDEN_COLUMN)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_is_hidden_in_the_list_is_told_and_never_taken_without_a_word(tmp_path: Path, kind: str) -> None:
    suffix, made, faults = HIDDEN[kind]
    sheet = read(tmp_path, made(), suffix)
    assert told(sheet) == faults
    assert not {row.line for row in sheet.rows} & {line for line, _, _ in faults}


def test_a_folded_group_is_hidden_and_what_follows_it_is_not(tmp_path: Path) -> None:
    content, rows = as_ods([HEADERS, *TABLE]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(rows, "w") as archive:
        for name in source.namelist():
            part = source.read(name).decode()
            if name == "content.xml":
                lines = part.split("</table:table-row>")
                lines[2] = f'<table:table-row-group table:display="false">{lines[2]}</table:table-row></table:table-row-group>'
                part = "</table:table-row>".join(lines).replace("</table:table-row-group></table:table-row>", "</table:table-row-group>")
            archive.writestr(name, part)
    assert told(read(tmp_path, rows.getvalue(), ".ods")) == [(3, "", HIDDEN_LINE)]


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
        tmp_path / "absent" / "modele.xlsx": "Le modèle n’a pas été écrit : le chemin n’existe pas.",
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
