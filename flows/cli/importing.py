"""What `jalon import trainees` says of a file: what was read, what the ledger answers, line by line."""

from __future__ import annotations

from flows.cli.screen import REFUSED, Page, of_answer
from flows.intake.sheets import Fault, Sheet
from flows.intake.trainees import TRIGGER, Imported, lines_of
from flows.wording import wall_time
from models.answers import Done
from states.grammar.guard import Refused
from states.lifecycle import STEPS
from states.values.french import alternatives, counted
from states.values.law import HOUSE
from states.values.plain import Json


def page(done: Imported) -> Page:
    """What a person reads, and what a program reads: the answer of the ledger, and every bad line."""
    if done.before and isinstance(done.answer, Done):
        return _unchanged(done.sheet, done.answer)
    faults, bad = [_as_json(fault) for fault in done.sheet.faults], len({fault.line for fault in done.sheet.faults})
    if done.answer is None:
        title = f"Refusé. Rien n’est importé : {counted(bad, 'ligne est à corriger', 'lignes sont à corriger')}."
        others = of_answer(Refused(TRIGGER, done.reasons))
        refused = {"trigger": TRIGGER, "reasons": [*others.json["refused"]["reasons"], *faults]}
        return Page([title, *others.lines[1:], *lines_of(done.sheet.faults)], {"refused": refused}, REFUSED)
    answer = _remarked(of_answer(done.answer), done.sheet)
    if not faults:
        return answer
    left = f"  {counted(bad, 'ligne est laissée', 'lignes sont laissées')} de côté :"
    return Page([*answer.lines, left, *lines_of(done.sheet.faults)], {**answer.json, "left_out": faults}, answer.code)


def _remarked(answer: Page, sheet: Sheet) -> Page:
    """The answer, with what was taken and is to be looked at."""
    if not sheet.remarks:
        return answer
    remarks = [_as_json(fault) | {"code": "LOOK_AGAIN"} for fault in sheet.remarks]
    return answer._replace(lines=[*answer.lines, "  À vérifier :", *lines_of(sheet.remarks)], json={**answer.json, "look_again": remarks})


def _unchanged(sheet: Sheet, first: Done) -> Page:
    """The first answer again, under the words that nothing has changed."""
    again = of_answer(first)
    line = f"Ce fichier a déjà été importé le {wall_time(first.recorded_at)[:10]} par {first.actor} (entrée {first.n}) : rien ne change."
    left = len(sheet.rows) + len({fault.line for fault in sheet.faults}) - len(first.trainees)
    aside = f"  {counted(left, 'ligne avait été laissée', 'lignes avaient été laissées')} de côté : corrigez le fichier, puis importez-le"
    lines = [line, *again.lines[1:], *([f"{aside} avec --good-lines."] if left > 0 else [])]
    return Page(lines, {"unchanged": {**again.json["done"], "trainees": list(first.trainees)}})


def _as_json(fault: Fault) -> dict[str, Json]:
    return {
        "code": "BAD_LINE",
        "line": fault.line,
        "column": fault.column,
        "reason": fault.reason,
        "who": alternatives([role.label for role in STEPS[TRIGGER].by]),
        "source": str(HOUSE),
    }
