"""Whatever a file is, it gives a sheet or one French sentence, in little time and little memory."""

from __future__ import annotations

import io
import os
import random
import re
import secrets
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xlsxwriter
from drawing import draws
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sheet_files import EMPTY, HEADERS, TABLE, TODAY, as_csv, as_ods, as_xlsx, find, read

from flows.intake import cells, sheets, tables, workbooks
from models.answers import Invalid
from states.trainees.requests import TraineeRetained

GOOD_XLSX, GOOD_ODS = as_xlsx([HEADERS, *TABLE]), as_ods([HEADERS, *TABLE])
CONTENT = zipfile.ZipFile(io.BytesIO(GOOD_ODS)).read("content.xml").decode()
SHEET1 = zipfile.ZipFile(io.BytesIO(GOOD_XLSX)).read("xl/worksheets/sheet1.xml").decode()
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)


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
TOO_BIG = "Le fichier est trop gros : 10 Mo au plus."
HUGE_PART = b" " * 100_000_000
NAMED = [*TABLE[0][:3]]
# Whatever the file, the sentence that answers. A file is made when its test runs.
BAD_FILES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "50 MB of text": (".csv", lambda: b"Nom;Rang\n" * 5_600_000, TOO_BIG),
    "50 MB of a workbook": (".xlsx", lambda: GOOD_XLSX + bytes(50_000_000), TOO_BIG),
    "a part of 100 MB in an XLSX": (".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": HUGE_PART}), workbooks.UNPACKED),
    "a part of 100 MB in an ODS": (".ods", lambda: repacked(GOOD_ODS, {"content.xml": HUGE_PART}), workbooks.UNPACKED),
    "a part of 100 MB that says 100 bytes": (".ods", lambda: lying(repacked(GOOD_ODS, {"content.xml": HUGE_PART})), cells.BROKEN),
    "a bomb packed with bzip2": (".ods", lambda: repacked(GOOD_ODS, {"content.xml": HUGE_PART}, zipfile.ZIP_BZIP2), workbooks.UNPACKED),
    "85,000 parts": (".xlsx", many_entries, cells.NO_SHEET),
    "a cell in the last corner of an XLSX": (
        ".xlsx", lambda: rows_of_xlsx(row_of("A1", "1") + row_of("XFD1048576", "1")), cells.TOO_LONG,
    ),
    "a value in each of a million lines of an ODS": (".ods", lambda: rows_of_ods(line_of(cell_of("x"), 1_000_000)), cells.TOO_LONG),
    "a value in 16,000 columns of an ODS": (".ods", lambda: rows_of_ods(line_of(cell_of("x", 16_000))), cells.TOO_WIDE),
    "lines wider than any program's": (".ods", lambda: rows_of_ods(line_of(EMPTY_CELLS * 200)), EMPTY),
    "a count that is no count": (".ods", lambda: rows_of_ods(line_of(EMPTY_CELLS, -5)), cells.BROKEN),
    "a text of 1 MB in each of a million cells of an ODS": (
        ".ods", lambda: rows_of_ods(line_of(cell_of("x" * 1_000_000, 100), 10_000)), sheets.TOO_FULL,
    ),
    "a shared text of 1 MB in 10,000 cells of an XLSX": (
        ".xlsx", lambda: rows_of_xlsx("".join(row_of(f"A{n}", "0", "s") for n in range(1, 10_000)), "x" * 1_000_000), sheets.TOO_FULL,
    ),
    "a shared text that is not there": (".xlsx", lambda: rows_of_xlsx(row_of("A1", "999", "s")), cells.BROKEN),
    "cells in the far corners of 50 sheets": (".ods", far_corners, sheets.TOO_FULL),
    "10 MB of separators": (".csv", lambda: b"x" + b";" * 9_000_000, cells.TOO_WIDE),
    "10 MB of short lines": (".csv", lambda: b"x\n" * 4_900_000, cells.TOO_LONG),
    "a million shared texts and more": (
        ".xlsx", lambda: repacked(GOOD_XLSX, {"xl/sharedStrings.xml": many("<si/>", "sst")}), tables.NO_HEADERS,
    ),
    "a million merged cells": (
        ".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": many('<mergeCell ref="A1:B2"/>', "a")}), EMPTY,
    ),
    "a million errors": (
        ".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": many('<c r="A1" t="e"/>', "a")}), EMPTY,
    ),
    "a million cells of nothing": (
        ".xlsx", lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": many("<c/>", "worksheet")}), EMPTY,
    ),
    "a million formulas of an ODS": (".ods", lambda: rows_of_ods(line_of(FORMULA_CELLS, 10_000)), sheets.TOO_FULL),
    "a million lines of nothing in an ODS": (".ods", lambda: rows_of_ods("<table:table-row/>" * 1_500_000), EMPTY),
    "a million sheets": (".xlsx", lambda: repacked(GOOD_XLSX, {"xl/workbook.xml": many("<sheet/>", "workbook")}), sheets.TOO_FULL),
    "51 sheets": (".xlsx", lambda: many_sheets(51), EMPTY),
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
    "no headers": (".xlsx", lambda: as_xlsx(TABLE), tables.NO_HEADERS),
    "headers too low": (".csv", lambda: b"x\n" * 20 + as_csv(";", "utf-8")([HEADERS, *TABLE]), tables.NO_HEADERS),
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
from flows.intake import sheets
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
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Measured(NamedTuple):
    """What a process of its own says of a file, in how many seconds, and at its peak and its child's of how many MB."""

    sentence: str
    seconds: float
    peak: float
    in_child: float


