"""The dossier that a journal tells of: every accepted entry applied again, from nothing.

What the rows of a dossier say must be what its journal says; a value changed behind the ledger's back shows here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from states import findings
from states.facts import Actor, Partnership, Role, Severity, State
from states.guard import Case, Person, Reason
from states.lifecycle import STEPS
from states.requests import TraineeRetained

UNNAMED = {"family_name": "-", "given_name": "-", "born_on": "1900-01-01"}  # names are not in a journal


def replay(reference: str, entries: Iterable[dict[str, Any]]) -> Partnership:
    """The facts after `entries` (parsed, in order). Identities are not among them.

    Raises ValueError when an entry cannot be applied: an unknown trigger or a request that no longer reads.
    """
    partnership = Partnership(reference, False, State.UNOPENED, 0, None, "")  # noqa: FBT003 - `imported`, told by the first entry
    for told in entries:
        if told["outcome"] == "done":
            partnership = _apply(partnership, told)
    return partnership


def _apply(partnership: Partnership, told: dict[str, Any]) -> Partnership:
    step = STEPS.get(told["trigger"])
    if step is None:
        raise ValueError(told["trigger"])
    asked = dict(told["request"])
    salted = asked.pop("commitment", "")
    request = step.asks.model_validate({**asked, **UNNAMED} if step.asks is TraineeRetained else asked)
    effective_on = date.fromisoformat(told["effective_on"])
    actor = Actor(told["actor"], frozenset({Role(told["role"])}))
    case = Case(partnership, step.trigger, request, actor, effective_on, effective_on, Person("", salted, ""))
    warnings = tuple(Reason(**{**reason, "severity": Severity(reason["severity"])}) for reason in told["reasons"])
    facts = step.records(case)
    return facts._replace(
        state=State(told["to"]),
        version=partnership.version + 1,
        entered_on=partnership.entered_on if step.is_recording else effective_on,
        findings=findings.after(case, facts, warnings),
    )
