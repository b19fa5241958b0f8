"""What a workbook holds, XLSX or ODS: its values by calamine, and by its XML what calamine does not tell.

That is formulas, errors, what is hidden, and what an ODS merges.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from xml.parsers import expat
from zipfile import ZipFile

from flows.ports.child import Untold

MOST_UNPACKED = 30_000_000  # bytes of XML
MOST_LINES, MOST_COLUMNS = 10_000, 100
FORMULA, ERROR = "formula", "error"
TRUE = {"1", "true"}
GROUPS = {"table-row-group", "table-column-group"}
VALUED = {"office:value-type", "table:formula", "calcext:value-type"}  # what a cell has that is not empty

BROKEN = "Le fichier est abîmé ou incomplet : ouvrez-le dans votre tableur et enregistrez-le de nouveau."
LOCKED = "Le fichier est protégé par un mot de passe : enregistrez-le sans mot de passe."
UNPACKED = "Le classeur est trop gros : 30 Mo au plus une fois décompressé."
TOO_LONG = "Une feuille dépasse 10 000 lignes : gardez une liste plus courte et effacez ce qui se trouve plus bas."
TOO_WIDE = "Une feuille dépasse 100 colonnes : gardez celles de la liste et effacez ce qui se trouve plus à droite."
NO_SHEET = "Le fichier n’est ni un classeur XLSX ou ODS, ni un texte CSV."

Told = dict[str, object]  # a grid, as `sheets.Grid` takes it
Place = tuple[int, int]  # a line and a column


def sheets(content: bytes) -> list[Told]:
    """The visible sheets, in order."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    with ZipFile(io.BytesIO(content)) as archive:
        if any(entry.flag_bits & 1 for entry in archive.infolist()):
            raise Untold(LOCKED)
        if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
            raise Untold(UNPACKED)
        scans = _ods(archive) if "mimetype" in archive.namelist() else _xlsx(archive)
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        seen = [
            (scans[sheet.name], workbook.get_sheet_by_name(sheet.name))
            for sheet in workbook.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]
        return [scan.told(sheet.name, sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges) for scan, sheet in seen]


class Scan:
    """What calamine does not tell of a sheet. Lines and columns are counted from 1."""

    def __init__(self) -> None:
        self.marks: dict[Place, str] = {}
        self.merged: list[tuple[int, int, int, int]] = []  # first line, first column, last line, last column
        self.hidden_lines: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.line = self.column = 0  # the last of the row or of the cell that was begun, repeated or not
        self.tall = self.wide = 1
        self.last_column = 0  # that was described

    def row(self, number: int, times: int, *, hidden: bool) -> None:
        """A row begins, which may stand for several."""
        self.line, self.tall, self.column = number + times - 1, times, 0
        if hidden:
            self.hidden_lines.update(range(number, min(self.line, MOST_LINES) + 1))

    def columns(self, first: int, last: int, *, hidden: bool) -> None:
        """Columns are described, before any row."""
        self.last_column = last
        if hidden:
            self.hidden_columns.update(range(first, min(last, MOST_COLUMNS) + 1))

    def filled(self, mark: str = "") -> None:
        """The cell holds something: no list reaches as far as some do, and calamine keeps the whole rectangle."""
        if self.line > MOST_LINES:
            raise Untold(TOO_LONG)
        if self.column > MOST_COLUMNS:
            raise Untold(TOO_WIDE)
        if mark:
            for line in range(self.line - self.tall + 1, self.line + 1):
                for column in range(self.column - self.wide + 1, self.column + 1):
                    self.marks.setdefault((line, column), mark)

    def told(self, name: str, lines: Sequence[Sequence[object]], merged: list[tuple[Place, Place]] | None) -> Told:
        """The sheet, with what calamine says of it."""
        ranges = [*self.merged, *((top + 1, left + 1, last + 1, right + 1) for (top, left), (last, right) in merged or ())]
        values = [[_value(cell) for cell in line] for line in lines]
        marks = [(*place, mark) for place, mark in self.marks.items()]
        hidden = {"hidden_lines": sorted(self.hidden_lines), "hidden_columns": sorted(self.hidden_columns)}
        return {"name": name, "lines": values, "marks": marks, "merged": ranges, **hidden}


def _value(cell: object) -> object:
    """A value as JSON has it: a day by its name, and of an hour or a duration only that it is no day."""
    if type(cell) is date:
        return {"day": cell.isoformat()}
    return {} if isinstance(cell, date | time | timedelta) else cell


