"""What a file of lines and columns holds, as grids. It is read in a child (`flows.ports.child`), whose limits bound it."""

from __future__ import annotations

import csv
import io
from unicodedata import category

from flows.intake.workbooks import BROKEN, LOCKED, MOST_COLUMNS, MOST_LINES, NO_SHEET, TOO_LONG, TOO_WIDE, Told, sheets
from flows.ports.child import Untold

LIST_FROM = 3  # columns
ARCHIVE = b"PK"  # how XLSX and ODS begin
OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of old Excel files and of encrypted ones

OLD = "Le fichier est un classeur ancien : enregistrez-le en XLSX ou en ODS."
NOT_TEXT = "Le fichier porte le nom d’un classeur mais ne contient que du texte : enregistrez-le en XLSX ou ODS, ou nommez-le « .csv »."
QUOTES = "Le fichier CSV n’est pas lisible à la ligne {line} : un guillemet n’est pas fermé, ou un texte est trop long."
EMPTY = "Le fichier est vide."
OTHERS = (
    (b"%PDF", "Le fichier est un PDF, pas une feuille de calcul."),
    (b"<", "Le fichier est une page web ou du XML : enregistrez-le en XLSX, en ODS ou en CSV."),
    (b"\xff\xfe", "Le fichier est codé en UTF-16 : enregistrez-le en CSV UTF-8."),
    (b"\xfe\xff", "Le fichier est codé en UTF-16 : enregistrez-le en CSV UTF-8."),
)


def answer(content: bytes, suffix: str) -> list[Told]:
    """The visible sheets of a workbook, or the grids that a CSV may be. `suffix` only betrays a text that poses as a workbook."""
    if not content.startswith(ARCHIVE):
        return _texts(content, suffix)
    try:
        return sheets(content)
    except (Untold, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - whatever a damaged archive does to its readers, down to a panic of calamine
        raise Untold(BROKEN) from None


def _texts(content: bytes, suffix: str) -> list[Told]:
    if not content.strip(b" \t\r\n;,"):
        raise Untold(EMPTY)
    if content.startswith(OLE):
        raise Untold(LOCKED if "EncryptedPackage".encode("utf-16-le") in content else OLD)
    for start, sentence in OTHERS:
        if content.startswith(start):
            raise Untold(sentence)
    text = _decoded(content)
    if suffix.lower() in {".xlsx", ".xlsm", ".xls", ".ods"}:
        raise Untold(NOT_TEXT)
    grids = [_separated(text, separator) for separator in ";,\t"]
    return [grid for grid, widest in grids if grid["refused"] or widest >= LIST_FROM] or [grids[0][0]]


def _decoded(content: bytes) -> str:
    """UTF-8, or what French Windows writes."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            raise Untold(NO_SHEET) from None
    if any(category(letter) == "Cc" and letter not in "\t\r\n" for letter in set(text)):
        raise Untold(NO_SHEET)
    return text


def _separated(text: str, separator: str) -> tuple[Told, int]:
    """The grid that a separator makes, as far as it can be read, and its widest line."""
    lines: list[list[str]] = []
    refused = ""
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            if refused := TOO_LONG if len(lines) == MOST_LINES else TOO_WIDE if len(line) > MOST_COLUMNS else "":
                break
            lines.append(line)
    except csv.Error:
        refused = QUOTES.format(line=len(lines) + 1)
    return {"name": "", "lines": lines, "refused": refused}, max(map(len, lines), default=0)
