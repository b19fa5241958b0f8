"""What a spreadsheet file holds, cell by cell: XLSX, ODS or CSV, told apart by content and never trusted.

Everything is bounded before it is read: bytes on disk, bytes unpacked, lines, columns, cells, letters. calamine is given
an archive packed again from the very parts that were looked at, so no entry that lies about its size can reach it.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import category
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from models.answers import Invalid
from states.french import unreadable

MOST_BYTES = 10_000_000  # on disk
MOST_UNPACKED = 30_000_000  # bytes of XML
MOST_LETTERS = 10_000_000  # in all cells, a repeated cell counted as often as it is repeated
NOTE, EACH = 100, 5  # a mark or a merged range costs as much as so many letters, and so does any cell of an XLSX
MOST_CELLS = 1_500_000  # calamine keeps a full rectangle for each sheet
MOST_LINES, MOST_COLUMNS, MOST_SHEETS, MOST_LINKS = 10_000, 100, 50, 1_000
WIDEST, TALLEST = 16_384, 1_048_576  # no spreadsheet program goes further, even with empty cells

FORMULA = "cette cellule contient une formule : remplacez-la par sa valeur"
ERROR = "cette cellule affiche une erreur de calcul : écrivez la valeur"
BROKEN = "Le fichier est abîmé ou incomplet : ouvrez-le dans votre tableur et enregistrez-le de nouveau."
LOCKED = "Le fichier est protégé par un mot de passe : enregistrez-le sans mot de passe."
TOO_BIG = "Le fichier est trop gros : 10 Mo au plus, et 30 Mo une fois décompressé."
TOO_FULL = "Le classeur est trop rempli pour une liste de stagiaires : gardez une feuille et effacez ce qui ne sert pas."
TOO_LONG = "Une feuille dépasse 10 000 lignes : gardez une liste plus courte et effacez ce qui se trouve plus bas."
TOO_WIDE = "Une feuille dépasse 100 colonnes : gardez celles de la liste et effacez ce qui se trouve plus à droite."
OLD = "Le fichier est un classeur ancien : enregistrez-le en XLSX ou en ODS."
NO_SHEET = "Le fichier n’est ni un classeur XLSX ou ODS, ni un texte CSV."
NOT_TEXT = "Le fichier porte le nom d’un classeur mais ne contient que du texte : enregistrez-le en XLSX ou ODS, ou nommez-le « .csv »."
QUOTES = "Le fichier CSV n’est pas lisible à la ligne {line} : un guillemet n’est pas fermé, ou un texte est trop long."
OTHERS = (
    (b"%PDF", "Le fichier est un PDF, pas une feuille de calcul."),
    (b"<", "Le fichier est une page web ou du XML : enregistrez-le en XLSX, en ODS ou en CSV."),
    (b"\xff\xfe", "Le fichier est codé en UTF-16 : enregistrez-le en CSV UTF-8."),
    (b"\xfe\xff", "Le fichier est codé en UTF-16 : enregistrez-le en CSV UTF-8."),
)
OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of old Excel files and of encrypted ones
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


class Grid(NamedTuple):
    """One sheet. A mark says of the cell (line, column), counted from 1, what its value does not tell."""

    name: str
    lines: list[list[Any]]  # from the cell A1; "" is an empty cell
    marks: dict[tuple[int, int], str]
    merged: tuple[tuple[int, int, int, int], ...] = ()  # first line, first column, last line, last column
    refused: str = ""  # why the lines end too early, when they do


def taken(path: Path) -> bytes:
    """The bytes of the file. Raises Invalid."""
    try:
        if path.exists() and not path.is_file():
            raise Invalid("Le fichier ne peut pas être lu : c’est un dossier ou un appareil.")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise Invalid(f"Le fichier ne peut pas être lu : {unreadable(fault)}.") from None
    except ValueError:  # a NUL byte in the name
        raise Invalid("Le nom du fichier n’est pas lisible.") from None
    if len(content) > MOST_BYTES:
        raise Invalid(TOO_BIG)
    return content


def grids(content: bytes, suffix: str) -> list[Grid]:
    """The visible sheets, in order; of a text, one for each separator. `suffix` only betrays a text that poses as a workbook."""
    if not content.strip(b" \t\r\n;,"):
        raise Invalid("Le fichier est vide.")
    if content.startswith(b"PK"):
        return _workbook(content)
    if content.startswith(OLE):
        encrypted = "EncryptedPackage".encode("utf-16-le") in content
        raise Invalid(LOCKED if encrypted else OLD)
    for start, sentence in OTHERS:
        if content.startswith(start):
            raise Invalid(sentence)
    text = _text(content)
    if suffix.lower() in {".xlsx", ".xlsm", ".xls", ".ods"}:
        raise Invalid(NOT_TEXT)
    return [_separated(text, separator) for separator in ";,\t"]


def _text(content: bytes) -> str:
    """UTF-8, or what French Windows writes."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            raise Invalid(NO_SHEET) from None
    if any(category(letter) == "Cc" and letter not in "\t\r\n" for letter in set(text)):
        raise Invalid(NO_SHEET)
    return text


