"""What a file of lines and columns holds: its bytes, the grids of a CSV, the parts of a workbook, all of it bounded and none trusted.

Everything is bounded before it is read: bytes on disk, bytes unpacked, lines, columns, cells, letters. Workbooks have a module
of their own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from unicodedata import category
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from models.answers import Invalid
from states.values.french import unreadable

MOST_BYTES = 10_000_000  # on disk
MOST_UNPACKED = 30_000_000  # bytes of XML
MOST_LETTERS = 10_000_000  # in all cells, a repeated cell counted as often as it is repeated
MOST_LINES, MOST_COLUMNS = 10_000, 100
ARCHIVE = b"PK"  # how XLSX and ODS begin

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


class Grid(NamedTuple):
    """One sheet. A mark says of the cell (line, column), counted from 1, what its value does not tell."""

    name: str
    lines: Sequence[Sequence[object]]  # from the cell A1; "" is an empty cell
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
    """The grids that a CSV may be, one for each separator. `suffix` only betrays a text that poses as a workbook. Raises Invalid."""
    if not content.strip(b" \t\r\n;,"):
        raise Invalid("Le fichier est vide.")
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
    lines: list[Sequence[object]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for line in reader:
            if len(lines) == MOST_LINES or len(line) > MOST_COLUMNS:
                return Grid("", lines, {}, refused=TOO_LONG if len(lines) == MOST_LINES else TOO_WIDE)
            lines.append(line)
    except csv.Error:
        return Grid("", lines, {}, refused=QUOTES.format(line=len(lines) + 1))
    return Grid("", lines, {})


class Parts:
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
