"""A warning goes with its cause, whichever facts it depends on; a step that touches none of them leaves it as it is."""

from __future__ import annotations

import pytest
from walks import AT, PEOPLE, RIGHT, WAYS, right, role_for

from states.dossier.facts import Finding
from states.engine import findings
from states.engine.decide import Decision, decide
from states.grammar.case import Actor, Case, Lookups
from states.grammar.guard import Guard, Needs, guard
from states.lifecycle import GUARDS, STEPS
from states.partnership import Partnership
from states.vocabulary import Severity, State

WAITS = "Une facture attend."


def asked(partnership: Partnership, trigger: str) -> Partnership:
    role = role_for(trigger)
    content = {"reference": "ESSAI-1"} | RIGHT[trigger] if trigger == "open" else right(trigger, len(partnership.acts))
    request = STEPS[trigger].asks.model_validate(content)
    answer = decide(partnership, trigger, request, actor=Actor(PEOPLE[role], frozenset({role})), at=AT, lookups=Lookups(salt="00" * 16))
    assert isinstance(answer, Decision), answer
    return answer.after


def no_invoice_waits(reads: tuple[str, ...]) -> Guard:
    """A rule that warns, as one may be written one day."""

    @guard("INVOICE_WAITS", needs=Needs.DOSSIER, imported=Severity.WARN, reads=reads)
    def objection(case: Case) -> str | None:
        """Aucune facture n’attend."""
        return None if case.partnership.invoice is None else WAITS

    return objection


@pytest.mark.parametrize("reads", [("invoices",), ()])
def test_a_warning_goes_when_only_the_facts_that_it_depends_on_change(reads: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that names no facts depends on all of them."""
    rule = no_invoice_waits(reads)
    monkeypatch.setitem(GUARDS, rule.code, rule)
    monkeypatch.setattr(findings, "WATCHED", findings.watched(GUARDS.values()))
    partnership = Partnership("ESSAI-1", imported=False, state=State.UNOPENED, version=0, entered_on=None, pepper="00" * 32)
    for trigger in WAYS[State.INVOICED]:
        partnership = asked(partnership, trigger)
    waits = Finding(rule.code, "receive_invoice", Severity.WARN, WAITS, str(rule.source))
    warned = partnership._replace(imported=True, findings=(waits,))
    assert waits in asked(warned, "attach").findings
    assert rule.code not in [finding.code for finding in asked(warned, "reject_invoice").findings]


def test_what_is_looked_at_in_every_step_is_what_a_finding_of_this_law_depends_on() -> None:
    """And the answers kept for each set of changed facts are of the facts alone: one more warning does not double them."""
    assert {name for _, name in findings.WATCHED} == {"acts", "signatures", "trainees", "terms", "trainings", "settlements"}
    every = findings.watched([no_invoice_waits(())])
    assert {name for _, name in every} == set(findings.COLLECTIONS)
    assert len(findings.AFTER) == 2 ** len(findings.READ)
    assert all(Partnership._fields[place] == name for place, name in every)
