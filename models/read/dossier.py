"""What is read of a dossier, as values: renderers write them as pages, letters or lines, programs get them as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.read.as_json import entitlement_as_json, fact_as_json, reason_as_json, sum_as_json, terms_as_json
from models.read.history import HistoryLine
from states.convention.facts import Terms
from states.journal.entry import Entry
from states.partnership import Partnership
from states.payment.calculation import Entitlement
from states.trainees.facts import Trainee
from states.values.plain import Json

if TYPE_CHECKING:
    from states.engine.decide import Next

# The collections of facts that `show` gives as they are; trainees are shown by the calculation.
SHOWN = ("parties", "acts", "invoices", "settlements", "recoveries", "payee_changes", "delegations", "appeals")


class DatedFinding(NamedTuple):
    """A finding, since when it is true and until when it was (ISO instants in UTC)."""

    code: str
    severity: str
    reason: str
    source: str
    subject: str
    opened_at: str
    resolved_at: str | None


class Dossier(NamedTuple):
    """One moment of a dossier: its facts, what is due by the terms in force, its findings and its history."""

    partnership: Partnership
    terms: Terms
    due: Entitlement
    findings: tuple[DatedFinding, ...]
    resolved: tuple[DatedFinding, ...]
    history: list[HistoryLine]

    @property
    def entries(self) -> list[Entry]:
        return [line.entry for line in self.history]

    def as_json(self) -> dict[str, object]:
        """What `jalon show --json` answers."""
        return {
            "reference": self.partnership.reference,
            "state": self.partnership.state.value,
            "version": self.partnership.version,
            "terms": terms_as_json(self.terms),
            "entitlement": sum_as_json(self.due),
            "findings": [finding._asdict() for finding in self.findings],
            "resolved_findings": [finding._asdict() for finding in self.resolved],
            "trainees": [{"number": line.trainee, "status": line.status, "reason": line.reason} for line in self.due.lines],
            "history": [line.as_json() for line in self.history],
            **{name: [fact_as_json(fact) for fact in getattr(self.partnership, name)] for name in SHOWN},
        }


class NamedTrainee(NamedTuple):
    """A trainee and who that is; names and birth (ISO date) are None once they were erased."""

    trainee: Trainee
    family_name: str | None
    given_name: str | None
    born_on: str | None

    def as_json(self) -> dict[str, Json]:
        names: dict[str, Json] = {"family_name": self.family_name, "given_name": self.given_name, "born_on": self.born_on}
        return {**names, **fact_as_json(self.trainee)}


class Possibilities(NamedTuple):
    """What may come next in a dossier, by whom, until when, and every condition that is not met yet."""

    partnership: Partnership
    due: Entitlement
    steps: tuple[Next, ...]

    def as_json(self) -> dict[str, Json]:
        """What `jalon why --json` answers."""
        return {
            "state": self.partnership.state.value,
            "entitlement": entitlement_as_json(self.due),
            "next": [
                {
                    "trigger": step.trigger,
                    "label": step.label,
                    "by": [role.value for role in step.by],
                    "due_on": due_on.isoformat() if due_on else None,
                    "unmet": [reason_as_json(reason) for reason in unmet],
                }
                for step, due_on, unmet in self.steps
            ],
        }


class DossierLine(NamedTuple):
    """A dossier in the list; `since` is the legal date of its state, an ISO date."""

    reference: str
    state: str
    version: int
    since: str | None


class Slice(NamedTuple):
    """Some dossiers by reference; how many the house has and how many follow, `at_least` so many when they are many."""

    dossiers: tuple[DossierLine, ...]
    in_all: int
    left: int
    at_least: bool


class Undoable(NamedTuple):
    """An entry that an undo may name: what would be taken back, and `because`, why it would be refused, if it would."""

    entry: Entry
    takes_back: str
    because: str | None
