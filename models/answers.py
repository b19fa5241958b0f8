"""What the ledger answers, each time rebuilt from the journal's entry: the same key gets the very same answer."""

from __future__ import annotations

from typing import Any, NamedTuple

from states.grammar.guard import Reason, Refused
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


def answer_of(told: dict[str, Any], digest: str) -> Answer:
    """The answer that a journal entry, parsed, stands for."""
    if told["outcome"] == "refused":
        return Refused(told["trigger"], reasons_of(told))
    if told["outcome"] == "conflict":
        lost = told["conflict"]
        return Conflict(told["reference"], told["trigger"], lost["sentence"], lost["who"], lost["when"], State(told["to"]))
    request = told["request"]
    return Done(
        reference=told["reference"],
        trigger=told["trigger"],
        n=told["n"],
        version=told["version"],
        source=State(told["from"]),
        state=State(told["to"]),
        actor=told["actor"],
        role=told["role"],
        effective_on=told["effective_on"],
        recorded_at=told["recorded_at"],
        warnings=reasons_of(told),
        digest=digest,
        trainees=tuple([one["number"] for one in request.get("trainees", (request,)) if "commitment" in one]),
        notes=tuple(told.get("notes", ())),
        on_behalf_of=told.get("on_behalf_of"),
    )


def reasons_of(told: dict[str, Any]) -> tuple[Reason, ...]:
    """The reasons of a journal entry."""
    return tuple([Reason(**{**reason, "severity": Severity(reason["severity"])}) for reason in told["reasons"]])