def measured(path: Path) -> Measured:
    done = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, timeout=120, check=True)
    sentence, seconds, *peaks = done.stdout.splitlines()
    return Measured(sentence, float(seconds), *(float(peak) / 1024 for peak in peaks))


@pytest.mark.parametrize("name", HEAVY)
def test_no_file_takes_more_time_or_memory_than_a_child_may(tmp_path: Path, name: str) -> None:
    suffix, made, sentence = BAD_FILES[name]
    path = tmp_path / f"heavy{suffix}"
    path.write_bytes(made())
    told = measured(path)
    assert told.sentence == sentence
    assert (told.peak < 200, told.in_child < 350, told.seconds < 40) == (True, True, True), told


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
def test_the_fullest_sheet_is_taken(tmp_path: Path, way: str) -> None:
    suffix, written = LONG[way]
    path = tmp_path / f"full{suffix}"
    path.write_bytes(written(many_trainees(9_999)))
    told = measured(path)
    assert (told.sentence, told.peak < 300) == ("read", True), told


@pytest.mark.parametrize("way", LONG)
def test_2_000_lines_take_less_than_a_second(tmp_path: Path, way: str) -> None:
    suffix, written = LONG[way]
    path = tmp_path / f"long{suffix}"
    path.write_bytes(written(many_trainees(2_000)))
    best = 9.0
    for _ in range(3):
        before = sum(os.times()[:4])  # of this process and of its children: others on the machine do not count
        sheet = sheets.read(path, today=TODAY, find=find)
        best = min(best, sum(os.times()[:4]) - before)
    assert (len(sheet.rows), sheet.faults) == (2_000, ())
    assert best < 1


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    for path, sentence in {
        tmp_path: "Le fichier ne peut pas être lu (c’est un dossier ou un appareil).",
        tmp_path / "absent.ods": "Le fichier ne peut pas être lu (le chemin n’existe pas).",
        Path("/dev/zero"): "Le fichier ne peut pas être lu (c’est un dossier ou un appareil).",
    }.items():
        with pytest.raises(Invalid) as refused:
            sheets.read(path, today=TODAY, find=find)
        assert refused.value.sentences == (sentence,)


@given(seed=st.integers(0, 2**32))
@draws(150)
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