def _separated(text: str, separator: str) -> Grid:
    lines: list[list[Any]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for line in reader:
            if len(lines) == MOST_LINES or len(line) > MOST_COLUMNS:
                return Grid("", lines, {}, refused=TOO_LONG if len(lines) == MOST_LINES else TOO_WIDE)
            lines.append(line)
    except csv.Error:
        return Grid("", lines, {}, refused=QUOTES.format(line=len(lines) + 1))
    return Grid("", lines, {})


def _workbook(content: bytes) -> list[Grid]:
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            parts = _Parts(archive)
            scans = _ods(parts) if "mimetype" in parts.entries else _xlsx(parts)
        if sum(scan.last_line * scan.last_column for scan in scans.values()) > MOST_CELLS:
            raise Invalid(TOO_FULL)
        return list(_valued(parts, scans))
    except UNREADABLE:
        raise Invalid(BROKEN) from None


def _valued(parts: _Parts, scans: dict[str, _Scan]) -> Iterator[Grid]:
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


class _Parts:
    """The parts of an archive that are needed, unpacked within bounds."""

    def __init__(self, archive: ZipFile) -> None:
        self.archive = archive
        self.entries = {entry.filename.replace("\\", "/").lower(): entry for entry in archive.infolist()}
        self.unpacked: dict[str, bytes] = {}
        self.letters = 0

    def take(self, name: str) -> bytes:
        """The part `name`; it will be packed again. Raises KeyError when there is none."""
        if name not in self.unpacked:
            entry = self.entries[name.lower()]
            if entry.flag_bits & 1:
                raise Invalid(LOCKED)
            if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:  # zipfile unpacks the others without a bound
                raise Invalid(BROKEN)
            room = MOST_UNPACKED - sum(map(len, self.unpacked.values()))
            with self.archive.open(entry) as part:
                content = part.read(room + 1) if entry.file_size <= room else b"\0" * (room + 1)
            if len(content) > room:
                raise Invalid(TOO_BIG)
            self.unpacked[name] = content
        return self.unpacked[name]

    def count(self, letters: int) -> None:
        """Count the letters of a cell: a short file can repeat a long text."""
        self.letters += letters
        if self.letters > MOST_LETTERS:
            raise Invalid(TOO_FULL)

    def packed_again(self) -> io.BytesIO:
        """An archive of what was taken and of nothing else."""
        target = io.BytesIO()
        with ZipFile(target, "w", ZIP_STORED) as archive:
            for name, content in self.unpacked.items():
                archive.writestr(name, content)
        self.unpacked.clear()
        target.seek(0)
        return target


class _Scan:
    """What calamine does not tell of a sheet: its formulas and errors, and how far it reaches."""

    def __init__(self, parts: _Parts) -> None:
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


def _xlsx(parts: _Parts) -> dict[str, _Scan]:
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
    def __init__(self, path: str, shared: list[int], parts: _Parts) -> None:
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


def _ods(parts: _Parts) -> dict[str, _Scan]:
    if b"encryption-data" in parts.take("META-INF/manifest.xml"):
        raise Invalid(LOCKED)
    if b"opendocument.spreadsheet" not in parts.take("mimetype"):
        raise Invalid(NO_SHEET)
    return _OdsScan(parts).sheets


class _OdsScan:
    """All sheets are in one part, where lines and cells say how often they are repeated."""

    def __init__(self, parts: _Parts) -> None:
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
