"""A sheet of retained trainees as requests, with every bad line told in one pass and no name in what is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from flows.intake import cells, workbooks
from flows.intake.cells import Grid
from flows.intake.sheet_template import BY_FIELD, BY_WORD, COLUMNS, Wrong, cell, write_template
from models.answers import Invalid
from states.trainees.identity import plain
from states.trainees.requests import TraineeRetained
from states.values.french import listed, sentences

__all__ = ["CommuneLike", "Fault", "Row", "Sheet", "read", "write_template"]

HEADERS_WITHIN = 20  # lines, for a title above them
REQUIRED = frozenset(name for name, field in TraineeRetained.model_fields.items() if field.is_required())
OLDEST = date(1900, 1, 1)
NOTHING_IN_IT = "La feuille ne contient aucun stagiaire : remplissez une ligne par stagiaire sous les en-têtes."
TWO_LISTS = "Plusieurs feuilles portent une liste de stagiaires : gardez-en une seule, ou masquez celles qui ne sont pas à lire."
NO_COMMUNE = "la commune de résidence est obligatoire : son nom ou son code INSEE"
WHICH = "écrivez le code INSEE, ou le département entre parenthèses après le nom"
NO_HEADERS = (
    "Aucune ligne d’en-têtes dans les 20 premières lignes : il faut au moins Nom de famille, Prénom, Date de naissance, Rang, "
    "Retenu(e) le, et Commune ou Code INSEE."
)


class CommuneLike(Protocol):
    """What is asked of a commune."""

    @property
    def insee(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def department(self) -> str: ...


Find = Callable[[str], tuple[CommuneLike, ...]]
Retained = Callable[[str, str, date], bool]
Propose = Callable[[str], str]


class Fault(NamedTuple):
    """What is wrong. `column` is the header as it reads in the file, "" for the whole line; line 0 is the whole file."""

    line: int
    column: str
    reason: str


class Row(NamedTuple):
    """A line as `TraineeRetained.model_validate` takes it."""

    line: int
    content: dict[str, object]


class Sheet(NamedTuple):
    """The good lines, what is wrong with the others, and the fingerprint of the file."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    sha256: str


class Table(NamedTuple):
    """Where the trainees stand in a grid: the line of the headers, and for each field its column (from 0) and header."""

    grid: Grid
    top: int
    columns: dict[str, tuple[int, str]]


def nobody(_family_name: str, _given_name: str, _born_on: date) -> bool:
    """The dossier has nobody yet."""
    return False


def no_proposal(_text: str) -> str:
    """Nothing comes near."""
    return ""


def read(
    path: Path, *, today: date, find: Find, retained: Retained = nobody, numbers: Collection[int] = (), propose: Propose = no_proposal
) -> Sheet:
    """Every line of the sheet.

    `retained` and `numbers` are the people of the dossier and the numbers that they bear; `propose` says what a name that
    no commune has may have meant.
    Raises Invalid when the file cannot be read as a sheet of trainees.
    """
    content = cells.taken(path)
    sha256 = hashlib.sha256(content).hexdigest()
    table = _table(workbooks.grids(content) if content.startswith(cells.ARCHIVE) else cells.grids(content, path.suffix))
    if faults := tuple(_merged(table)):
        return Sheet((), faults, sha256)
    faults = (*_headers(table), *_nameless(table))
    rows: list[Row] = []
    find = cache(find)  # many live in the same commune
    lines = [_line(table, number, today, find, propose) for number in _filled(table)]
    if not lines:
        raise Invalid(NOTHING_IN_IT)
    twice = _Twice(retained, numbers)
    for line in lines:
        line.wrong.update(twice.faults_of(line) | line.wrong)
        if not line.wrong and not faults:
            rows.append(Row(line.number, line.content))
    return Sheet(tuple(rows), (*faults, *(fault for line in lines for fault in _faults_of(table, line))), sha256)


