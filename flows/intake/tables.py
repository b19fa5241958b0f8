"""Where the trainees stand in what a child has read: the one list under headers, and what is wrong with it as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, time
from difflib import get_close_matches
from typing import Any, NamedTuple

from flows.intake.sheet_template import BY_WORD, COLUMNS
from models.answers import Invalid
from states.trainees.identity import plain
from states.trainees.requests import TraineeRetained

AN_HOUR = time()  # or a duration, or a day with an hour
HEADERS_WITHIN = 20  # lines, for a title above them
REQUIRED = frozenset(name for name, field in TraineeRetained.model_fields.items() if field.is_required())
NOTHING_IN_IT = "La feuille ne contient aucun stagiaire : remplissez une ligne par stagiaire sous les en-têtes."
TWO_LISTS = "Plusieurs feuilles portent une liste de stagiaires : gardez-en une seule, ou masquez celles qui ne sont pas à lire."
HIDDEN_COLUMN = "cette colonne est masquée : affichez-la, ou supprimez-la"
NO_HEADERS = (
    "Aucune ligne d’en-têtes dans les 20 premières lignes : il faut au moins Nom de famille, Prénom, Date de naissance, Rang, "
    "Retenu(e) le, et Commune ou Code INSEE."
)
HIDDEN_LINE = "cette ligne est masquée ou filtrée : affichez-la, ou supprimez-la"


class Fault(NamedTuple):
    """What is wrong. `column` is the header as it reads in the file, "" for the whole line; line 0 is the whole file."""

    line: int
    column: str
    reason: str


class Grid(NamedTuple):
    """One sheet as the child tells it, its lines from the cell A1; "" is an empty cell. All else counts lines and columns from 1."""

    name: str
    lines: Sequence[Sequence[object]]
    refused: str = ""  # why the lines end too early, when they do
    marks: Mapping[tuple[int, int], str] = {}  # of a line and a column: what the value does not tell
    merged: Sequence[tuple[int, int, int, int]] = ()  # first line, first column, last line, last column
    hidden_lines: Collection[int] = ()
    hidden_columns: Collection[int] = ()


class Table(NamedTuple):
    """Where the trainees stand in a grid: the line of the headers, and for each field its column (from 0) and header."""

    grid: Grid
    top: int
    columns: dict[str, tuple[int, str]]


def _grid(lines: Sequence[Sequence[object]], marks: Sequence[tuple[int, int, str]] = (), **told: Any) -> Grid:
    values = [[_value(cell) for cell in line] for line in lines]
    return Grid(lines=values, marks={(line, column): mark for line, column, mark in marks}, **told)


def _value(told: object) -> object:
    """What JSON has no word for: a day, or an hour of which no column asks more than that it is none."""
    if not isinstance(told, dict):
        return told
    return date.fromisoformat(told["day"]) if "day" in told else AN_HOUR


def table_of(told: list[dict[str, Any]]) -> Table:
    """The one list of trainees: under headers, in a single sheet. Sheets of lists to choose from are not looked at. Raises Invalid."""
    grids = [_grid(**one) for one in told if plain(one["name"]) != "listes"]
    tables = [table for table in map(_headed, grids) if table]
    if refused := next((grid.refused for grid in ([tables[0].grid] if tables else grids) if grid.refused), None):
        raise Invalid(refused)
    if not tables:
        says_something = any(not empty(value) for grid in grids for line in grid.lines for value in line)
        raise Invalid(NO_HEADERS if says_something else NOTHING_IN_IT)
    written = [table for table in tables if filled(table)]
    if len({table.grid.name for table in written}) > 1:  # the grids of a CSV have one name
        raise Invalid(TWO_LISTS)
    return (written or tables)[0]


def _headed(grid: Grid) -> Table | None:
    """The table under the first line that has three headers or more."""
    for top, line in enumerate(grid.lines[:HEADERS_WITHIN], start=1):
        columns: dict[str, tuple[int, str]] = {}
        for place, value in enumerate(line):
            if isinstance(value, str) and (column := BY_WORD.get(plain(value))):
                columns.setdefault(column.field, (place, _readable(value)))
        if len(columns) >= 3:
            return Table(grid, top, columns)
    return None


def _readable(header: str) -> str:
    """A header as it reads in the file, on one line and without what could disturb a terminal."""
    return "".join(letter for letter in " ".join(header.split()) if letter.isprintable())[:60]


def empty(value: object) -> bool:
    """Whether a cell says nothing."""
    return isinstance(value, str) and not value.strip()


def merged(table: Table) -> Iterator[Fault]:
    """Cells that are one in the list: what they say belongs to nobody."""
    used = {place + 1: header for place, header in table.columns.values()}
    for first, left, last, right in table.grid.merged:
        inside = [column for column in sorted(used) if left <= column <= right]
        if inside and last >= table.top:
            line = max(first, table.top)
            yield Fault(line, used[inside[0]], "des cellules sont fusionnées ici : défusionnez-les, chaque cellule porte sa propre valeur")


def headers(table: Table) -> Iterator[Fault]:
    """Headers that are missing, hidden, given twice, or nearly right: a column left aside by mistake would lose what it says."""
    near: set[str] = set()
    if table.top in table.grid.hidden_lines:
        yield Fault(table.top, "", HIDDEN_LINE)
    for place, header in table.columns.values():
        if place + 1 in table.grid.hidden_columns:
            yield Fault(table.top, header, HIDDEN_COLUMN)
    for place, value in enumerate(table.grid.lines[table.top - 1]):
        word, header = (plain(value), _readable(value)) if isinstance(value, str) else ("", "")
        column = BY_WORD.get(word)
        if column and table.columns[column.field][0] != place:
            yield Fault(table.top, header, f"deux colonnes donnent la même chose ({column.header}) : n’en gardez qu’une")
        elif not column and (close := get_close_matches(word, BY_WORD, n=1, cutoff=0.85)):
            near.add(BY_WORD[close[0]].field)
            yield Fault(table.top, header, f"cet en-tête est inconnu : écrivez « {BY_WORD[close[0]].header} », ou supprimez la colonne")
    present = table.columns.keys() | near
    for column in COLUMNS:
        if column.field in REQUIRED - present:
            yield Fault(table.top, column.header, "cette colonne manque")
    if present.isdisjoint({"commune", "insee"}):
        yield Fault(table.top, "Commune", "cette colonne manque ; « Code INSEE » peut la remplacer")


def nameless(table: Table) -> Iterator[Fault]:
    """Columns with values and no header: they may hold what was shifted."""
    headers = table.grid.lines[table.top - 1]
    columns: set[int] = set()
    for number, line in enumerate(table.grid.lines[table.top :], start=table.top + 1):
        for place, value in enumerate(line):
            if place not in columns and not empty(value) and (place >= len(headers) or empty(headers[place])):
                columns.add(place)
                yield Fault(number, "", f"la {place + 1}e colonne porte des valeurs mais n’a pas d’en-tête")


def filled(table: Table) -> list[int]:
    """The numbers of the lines that say something in a column of the table."""
    places = {place for place, _ in table.columns.values()}
    marked = {line for line, column in table.grid.marks if line > table.top and column - 1 in places}
    lines = enumerate(table.grid.lines[table.top :], start=table.top + 1)
    written = {number for number, line in lines if any(place < len(line) and not empty(line[place]) for place in places)}
    return sorted(marked | written)  # a formula without a value can stand below the last value