def _walk(xml: bytes, start: Callable[[str, dict[str, str]], None], end: Callable[[str], object] = lambda _: None) -> None:
    """Tell every element by its local name. A DOCTYPE is refused: it is the door of entities."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: start(tag.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.Parse(xml, True)  # noqa: FBT003  # takes no keyword


def _no_doctype(*_: object) -> None:
    raise Untold(BROKEN)


def _elements(xml: bytes, wanted: str) -> list[dict[str, str]]:
    """The attributes, by local name, of every element called so."""
    found: list[dict[str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == wanted:
            found.append({name.rpartition(":")[2]: value for name, value in attributes.items()})

    _walk(xml, start)
    return found


def _xlsx(archive: ZipFile) -> dict[str, Scan]:
    parts = {name.lower(): name for name in archive.namelist()}
    if "xl/workbook.xml" not in parts:
        raise Untold(NO_SHEET)
    links = {link["Id"]: link["Target"] for link in _elements(archive.read(parts["xl/_rels/workbook.xml.rels"]), "Relationship")}
    scans: dict[str, Scan] = {}
    for sheet in _elements(archive.read(parts["xl/workbook.xml"]), "sheet"):
        path = posixpath.normpath(posixpath.join("xl", links[sheet["id"]])).lstrip("/")
        scans[sheet["name"]] = _of_xlsx(archive.read(parts[path.lower()]))
    return scans


def _of_xlsx(xml: bytes) -> Scan:
    scan = Scan()

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            scan.line, scan.column = _place(attributes["r"]) if "r" in attributes else (scan.line, scan.column + 1)
            if attributes.get("t") == "e":
                scan.filled(ERROR)
        elif tag in {"v", "is", "f"}:
            scan.filled(FORMULA if tag == "f" else "")
        elif tag == "row":
            scan.row(int(attributes.get("r", scan.line + 1)), 1, hidden=_hidden(attributes, "ht"))
        elif tag == "col":
            scan.columns(int(attributes["min"]), int(attributes["max"]), hidden=_hidden(attributes, "width"))

    _walk(xml, start)
    return scan


def _hidden(attributes: dict[str, str], size: str) -> bool:
    """Hidden, or of no height or width."""
    return attributes.get("hidden") in TRUE or float(attributes.get(size, 1)) == 0


def _place(reference: str) -> Place:
    """The line and the column of a cell like « AB12 »: A is 1, AA is 27."""
    letters, number = reference.rstrip("0123456789"), 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return int(reference[len(letters) :]), number


def _ods(archive: ZipFile) -> dict[str, Scan]:
    """All sheets are in one part, where lines, columns and cells say how often they are repeated."""
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise Untold(LOCKED)
    if b"opendocument.spreadsheet" not in archive.read("mimetype"):
        raise Untold(NO_SHEET)
    scans: list[tuple[str, Scan]] = [("", Scan())]  # the first of cells that are in no sheet
    folded: list[bool] = []  # of the groups that are open

    def start(tag: str, given: dict[str, str]) -> None:
        _, scan = scans[-1]
        hidden = given.get("table:visibility", "visible") != "visible" or any(folded)
        if tag in {"table-cell", "covered-table-cell"}:
            _of_ods(scan, given)
        elif tag == "table-row":
            scan.row(scan.line + 1, _times(given, "rows-repeated"), hidden=hidden)
        elif tag == "table-column":
            scan.columns(scan.last_column + 1, scan.last_column + _times(given, "columns-repeated"), hidden=hidden)
        elif tag in GROUPS:
            folded.append(given.get("table:display") == "false")
        elif tag == "table":
            scans.append((given["table:name"], Scan()))

    _walk(archive.read("content.xml"), start, lambda tag: folded.pop() if tag in GROUPS else None)
    if len(dict(scans)) < len(scans):
        raise Untold(BROKEN)
    return dict(scans)


def _of_ods(scan: Scan, cell: dict[str, str]) -> None:
    scan.wide = _times(cell, "columns-repeated")
    scan.column += scan.wide
    if not VALUED.isdisjoint(cell):
        scan.filled(ERROR if cell.get("calcext:value-type") == "error" else FORMULA if "table:formula" in cell else "")
    tall, wide = _times(cell, "rows-spanned"), _times(cell, "columns-spanned")
    if (tall, wide) != (1, 1):
        scan.merged.append((scan.line, scan.column, scan.line + tall - 1, scan.column + wide - 1))


def _times(given: dict[str, str], way: str) -> int:
    return max(1, int(given.get(f"table:number-{way}", 1)))