def _table(grids: list[Grid]) -> Table:
    """The one list of trainees: under headers, in a single sheet. Sheets of lists to choose from are not looked at."""
    grids = [grid for grid in grids if plain(grid.name) != "listes"]
    tables = [table for table in map(_headed, grids) if table]
    if refused := next((grid.refused for grid in ([tables[0].grid] if tables else grids) if grid.refused), None):
        raise Invalid(refused)
    if not tables:
        written = any(not _empty(value) for grid in grids for line in grid.lines for value in line)
        raise Invalid(NO_HEADERS if written else NOTHING_IN_IT)
    filled = [table for table in tables if _filled(table)]
    if len({table.grid.name for table in filled}) > 1:  # the grids of a CSV have one name
        raise Invalid(TWO_LISTS)
    return (filled or tables)[0]


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


def _empty(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _merged(table: Table) -> Iterator[Fault]:
    used = {place + 1: header for place, header in table.columns.values()}
    for first, left, last, right in table.grid.merged:
        inside = [column for column in sorted(used) if left <= column <= right]
        if inside and last >= table.top:
            line = max(first, table.top)
            yield Fault(line, used[inside[0]], "des cellules sont fusionnées ici : défusionnez-les, chaque cellule porte sa propre valeur")


def _headers(table: Table) -> Iterator[Fault]:
    """Headers that are missing, given twice, or nearly right: a column left aside by mistake would lose what it says."""
    near: set[str] = set()
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


def _nameless(table: Table) -> Iterator[Fault]:
    """Columns with values and no header: they may hold what was shifted."""
    headers = table.grid.lines[table.top - 1]
    columns: set[int] = set()
    for number, line in enumerate(table.grid.lines[table.top :], start=table.top + 1):
        for place, value in enumerate(line):
            if place not in columns and not _empty(value) and (place >= len(headers) or _empty(headers[place])):
                columns.add(place)
                yield Fault(number, "", f"la {place + 1}e colonne porte des valeurs mais n’a pas d’en-tête")


def _filled(table: Table) -> list[int]:
    """The numbers of the lines that say something in a column of the table."""
    places = {place for place, _ in table.columns.values()}
    marked = {line for line, column in table.grid.marks if line > table.top and column - 1 in places}
    lines = enumerate(table.grid.lines[table.top :], start=table.top + 1)
    written = {number for number, line in lines if any(place < len(line) and not _empty(line[place]) for place in places)}
    return sorted(marked | written)  # a formula without a value can stand below the last value


class Line(NamedTuple):
    """A line while it is read: what was understood, and what is wrong by field ("" is the whole line)."""

    number: int
    content: dict[str, object]
    wrong: dict[str, str]


def _line(table: Table, number: int, today: date, find: Find, propose: Propose) -> Line:
    line = Line(number, {"fee_regime": "continuing"}, {})
    values = table.grid.lines[number - 1] if number <= len(table.grid.lines) else []
    for field, (place, _) in table.columns.items():
        value = values[place] if place < len(values) else ""
        mark = table.grid.marks.get((number, place + 1), "")
        try:
            if mark or not _empty(value):
                line.content[field] = cell(BY_FIELD[field], value, mark)
        except Wrong as fault:
            line.wrong[field] = str(fault)
    line.wrong.update(_lives(table, line, find, propose) | _dates(line.content, today))
    for field in ("born_on", "retained_on"):
        if isinstance(day := line.content.get(field), date):
            line.content[field] = day.isoformat()
    line.wrong.update(_refused(table, line) | line.wrong)
    return line


def _lives(table: Table, line: Line, find: Find, propose: Propose) -> dict[str, str]:
    """The commune, by its code; by its name when no code is given and one commune only has this name."""
    name, code = (str(line.content.pop(field, "")) for field in ("commune", "insee"))
    line.content.pop("postcode", None)  # looked at, but several communes share one
    if "insee" in line.wrong or ("commune" in line.wrong and not code) or table.columns.keys().isdisjoint({"commune", "insee"}):
        return {}
    if not (name or code):
        return {"commune" if "commune" in table.columns else "insee": NO_COMMUNE}
    places = {place.insee: place for place in find(code or name)}  # a former code leads to the commune of today
    if len(places) == 1:
        line.content["insee"] = next(iter(places))
        return {}
    if code:
        return {"insee": "aucune commune ne porte ce code INSEE"}
    if not places:
        meant = propose(name)
        return {"commune": f"aucune commune ne porte ce nom : vérifiez-le, ou écrivez son code INSEE{f' ; {meant}' if meant else ''}"}
    named = [f"{place.name} ({place.insee}, département {place.department})" for place in places.values()]
    more = [f"{len(named) - 10} autres"] if len(named) > 11 else []
    candidates = listed(named[: 10 if more else None] + more)
    return {"commune": f"plusieurs communes portent ce nom : {candidates} ; {WHICH}"}


def _dates(content: Mapping[str, object], today: date) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for field in ("born_on", "retained_on"):
        day = content.get(field)
        if isinstance(day, date) and day > today:
            wrong[field] = "cette date est dans l’avenir"
        elif isinstance(day, date) and day < OLDEST:
            wrong[field] = "cette date est antérieure à 1900"
    born, retained = content.get("born_on"), content.get("retained_on")
    if not wrong and isinstance(born, date) and isinstance(retained, date) and born >= retained:
        wrong["born_on"] = "la date de naissance n’est pas antérieure à la date de sélection"
    return wrong


def _refused(table: Table, line: Line) -> dict[str, str]:
    """What the request itself refuses: empty fields, invisible letters, numbers out of bounds."""
    try:
        TraineeRetained.model_validate(line.content)
    except ValidationError as error:
        places = [item["loc"] for item in error.errors(include_url=False, include_input=False)]
        reasons = [sentence.partition(" : ")[2].removesuffix(".") for sentence in sentences(TraineeRetained, error)]
        return {str(place[0]): reason for place, reason in zip(places, reasons, strict=True) if place and place[0] in table.columns}
    return {}


class _Twice:
    """Who and which number was met, in the dossier or on an earlier line."""

    def __init__(self, retained: Retained, taken: Collection[int]) -> None:
        self.retained = retained
        self.taken = taken
        self.persons: dict[tuple[str, ...], int] = {}
        self.numbers: dict[int, int] = {}

    def faults_of(self, line: Line) -> dict[str, str]:
        wrong = {}
        content = {field: value for field, value in line.content.items() if field not in line.wrong}
        number = content.get("number")
        if isinstance(number, int) and number and self.numbers.setdefault(number, line.number) != line.number:
            wrong["number"] = f"ce numéro est déjà donné à la ligne {self.numbers[number]}"
        if {"family_name", "given_name", "born_on"} <= content.keys():
            family, given, born = (str(content[field]) for field in ("family_name", "given_name", "born_on"))
            person = (*sorted((plain(family), plain(given))), born)
            if self.persons.setdefault(person, line.number) != line.number:
                wrong[""] = f"la même personne est déjà à la ligne {self.persons[person]}"
            elif any(self.retained(*names, date.fromisoformat(born)) for names in ((family, given), (given, family))):
                wrong[""] = "cette personne est déjà retenue dans ce dossier"
        if number in self.taken and not wrong:
            wrong["number"] = "un stagiaire du dossier porte déjà ce numéro"
        return wrong


def _faults_of(table: Table, line: Line) -> list[Fault]:
    """The faults of a line, in the order of its columns."""
    order = sorted(line.wrong, key=lambda field: table.columns.get(field, (-1, ""))[0])
    return [Fault(line.number, table.columns.get(field, (-1, ""))[1], line.wrong[field]) for field in order]
