"""One table of trainees, and every kind of file that it can be written into."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime
from datetime import time as hour
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter
from make_sheets import ods

from flows.intake import sheets
from flows.intake.sheets import Sheet

TODAY, MIDNIGHT = date(2026, 1, 5), hour()
EMPTY = "La feuille ne contient aucun stagiaire : remplissez une ligne par stagiaire sous les en-têtes."


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


def xlsx_with(change: Callable[[Any, Any], object]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        fill(sheet, [HEADERS, *TABLE], day)
        change(sheet, day)
    return target.getvalue()


def read(folder: Path, content: bytes, suffix: str = ".csv", **asked: Any) -> Sheet:
    path = folder / f"{secrets.token_hex(8)}{suffix}"
    path.write_bytes(content)
    return sheets.read(path, today=TODAY, find=find, **asked)
