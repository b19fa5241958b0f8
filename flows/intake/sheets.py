"""A sheet of retained trainees as requests, with every bad line told in one pass and no name in what is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from flows.intake.sheet_template import BY_FIELD, Wrong, cell, write_template
from flows.intake.tables import HIDDEN_LINE, NOTHING_IN_IT, Fault, Table, empty, filled, headers, merged, nameless, table_of
from flows.ports import child, files
from flows.ports.communes import ListedCommune
from models.answers import Invalid
from states.register.names import odd_letters, skeleton
from states.trainees.identity import plain
from states.trainees.requests import TraineeRetained
from states.values.french import listed, sentences

__all__ = ["Fault", "Row", "Sheet", "read", "write_template"]

MOST_BYTES = 10_000_000
OLDEST = date(1900, 1, 1)
TOO_FULL = "Le fichier demande trop de temps ou de mémoire pour une liste de stagiaires : gardez une feuille et effacez ce qui ne sert pas."
NO_COMMUNE = "la commune de résidence est obligatoire : son nom ou son code INSEE"
WHICH = "écrivez le code INSEE, ou le département entre parenthèses après le nom"


Find = Callable[[str], tuple[ListedCommune, ...]]
Retained = Callable[[str, str, date], bool]
Propose = Callable[[str], str]


class Row(NamedTuple):
    """A line as `TraineeRetained.model_validate` takes it."""

    line: int
    content: dict[str, object]


class Sheet(NamedTuple):
    """The good lines, what is wrong with the others, and the fingerprint of the file."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    sha256: str
    remarks: tuple[Fault, ...] = ()  # what is taken all the same, and to be looked at


def read(
    path: Path,
    *,
    today: date,
    find: Find,
    retained: Retained = lambda *_: False,
    numbers: Collection[int] = (),
    propose: Propose = lambda _: "",
) -> Sheet:
    """Every line of the sheet.

    `retained` and `numbers` are the people of the dossier and the numbers that they bear; `propose` says what a name that
    no commune has may have meant.
    Raises Invalid when the file cannot be read as a sheet of trainees.
    """
    content = files.taken(path, MOST_BYTES)
    sha256 = hashlib.sha256(content).hexdigest()
    told = child.answered("flows.intake.cells", content, path.suffix, too_much=TOO_FULL)
    table = table_of(told)
    if faults := tuple(merged(table)):
        return Sheet((), faults, sha256)
    faults = (*headers(table), *nameless(table))
    rows: list[Row] = []
    find = cache(find)  # many live in the same commune
    lines = [_line(table, number, today, find, propose) for number in filled(table)]
    if not lines:
        raise Invalid(NOTHING_IN_IT)
    twice = _Twice(retained, numbers)
    for line in lines:
        line.wrong.update(twice.faults_of(line) | line.wrong)
        if not line.wrong and not faults:
            rows.append(Row(line.number, line.content))
    found = (*faults, *(fault for line in lines for fault in _faults_of(table, line)))
    return Sheet(tuple(rows), found, sha256, tuple(_misleading(table, rows)))


def _misleading(table: Table, rows: Sequence[Row]) -> Iterator[Fault]:
    """Names in letters of another alphabet, or that pass for a name of another line; the letter is told, and never the name."""
    seen: dict[str, int] = {}
    for row in rows:
        names = [str(row.content.get(field, "")) for field in ("given_name", "family_name")]
        for field, name in zip(("given_name", "family_name"), names, strict=True):
            if odd := odd_letters(name):
                reason = f"ce nom contient {listed(odd)} : vérifiez qu’il s’écrit bien ainsi"
                yield Fault(row.line, table.columns[field][1], reason)
        earlier = seen.setdefault(skeleton(" ".join(sorted(names))), row.line)
        if earlier != row.line:
            yield Fault(row.line, "", f"cette personne passe pour celle de la ligne {earlier} : vérifiez que ce sont deux personnes")


class Line(NamedTuple):
    """A line while it is read: what was understood, and what is wrong by field ("" is the whole line)."""

    number: int
    content: dict[str, object]
    wrong: dict[str, str]


def _line(table: Table, number: int, today: date, find: Find, propose: Propose) -> Line:
    line = Line(number, {"fee_regime": "continuing"}, {"": HIDDEN_LINE} if number in table.grid.hidden_lines else {})
    values = table.grid.lines[number - 1] if number <= len(table.grid.lines) else []
    for field, (place, _) in table.columns.items():
        value = values[place] if place < len(values) else ""
        mark = table.grid.marks.get((number, place + 1), "")
        try:
            if mark or not empty(value):
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
