"""What a workbook holds, XLSX or ODS: its values by calamine, and by its XML what calamine does not tell.

calamine is given an archive packed again from the very parts that were looked at, so no entry that lies about its size can
reach it.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from flows.intake.cells import BROKEN, ERROR, FORMULA, LOCKED, MOST_COLUMNS, MOST_LINES, NO_SHEET, TOO_FULL, TOO_LONG, TOO_WIDE, Grid, Parts
from models.answers import Invalid

MOST_CELLS = 1_500_000  # calamine keeps a full rectangle for each sheet
NOTE, EACH = 100, 5  # a mark or a merged range costs as much as so many letters, and so does any cell of an XLSX
MOST_SHEETS, MOST_LINKS = 50, 1_000
WIDEST, TALLEST = 16_384, 1_048_576  # no spreadsheet program goes further, even with empty cells
UNREADABLE = (
    BadZipFile,
    zlib.error,
    struct.error,
    expat.ExpatError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    OverflowError,
    RuntimeError,
)
CELL = re.compile("([A-Za-z]{1,3})([0-9]{1,7})")
Start = Callable[[str, dict[str, str]], None]
Told = Callable[[str], None]
VALUES = frozenset(f"office:{kind}value{end}" for kind in ("", "string-", "date-", "time-", "boolean-") for end in ("", "-type"))


def grids(content: bytes) -> list[Grid]:
    """The visible sheets of a workbook, in order. Raises Invalid."""
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            parts = Parts(archive)
            scans = _ods(parts) if "mimetype" in parts.entries else _xlsx(parts)
        if sum(scan.last_line * scan.last_column for scan in scans.values()) > MOST_CELLS:
            raise Invalid(TOO_FULL)
        return list(_valued(parts, scans))
    except UNREADABLE:
        raise Invalid(BROKEN) from None


def _valued(parts: Parts, scans: dict[str, _Scan]) -> Iterator[Grid]:
    """The values, which calamine knows how to read: dates above all."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    try:
        with CalamineWorkbook.from_filelike(parts.packed_again()) as workbook:
            for sheet in workbook.sheets_metadata:
                if sheet.visible != SheetVisibleEnum.Visible or sheet.typ != SheetTypeEnum.WorkSheet:
                    continue
                scan, values = scans[sheet.name], workbook.get_sheet_by_name(sheet.name)
                yield Grid(sheet.name, values.to_python(skip_empty_area=False), scan.marks, tuple(scan.merged))
    except CalamineError:
        raise Invalid(BROKEN) from None


class _Scan:
    """What calamine does not tell of a sheet: its formulas and errors, and how far it reaches."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.marks: dict[tuple[int, int], str] = {}
        self.merged: list[tuple[int, int, int, int]] = []
        self.last_line = self.last_column = 0

    def reach(self, line: int, column: int) -> None:
        if line > MOST_LINES:
            raise Invalid(TOO_LONG)
        if column > MOST_COLUMNS:
            raise Invalid(TOO_WIDE)
        self.last_line, self.last_column = max(self.last_line, line), max(self.last_column, column)

    def mark(self, line: int, column: int, reason: str) -> None:
        self.reach(line, column)
        self.parts.count(NOTE)
        self.marks.setdefault((line, column), reason)

    def merge(self, first: int, left: int, last: int, right: int) -> None:
        self.parts.count(NOTE)
        self.merged.append((first, left, last, right))


def _nothing(*_: object) -> None:
    """Not asked for."""


def _walk(xml: bytes, start: Start, end: Told = _nothing, text: Told = _nothing) -> None:
    """Tell every element by its local name. A DOCTYPE is refused: it is the door of entities."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, attributes: start(tag.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.Parse(xml, True)  # noqa: FBT003  # takes no keyword


def _no_doctype(*_: object) -> None:
    raise Invalid(BROKEN)


def _elements(xml: bytes, tag: str) -> list[dict[str, str]]:
    """The attributes, by local name, of every element called `tag`."""
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == tag:
            if len(found) == MOST_LINKS:
                raise Invalid(TOO_FULL)
            found.append({key.rpartition(":")[2]: value for key, value in attributes.items()})

    _walk(xml, start)
    return found


def _xlsx(parts: Parts) -> dict[str, _Scan]:
    if "xl/workbook.xml" not in parts.entries:
        raise Invalid(NO_SHEET)
    sheets = _elements(parts.take("xl/workbook.xml"), "sheet")
    if len(sheets) > MOST_SHEETS:
        raise Invalid(TOO_FULL)
    targets = {
        link["Id"]: posixpath.join("xl", link["Target"])
        for link in _elements(parts.take("xl/_rels/workbook.xml.rels"), "Relationship")
        if link.get("TargetMode") != "External"
    }
    for name in ("[Content_Types].xml", "_rels/.rels", "xl/styles.xml"):
        if name.lower() in parts.entries:
            parts.take(name)
    shared = _shared(parts.take("xl/sharedStrings.xml")) if "xl/sharedstrings.xml" in parts.entries else []
    paths = {sheet["name"]: posixpath.normpath(targets[sheet["id"]]).lstrip("/") for sheet in sheets}
    return {name: _XlsxScan(path, shared, parts) for name, path in paths.items()}


