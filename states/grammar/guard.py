"""What a guard is: one rule of law or of the convention, with its code, its source and who can clear it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import NamedTuple

from states.grammar.case import Case
from states.partnership import Partnership
from states.values.law import CONVENTION, Source
from states.vocabulary import Role, Severity

WHOEVER_ENTERS = "la personne qui saisit"


class Needs(Enum):
    """What a guard must see before it can judge."""

    DOSSIER = "the dossier alone"
    REQUEST = "the request too"
    ACTOR = "the person too"


class Reason(NamedTuple):
    """Why a step is refused, or passes with a warning: a code for machines, a French sentence for people."""

    code: str
    reason: str
    who: str
    source: str
    severity: Severity = Severity.BLOCK


class Refused(NamedTuple):
    """Every reason at once. An answer, not a crash: asking again without changing anything gives the same."""

    trigger: str
    reasons: tuple[Reason, ...]


class Guard(NamedTuple):
    """A named truth that a step demands. `objection` answers with a French sentence, or None when all is well."""

    code: str
    objection: Callable[[Case], str | None]
    needs: Needs
    clears: Role | str
    source: Source
    imported: Severity
    weigh: Callable[[Partnership, date], Severity] | None = None
    reads: tuple[str, ...] = ()  # the collections that a warning about the dossier depends on; none named: any

    @property
    def summary(self) -> str:
        """The rule in one sentence: the first line of its docstring."""
        return (self.objection.__doc__ or "").split("\n")[0]

    @property
    def who(self) -> str:
        """Who can clear it, in French."""
        return self.clears.label if isinstance(self.clears, Role) else self.clears

    def severity(self, partnership: Partnership, on: date) -> Severity:
        """How much the guard weighs: by the terms when they say so, else lighter on a dossier imported with its past."""
        if self.weigh is not None:
            return self.weigh(partnership, on)
        return self.imported if partnership.imported else Severity.BLOCK

    def judge(self, case: Case) -> Reason | None:
        """The reason why `case` does not meet the guard, or None."""
        sentence = self.objection(case)
        if sentence is None:
            return None
        severity = self.severity(case.partnership, case.effective_on)
        if severity is Severity.IGNORE:
            return None
        return Reason(self.code, sentence, self.who, str(self.source), severity)


def guard(
    code: str,
    *,
    needs: Needs = Needs.REQUEST,
    clears: Role | str = WHOEVER_ENTERS,
    source: Source = CONVENTION,
    imported: Severity = Severity.BLOCK,
    weigh: Callable[[Partnership, date], Severity] | None = None,
    reads: tuple[str, ...] = (),
) -> Callable[[Callable[[Case], str | None]], Guard]:
    """Make a guard of a function that answers with its objection. `imported` is its weight on a dossier with a past."""

    def of(objection: Callable[[Case], str | None]) -> Guard:
        return Guard(code, objection, needs, clears, source, imported, weigh, reads)

    return of
