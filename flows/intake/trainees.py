"""A spreadsheet of retained trainees becomes one step of the ledger, or a list of lines to correct."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from flows.home import Home
from flows.intake import sheets
from flows.intake.sheets import Fault, Sheet
from flows.ports import communes
from flows.ports.clock import now
from models.answers import Answer, Conflict, Done, answer_of
from models.database.faults import Unreachable
from models.ledger.attempt import instant
from states.engine.decide import why_not
from states.grammar.deadlines import paris_day
from states.grammar.guard import Reason, Refused
from states.journal.entry import Entry
from states.lifecycle import ROWS, STEPS
from states.partnership import Partnership
from states.trainees.identity import person_digest
from states.trainees.requests import TraineesRetained

TRIGGER = next(row.trigger for row in ROWS if row.asks is TraineesRetained)
PROPOSED_AT_MOST = 3
REQUEST_LINE = re.compile(r"\(ligne ([0-9]+) de la demande\)")


class Imported(NamedTuple):
    """What came of a file: what was read, what the ledger answers, and whether it had answered so before.

    Without an answer nothing was asked; `reasons` then say what else than the lines stands in the way.
    """

    sheet: Sheet
    answer: Answer | None
    before: bool = False
    reasons: tuple[Reason, ...] = ()


def read_for(home: Home, reference: str, path: Path) -> Sheet:
    """The lines of a file, each held against the people whom the dossier has already. Raises Invalid."""
    return _read(home.views.partnership(reference), path)


def _read(partnership: Partnership, path: Path) -> Sheet:
    digests = {digest for _, digest in partnership.identity_digests}
    return sheets.read(
        path,
        today=paris_day(now()),
        find=communes.find,
        propose=_sparing(communes.proposal),
        retained=lambda family, given, born_on: person_digest(partnership.pepper, family, given, born_on) in digests,
        numbers={trainee.number for trainee in partnership.trainees},
    )


def _sparing(propose: Callable[[str], str]) -> Callable[[str], str]:
    """Comparing with every commune takes a quarter of a second: only the first names that no commune has get a proposal."""
    proposals: dict[str, str] = {}

    def once(text: str) -> str:
        if text not in proposals and len(proposals) < PROPOSED_AT_MOST:
            proposals[text] = propose(text)
        return proposals.get(text, "")

    return once


def content_of(sheet: Sheet) -> dict[str, object]:
    """The request that retains the good lines of a sheet."""
    return {"trainees": [row.content for row in sheet.rows], "file_sha256": sheet.sha256}


def imported(home: Home, reference: str, path: Path, *, person: str, good_lines: bool) -> Imported:
    """Retain the trainees of a file: all of them, or with `good_lines` those whose line is right. Raises Invalid, Unreachable.

    A file that the dossier holds already changes nothing, whoever brings it; one that was refused or undone is asked again.
    """
    actor = home.register.actor(person)
    partnership = home.views.partnership(reference)
    sheet = _read(partnership, path)
    first, tried = _attempts(home, reference, sheet.sha256)
    while first is None:
        if not sheet.rows or (sheet.faults and not good_lines):
            return Imported(sheet, None, reasons=why_not(partnership, STEPS[TRIGGER], at=now(), actor=actor))
        done = _fired(home, reference, sheet, person, f"import:{reference}:{sheet.sha256}:{tried + 1}")
        if not isinstance(done.answer, Conflict):
            return done
        # The key is taken: by the same file a moment ago, which is shown or tried after, or by hand.
        before = tried
        first, tried = _attempts(home, reference, sheet.sha256)
        if first is None and tried == before:
            return done
    return Imported(sheet, first, before=True)


def _attempts(home: Home, reference: str, sha256: str) -> tuple[Answer | None, int]:
    """The import of this very file that nobody has undone, and how often the file was tried."""
    history = home.views.history(reference)
    tries = [line for line in history if _of(line.entry, sha256)]
    first = next((line for line in tries if line.entry.is_done and line.undone_by is None), None)
    return (answer_of(first.entry, first.digest) if first else None), len(tries)


def _of(entry: Entry, sha256: str) -> bool:
    """Whether an entry of the journal is about the file of this fingerprint."""
    return entry.trigger == TRIGGER and entry.request.get("file_sha256") == sha256


def _fired(home: Home, reference: str, sheet: Sheet, person: str, key: str) -> Imported:
    """What the ledger says, by lines of the sheet; the answer to another process that was a moment faster is known by its instant."""
    request, at = TraineesRetained.model_validate(content_of(sheet)), now()
    try:
        answer = home.ledger.fire(reference, TRIGGER, request, actor=person, at=at, key=key, via="import")
    except Unreachable as fault:
        raise Unreachable(f"{fault} Vous pouvez relancer la même commande : un fichier n’est jamais pris deux fois.") from fault
    if isinstance(answer, Refused):
        answer = answer._replace(reasons=tuple(reason._replace(reason=_by_line(reason.reason, sheet)) for reason in answer.reasons))
    return Imported(sheet, answer, before=isinstance(answer, Done) and answer.recorded_at != instant(at))


def _by_line(reason: str, sheet: Sheet) -> str:
    """The reason with the line of the sheet in place of that of the request."""
    return REQUEST_LINE.sub(lambda line: f"(ligne {sheet.rows[int(line[1]) - 1].line})", reason)


def lines_of(faults: tuple[Fault, ...]) -> list[str]:
    """One line for each fault: where, and why."""
    return [f"  - {_place(fault)}{fault.reason}" for fault in faults]


def _place(fault: Fault) -> str:
    """« Ligne 9, colonne « Né(e) le » : »."""
    if not fault.line:
        return f"Colonne « {fault.column} » : " if fault.column else ""
    return f"Ligne {fault.line}{f', colonne « {fault.column} »' if fault.column else ''} : "