def _shared(xml: bytes) -> list[int]:
    """The length of each shared text, by its number."""
    lengths: list[int] = []

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "si":
            if len(lengths) == MOST_CELLS:
                raise Invalid(TOO_FULL)
            lengths.append(0)

    def text(data: str) -> None:
        if lengths:
            lengths[-1] += len(data)

    _walk(xml, start, text=text)
    return lengths


class _XlsxScan(_Scan):
    def __init__(self, path: str, shared: list[int], parts: Parts) -> None:
        super().__init__(parts)
        self.shared = shared
        self.line = self.column = 0
        self.kind = self.number = ""
        self.inside = False
        _walk(parts.take(path), self._start, self._end, self._text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self.parts.count(EACH)
            self._move(attributes.get("r"))
            self.kind = attributes.get("t", "")
            if self.kind == "e":
                self.mark(self.line, self.column, ERROR)
        elif tag in {"v", "f", "is"}:
            self.reach(self.line, self.column)
            self.inside, self.number = tag == "v" and self.kind == "s", ""
            if tag == "f":
                self.mark(self.line, self.column, FORMULA)
        elif tag == "row":
            self.line, self.column = int(attributes.get("r", self.line + 1)), 0
        elif tag == "mergeCell":
            first, _, last = attributes["ref"].partition(":")
            self.merge(*_place(first), *_place(last or first))

    def _move(self, reference: str | None) -> None:
        self.line, self.column = _place(reference) if reference else (self.line, self.column + 1)

    def _text(self, data: str) -> None:
        if self.inside:
            self.number += data

    def _end(self, tag: str) -> None:
        if tag == "v" and self.inside:
            self.inside = False
            self.parts.count(self.shared[int(self.number)])


def _place(reference: str) -> tuple[int, int]:
    """The line and the column, both from 1, of a cell like « AB12 »."""
    cell = CELL.fullmatch(reference)
    if cell is None:
        raise Invalid(BROKEN)
    return int(cell[2]), _column(cell[1].upper())


@lru_cache(WIDEST)
def _column(letters: str) -> int:
    """A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _ods(parts: Parts) -> dict[str, _Scan]:
    if b"encryption-data" in parts.take("META-INF/manifest.xml"):
        raise Invalid(LOCKED)
    if b"opendocument.spreadsheet" not in parts.take("mimetype"):
        raise Invalid(NO_SHEET)
    return _OdsScan(parts).sheets


class _OdsScan:
    """All sheets are in one part, where lines and cells say how often they are repeated."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.sheets: dict[str, _Scan] = {}
        self.sheet = _Scan(parts)  # of cells that are in none
        self.line = self.column = self.lines = self.columns = self.letters = 0
        self.cell: dict[str, str] = {}
        self.filled = False
        _walk(parts.take("content.xml"), self._start, self._end, self._text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in {"table-cell", "covered-table-cell"}:
            self.cell, self.letters = attributes, 0
            self.columns = _times(attributes.get("table:number-columns-repeated"), WIDEST)
            self.filled = not VALUES.isdisjoint(attributes) or "table:formula" in attributes
        elif tag == "p":
            self.filled = True
        elif tag == "table-row":
            self.column, self.lines = 1, _times(attributes.get("table:number-rows-repeated"), TALLEST)
        elif tag == "table":
            if attributes["table:name"] in self.sheets or len(self.sheets) == MOST_SHEETS:
                raise Invalid(TOO_FULL)
            self.sheets[attributes["table:name"]] = self.sheet = _Scan(self.parts)
            self.line = 1

    def _text(self, data: str) -> None:
        self.letters += len(data)

    def _end(self, tag: str) -> None:
        if tag in {"table-cell", "covered-table-cell"}:
            if self.filled:
                self._look()
            wide, tall = (_times(self.cell.get(f"table:number-{way}-spanned"), TALLEST) for way in ("columns", "rows"))
            if (wide, tall) != (1, 1):
                self.sheet.merge(self.line, self.column, self.line + tall - 1, self.column + wide - 1)
            self.column += self.columns
            if self.column > WIDEST + 1:
                raise Invalid(BROKEN)
        elif tag == "table-row":
            self.line += self.lines

    def _look(self) -> None:
        right, bottom = self.column + self.columns - 1, self.line + self.lines - 1
        self.sheet.reach(bottom, right)
        self.parts.count(self.letters * self.lines * self.columns)
        mark = ERROR if self.cell.get("calcext:value-type") == "error" else FORMULA if "table:formula" in self.cell else ""
        if mark:
            for line in range(self.line, bottom + 1):
                for column in range(self.column, right + 1):
                    self.sheet.mark(line, column, mark)


def _times(written: str | None, most: int) -> int:
    number = int(written or 1)
    if not 1 <= number <= most:
        raise Invalid(BROKEN)
    return number
