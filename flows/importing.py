"""`jalon import trainees`: a spreadsheet of retained trainees becomes one step of the ledger, or a list of lines to correct."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from flows.home import Home
from flows.ports import communes, sheets
from flows.ports.clock import now
from flows.ports.sheets import Fault, Sheet
from flows.screen import REFUSED, Page, of_answer, short_day
from models.answers import Answer, Done
from states.delays import paris_day
from states.french import counted
from states.identity import person_digest
from states.law import HOUSE
from states.trainee_requests import TraineesRetained
from states.words import Role

TRIGGER = "retain_trainees"


class Imported(NamedTuple):
    """What came of a file: what was read, what the ledger answered (None when nothing was asked), whether it was there before."""

    sheet: Sheet
    answer: Answer | None
    before: bool


def read_for(home: Home, reference: str, path: Path) -> Sheet:
    """The lines of a file, each held against the people whom the dossier has already. Raises Invalid."""
    partnership = home.views.partnership(reference)
    digests = {digest for _, digest in partnership.identity_digests}
    return sheets.read(
        path,
        today=paris_day(now()),
        find=communes.find,
        known=lambda family, given, born_on: person_digest(partnership.pepper, family, given, born_on) in digests,
    )


def content_of(sheet: Sheet) -> dict[str, Any]:
    """The request that retains the good lines of a sheet."""
    return {"trainees": [row.content for row in sheet.rows], "file_sha256": sheet.sha256}


def imported(home: Home, reference: str, path: Path, *, person: str, good_lines: bool) -> Imported:
    """Retain the trainees of a file: all of them, or with `good_lines` those whose line is right. Raises Invalid.

    The key follows from the content of the file: the same file again finds its first answer, and changes nothing.
    """
    sheet = read_for(home, reference, path)
    for number in count(1):
        key = f"import:{reference}:{sheet.sha256}:{number}"
        earlier = home.ledger.answered(key)
        if isinstance(earlier, Done):
            return Imported(sheet, earlier, before=True)
        if earlier is None:
            break
    if not sheet.rows or (sheet.faults and not good_lines):
        return Imported(sheet, None, before=False)
    request = TraineesRetained.model_validate(content_of(sheet))
    answer = home.ledger.fire(reference, TRIGGER, request, actor=person, at=now(), key=key, via="import")
    return Imported(sheet, answer, before=False)


def page(done: Imported) -> Page:
    """What a person reads, and what a program reads: the answer of the ledger, and every bad line."""
    if done.before and isinstance(done.answer, Done):
        known = done.answer
        line = f"Ce fichier a déjà été importé le {short_day(known.recorded_at[:10])} par {known.actor} : rien ne change."
        return Page([line], {"unchanged": {"reference": known.reference, "n": known.n, "trainees": list(known.trainees)}})
    faults = [_told(fault) for fault in done.sheet.faults]
    if done.answer is None:
        bad = len({fault.line for fault in done.sheet.faults})
        title = f"Refusé. Rien n’est importé : {counted(bad, 'ligne est à corriger', 'lignes sont à corriger')}."
        return Page([title, *lines_of(done.sheet.faults)], {"refused": {"trigger": TRIGGER, "reasons": faults}}, REFUSED)
    answer = of_answer(done.answer)
    left = [f"  {counted(len(faults), 'remarque', 'remarques')} sur des lignes laissées de côté :"] if faults else []
    told = {**answer.told, "left_out": faults} if faults else answer.told
    return Page([*answer.lines, *left, *lines_of(done.sheet.faults)], told, answer.code)


def _told(fault: Fault) -> dict[str, Any]:
    return {
        "code": "BAD_LINE",
        "line": fault.line,
        "column": fault.column,
        "reason": fault.reason,
        "who": Role.TRAINING_OFFICER.label,
        "source": str(HOUSE),
    }


def lines_of(faults: tuple[Fault, ...]) -> list[str]:
    """One line for each fault: where, and why."""
    return [f"  - {_place(fault)}{fault.reason}" for fault in faults]


def _place(fault: Fault) -> str:
    """« Ligne 9, colonne « Né(e) le » : »."""
    if not fault.line:
        return f"Colonne « {fault.column} » : " if fault.column else ""
    return f"Ligne {fault.line}{f', colonne « {fault.column} »' if fault.column else ''} : "
