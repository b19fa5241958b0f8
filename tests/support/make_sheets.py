"""Writes docs/examples/stagiaires.ods and the same with one bad line, and any table as ODS: `python tests/support/make_sheets.py`."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import canonicalize
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from odf.number import DateStyle, Day, Month, Text, Year
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableCellProperties, TableColumnProperties, TextProperties
from odf.table import Table, TableCell, TableColumn, TableRow
from odf.text import P

from flows.demo.story import trainees
from flows.ports.communes import find

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
HEADERS = ("Nom", "Prénom", "Né(e) le", "Rang", "Régime", "Commune", "Code INSEE", "Retenu(e) le")
WIDTHS = ("3.2cm", "3.2cm", "2.8cm", "1.6cm", "4.2cm", "5cm", "2.8cm", "2.8cm")
TITLE = "Stagiaires retenus par la sélection du 15 décembre 2025 (exercice : personnes fictives)"
BAD_LINE, BAD_DATE = 9, "31/02/1982"


def ods(sheets: dict[str, Sequence[Sequence[Any]]], *, bold: Sequence[int] = (), widths: Sequence[str] = ()) -> bytes:
    """The sheets as ODS: texts, dates and numbers as cells of their kind, None as an empty cell; the same bytes every time."""
    document = OpenDocumentSpreadsheet()
    styles = _styles(document)
    for name, lines in sheets.items():
        table = Table(name=name)
        for place, width in enumerate(widths, start=1):
            column = Style(name=f"{name}{place}", family="table-column")
            column.addElement(TableColumnProperties(columnwidth=width))
            document.automaticstyles.addElement(column)
            table.addElement(TableColumn(stylename=column))
        for number, line in enumerate(lines, start=1):
            row = TableRow()
            for value in line:
                row.addElement(cell(value, day=styles["day"], **({"stylename": styles["bold"]} if number in bold else {})))
            table.addElement(row)
        document.spreadsheet.addElement(table)
    return _the_same_every_time(document)


def cell(value: Any, *, day: Any = None, **attributes: Any) -> Any:
    """One cell of odfpy."""
    if value is None:
        return TableCell(**attributes)
    if isinstance(value, date):
        attributes |= {"valuetype": "date", "datevalue": value.isoformat(), **({"stylename": day} if day else {})}
        value = f"{value:%d/%m/%Y}"
    elif isinstance(value, str):
        attributes |= {"valuetype": "string"}
    else:
        attributes |= {"valuetype": "float", "value": str(value)}
    made = TableCell(**attributes)
    made.addElement(P(text=str(value)))
    return made


def _styles(document: Any) -> dict[str, Any]:
    french = DateStyle(name="french")
    for part in (Day(style="long"), Text(text="/"), Month(style="long"), Text(text="/"), Year(style="long")):
        french.addElement(part)
    day = Style(name="day", family="table-cell", datastylename=french)
    bold = Style(name="bold", family="table-cell")
    bold.addElement(TextProperties(fontweight="bold"))
    bold.addElement(TableCellProperties(backgroundcolor="#dde6f0"))
    for style in (french, day, bold):
        document.automaticstyles.addElement(style)
    return {"day": day, "bold": bold}


def _the_same_every_time(document: Any) -> bytes:
    written, packed = io.BytesIO(), io.BytesIO()
    document.save(written)
    with ZipFile(written) as source, ZipFile(packed, "w") as target:
        for entry in source.infolist():
            part, kind = source.read(entry), ZIP_STORED
            if entry.filename.endswith(".xml"):  # odfpy keeps namespaces in sets
                part, kind = canonicalize(part.decode()).encode(), ZIP_DEFLATED
            target.writestr(ZipInfo(entry.filename), part, kind)
    return packed.getvalue()


def lines() -> list[list[Any]]:
    """The demo's trainees: a commune by its name, and by its code too when others have that name or on each fifth line."""
    table: list[list[Any]] = [[TITLE], [], list(HEADERS)]
    for asked in trainees():
        born, retained = date.fromisoformat(asked["born_on"]), date.fromisoformat(asked["retained_on"])
        commune, rank = find(asked["insee"])[0].name, asked["rank"]
        code = asked["insee"] if len(find(commune)) > 1 or rank % 5 == 0 else None
        regime = ("formation continue", "FC", None)[rank % 3]
        birth = born if rank % 2 else f"{born:%d/%m/%Y}"
        table.append([asked["family_name"], asked["given_name"], birth, rank, regime, commune, code, retained])
    return table


def examples() -> dict[str, bytes]:
    """The two files, by name."""
    good = lines()
    bad = [[*line] for line in good]
    bad[BAD_LINE - 1][HEADERS.index("Né(e) le")] = BAD_DATE
    return {
        f"{name}.ods": ods({"Stagiaires": table}, bold=(1, 3), widths=WIDTHS)
        for name, table in (("stagiaires", good), ("stagiaires-une-erreur", bad))
    }


if __name__ == "__main__":
    for name, content in examples().items():
        (EXAMPLES / name).write_bytes(content)
        sys.stdout.write(f"{name}: {len(content)} bytes\n")
