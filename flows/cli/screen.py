"""What a person reads in the terminal, and what a program reads with --json; one exit code for each kind of answer."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from flows.ports.terminal import say
from models.answers import Answer, Conflict, Done
from models.read.as_json import reason_as_json
from states.grammar.guard import Refused
from states.values.french import listed
from states.values.plain import escaped

LISTED_AT_MOST = 12
DONE, UNEXPECTED, USAGE, REFUSED, CONFLICT, UNREACHABLE = 0, 1, 2, 3, 4, 5


class Page(NamedTuple):
    """One answer in both languages: lines for a person, JSON values for a program, and how the command ends."""

    lines: list[str]
    json: Any
    code: int = DONE
    beside: str = ""  # what a program is told on the error stream, where its JSON has no room for it


def show(page: Page, *, as_json: bool) -> int:
    """Print a page and answer with its exit code. What went wrong goes to the error stream, except as JSON."""
    if as_json:
        text, stream = escaped(json.dumps(page.json, ensure_ascii=False, indent=2)), sys.stdout
        if page.beside:
            say(page.beside, sys.stderr)
    else:
        text, stream = "\n".join(page.lines), sys.stdout if page.code == DONE else sys.stderr
    try:
        say(text, stream)
    except BrokenPipeError:
        # The reader of a pipe has gone, as with `| head`; the answer stays what it was.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return page.code


def of_answer(answer: Answer) -> Page:
    """The page of an answer of the ledger."""
    if isinstance(answer, Done):
        return _done(answer)
    if isinstance(answer, Conflict):
        conflict = {
            "trigger": answer.trigger,
            "reason": answer.sentence,
            "who": answer.who,
            "when": answer.when,
            "state": answer.state.value,
        }
        where = f"  Le dossier est « {answer.state.label} »."
        return Page([f"Rien n’est fait. {answer.sentence}", where], {"conflict": conflict}, CONFLICT)
    return _refused(answer)


def _done(done: Done) -> Page:
    moved = done.source is not done.state
    first = f"Fait. {done.reference} est « {done.state.label} »" if moved else f"Consigné. {done.reference} reste « {done.state.label} »"
    lines = [f"{first} (version {done.version}, entrée {done.n} du journal)."]
    if done.trainees:
        lines.append(_numbered(done.trainees))
    lines += [f"  {note}" for note in done.notes]
    lines += [f"  À savoir : {reason.reason}" for reason in done.warnings]
    fields = {
        "reference": done.reference,
        "trigger": done.trigger,
        "n": done.n,
        "version": done.version,
        "from": done.source.value,
        "to": done.state.value,
        "actor": done.actor,
        "role": done.role,
        "effective_on": done.effective_on,
        "recorded_at": done.recorded_at,
        "hash": done.digest,
        **({"on_behalf_of": done.on_behalf_of} if done.on_behalf_of else {}),
        **({"trainee": done.trainees[0]} if len(done.trainees) == 1 else {"trainees": list(done.trainees)} if done.trainees else {}),
        **({"notes": list(done.notes)} if done.notes else {}),
        "warnings": [reason_as_json(reason) for reason in done.warnings],
    }
    return Page(lines, {"done": fields})


def _numbered(trainees: tuple[int, ...]) -> str:
    if len(trainees) == 1:
        return f"  Ce stagiaire porte le n° {trainees[0]}."
    if len(trainees) > LISTED_AT_MOST:
        return f"  {len(trainees)} stagiaires sont retenus."
    return f"  Ces stagiaires portent les {listed([f'n° {number}' for number in trainees])}."


def _refused(refused: Refused) -> Page:
    lines = ["Refusé."]
    for reason in refused.reasons:
        lines += [f"  - {reason.reason}", f"    ({reason.code} ; peut y remédier : {reason.who} ; source : {reason.source})"]
    fields = {"trigger": refused.trigger, "reasons": [reason_as_json(reason) for reason in refused.reasons]}
    return Page(lines, {"refused": fields}, REFUSED)


def invalid(sentences: Sequence[str]) -> Page:
    """The page of a question that cannot be asked like that."""
    return Page([*sentences], {"invalid": {"reasons": [*sentences]}}, USAGE)


def unreachable(sentence: str) -> Page:
    """The page of something that does not answer."""
    return Page([sentence], {"unreachable": {"reason": sentence}}, UNREACHABLE)


def unexpected(fault: Exception, where: str) -> Page:
    """The page of a fault of jalon itself."""
    sentence = f"Erreur inattendue de jalon ({type(fault).__name__}). Le détail est dans {where} : transmettez-le à l’exploitant."
    return Page([sentence], {"unexpected": {"reason": sentence}}, UNEXPECTED)
