"""What the ledger answers, each time rebuilt from the journal's entry: the same key gets the very same answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from states.grammar.guard import Reason, Refused
from states.journal.entry import CONFLICT, REFUSED, Entry
from states.values.plain import Json
from states.vocabulary import Severity, State


class Done(NamedTuple):
    """The step is in the ledger. `recorded_at` is an ISO instant in UTC, `effective_on` an ISO date."""

    reference: str
    trigger: str
    n: int
    version: int
    source: State
    state: State
    actor: str
    role: str
    effective_on: str
    recorded_at: str
    warnings: tuple[Reason, ...]
    digest: str
    trainees: tuple[int, ...]  # the numbers of the trainees who were just retained
    notes: tuple[str, ...]  # what changed, as French sentences
    on_behalf_of: str | None  # who has delegated the role


class Conflict(NamedTuple):
    """Somebody was first. `who` did it, `when` (ISO instant in UTC); `state` is where the dossier stands."""

    reference: str
    trigger: str
    sentence: str
    who: str
    when: str
    state: State


Answer = Done | Refused | Conflict


class Invalid(Exception):
    """The question itself is wrong: every French sentence that says why. Nothing was asked of the ledger."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def answer_of(entry: Entry, digest: str) -> Answer:
    """The answer that a journal entry stands for."""
    if entry.outcome == REFUSED:
        return Refused(entry.trigger, reasons_of(entry))
    if entry.outcome == CONFLICT and entry.conflict is not None:
        lost = entry.conflict
        return Conflict(entry.reference, entry.trigger, lost["sentence"], lost["who"], lost["when"], State(entry.dest))
    return Done(
        reference=entry.reference,
        trigger=entry.trigger,
        n=entry.n,
        version=entry.version,
        source=State(entry.source),
        state=State(entry.dest),
        actor=entry.actor,
        role=entry.role,
        effective_on=entry.effective_on,
        recorded_at=entry.recorded_at,
        warnings=reasons_of(entry),
        digest=digest,
        trainees=tuple(_retained(entry.request)),
        notes=tuple(entry.notes or ()),
        on_behalf_of=entry.on_behalf_of,
    )


def _retained(request: dict[str, Json]) -> Iterator[int]:
    """The numbers of the trainees in a request, one or several, as the journal keeps it: a commitment stands for who it is."""
    trainees = request.get("trainees", (request,))
    for trainee in trainees if isinstance(trainees, list | tuple) else ():
        if isinstance(trainee, dict) and "commitment" in trainee and isinstance(number := trainee["number"], int):
            yield number


def reasons_of(entry: Entry) -> tuple[Reason, ...]:
    """The reasons of a journal entry."""
    return tuple([Reason(said["code"], said["reason"], said["who"], said["source"], Severity(said["severity"])) for said in entry.reasons])
