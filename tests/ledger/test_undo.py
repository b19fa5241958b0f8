"""The last step can be taken back until money is ordered: the dossier is again what it was, and the journal tells both."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from drawing import draws
from enlisting import enlist
from hypothesis import event, given
from hypothesis import strategies as st
from taking_back import DRAWN, OMAR, codes, facts, holds, onward, told, undo
from walks import RIGHT, Walk
from witness import fresh, sql

from models.answers import Done
from models.database.store import Store
from states.lifecycle import STEPS
from states.vocabulary import Role, State

AFTER_THE_ORDER = {"exclude_trainee", "order_payment", "refuse_payment", "pay", "close", "order_recovery", "record_recovery"}
references = itertools.count(1)
# Where each kind of step is done and taken back: the state, and what must have been recorded in it before.
PROPOSED = [("propose_payee", {"actor": "Farida"})]
PLACES: dict[str, tuple[State, list[tuple[str, dict[str, Any]]], dict[str, Any]]] = {
    "approve": (State.PROPOSED, [], {}),
    "reject": (State.PROPOSED, [], {}),
    "sign": (State.APPROVED, [], {}),
    "act": (State.SIGNED, [], {}),
    "start_training": (State.ACTED, [], {}),
    "complete_training": (State.IN_TRAINING, [], {}),
    "receive_invoice": (State.TRAINED, [], {}),
    "reject_invoice": (State.INVOICED, [], {}),
    "suspend_invoice": (State.INVOICED, [], {}),
    "resume_invoice": (State.INVOICE_SUSPENDED, [], {}),
    "settle": (State.INVOICED, [], {}),
    "close_nil": (State.TRAINED, [("verify_residence", {"insee": "59350", "correction": True})], {}),
    "terminate": (State.IN_TRAINING, [], {}),
    "transmit_act": (State.ACTED, [], {"receipt_number": "AR-2"}),
    "publish_act": (State.ACTED, [], {"published_on": "2026-01-02"}),
    "verify_quorum_rule": (State.ACTED, [], {}),
    "record_appeal": (State.ACTED, [("record_appeal", {})], {"decided_on": "2026-01-02"}),
    "amend": (State.TRAINED, [], {}),
    "retain_trainee": (State.APPROVED, [], {}),
    "retain_trainees": (State.IN_TRAINING, [], {}),
    "verify_residence": (State.TRAINED, [], {"insee": "59350"}),
    "correct_trainee": (State.ACTED, [], {}),
    "record_dropout": (State.IN_TRAINING, [], {}),
    "hold_committee": (State.ACTED, [], {}),
    "present_result": (State.TRAINED, [], {"presented_on": "2026-06-13"}),
    "propose_payee": (State.SETTLED, [], {}),
    "confirm_payee": (State.SETTLED, PROPOSED, {"actor": "Paola"}),
    "reject_payee": (State.SETTLED, PROPOSED, {}),
    "delegate": (State.ACTED, [], {}),
    "attach": (State.REJECTED, [], {}),
}


def test_every_kind_of_step_before_the_order_is_tried() -> None:
    assert set(PLACES) == set(STEPS) - AFTER_THE_ORDER - {"open", "undo", "review_findings"}


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("trigger", PLACES)
@pytest.mark.long
def test_after_an_undo_the_dossier_is_what_it_was_before_the_step_and_the_journal_tells_both(
    store: Store, trigger: str, imported: bool
) -> None:
    state, recorded, how = PLACES[trigger]
    walk = Walk(store).until(
        state, imported=imported, terms=RIGHT["open"]["terms"] | {"fees": {"continuing": "1500.00"}, "payee_cooling_days": 0}
    )
    for step, changes in recorded:
        walk.do(step, **changes)
    before = fresh(walk).partnership
    walk.do(trigger, **how)
    after = undo(walk)
    assert facts(fresh(walk).partnership) == facts(before)
    assert (after.state, after.version) == (before.state, before.version + 2)
    assert [(entry.trigger, entry.outcome) for entry in told(walk)[-2:]] == [(trigger, "done"), ("undo", "done")]
    holds(walk)


def test_a_review_by_jalon_is_no_step_that_somebody_takes_back(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.do("attach", actor="Tania")
    walk.do("review_findings")
    undo(walk, actor="Tania")
    assert fresh(walk).partnership.documents == ()
    holds(walk)


def test_an_undone_step_can_be_done_again(store: Store) -> None:
    walk = Walk(store).until(State.INVOICED)
    for trigger in ("settle", "propose_payee"):
        walk.do(trigger)
        first = facts(fresh(walk).partnership)
        undo(walk)
        walk.do(trigger)
        assert facts(fresh(walk).partnership) == first
    holds(walk)


def test_who_was_retained_by_mistake_leaves_no_name_behind_and_can_be_retained_again(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.do("retain_trainees")
    kept = sql(store, "SELECT * FROM identities ORDER BY trainee")
    walk.do("retain_trainee")
    undo(walk)
    assert sql(store, "SELECT * FROM identities ORDER BY trainee") == kept
    assert walk.do("retain_trainee").trainees == (3,)
    assert codes(walk.ask("retain_trainee")) == ["TRAINEE_ALREADY_RETAINED"]
    for _ in range(2):
        undo(walk)
    assert sql(store, "SELECT * FROM identities") == []
    holds(walk)


def test_two_undos_take_two_steps_back_and_no_undo_goes_before_the_opening(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    opened = facts(fresh(walk).partnership)
    walk.do("approve")
    walk.do("transmit_act")
    undo(walk)
    assert fresh(walk).partnership.state is State.APPROVED
    undo(walk)
    assert facts(fresh(walk).partnership) == opened
    assert codes(walk.ask("undo", actor=OMAR)) == ["NOTHING_TO_UNDO"]
    holds(walk)


def test_a_dossier_that_was_only_opened_has_nothing_to_undo(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    assert codes(walk.ask("undo")) == ["NOTHING_TO_UNDO"]


def test_nothing_is_undone_once_money_was_ordered_even_when_the_accountant_refused_it(store: Store) -> None:
    walk = Walk(store).until(State.ORDERED)
    assert codes(walk.ask("undo", actor=OMAR, entry=fresh(walk).n)) == ["MONEY_MOVED"]
    n = walk.do("refuse_payment").n
    assert codes(walk.ask("undo", actor=OMAR, entry=n)) == ["MONEY_MOVED"]
    for trigger in ("order_payment", "pay", "close"):
        n = walk.do(trigger, **({"ordered_on": "2026-07-02"} if trigger == "order_payment" else {})).n
        assert codes(walk.ask("undo", actor=OMAR, entry=n)) == ["MONEY_MOVED"]
    holds(walk)


def test_a_recording_on_which_no_money_rests_is_taken_back_whatever_was_paid(store: Store) -> None:
    walk = Walk(store).until(State.CLOSED)
    n = walk.do("attach").n
    walk.do("exclude_trainee")
    undo(walk, actor="Tania", entry=n)
    assert fresh(walk).partnership.documents == ()
    assert fresh(walk).partnership.trainee(1).excluded_on is not None
    holds(walk)


def test_a_role_that_was_lent_is_taken_back_whatever_was_paid(store: Store) -> None:
    """It asks for a one-time code, and is not about money all the same."""
    walk = Walk(store).until(State.ORDERED)
    n = walk.do("delegate").n
    walk.do("pay")
    undo(walk, actor="Tania", entry=n)
    assert fresh(walk).partnership.delegations == ()
    holds(walk)


def test_a_step_is_undone_by_who_did_it_or_by_the_authorising_officer_and_by_nobody_else(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    enlist(store, "Béatrice", "beatrice@essai.example", [Role.BOARD_SECRETARY])
    for undoes in ("Bruno", OMAR):
        walk.do("approve", actor="Bruno")
        for other in ("Béatrice", "Tania", "Farida", "Paola"):
            answer = walk.ask("undo", actor=other)
            assert codes(answer) == ["NOT_YOURS_TO_UNDO"]
            assert answer.reasons[0].reason == "Bruno a fait cette étape : Bruno ou l’ordonnateur peut l’annuler."
        for outsider in ("Aude", "Olga", "Ulysse"):
            assert codes(walk.ask("undo", actor=outsider)) == ["WRONG_ROLE", "NOT_YOURS_TO_UNDO"]
        undo(walk, actor=undoes)
    holds(walk)


@pytest.mark.parametrize("motive", ["", "   "])
def test_an_undo_has_a_motive(store: Store, motive: str) -> None:
    walk = Walk(store).until(State.APPROVED)
    assert codes(walk.ask("undo", actor="Bruno", motive=motive)) == ["MOTIVE_REQUIRED"]
    undo(walk)
    assert told(walk)[-1].request["motive"] == "Saisie par erreur"


@pytest.mark.parametrize("trigger", ["approve", "sign", "settle", "attach"])
def test_an_undo_is_told_to_those_who_were_told_of_the_step(store: Store, trigger: str) -> None:
    walk = Walk(store).until({"attach": State.ACTED}.get(trigger, STEPS[trigger].source[0]))
    n = walk.do(trigger).n
    undo(walk)
    step, undone = (sorted(sql(store, "SELECT kind, role FROM outbox WHERE n = :n", n=one), key=str) for one in (n, n + 1))
    assert step == undone
    assert [role for kind, role in step if kind == "tell"] == sorted(STEPS[trigger].tells)


@draws(50)
@given(steps=st.lists(st.sampled_from(DRAWN), min_size=15, max_size=45), imported=st.booleans())
def test_any_walk_with_undos_goes_back_along_the_dossiers_that_there_were(sqlite: Store, steps: list[str], imported: bool) -> None:
    walk = Walk(sqlite, f"ESSAI-{next(references)}")
    walk.do("open", imported=imported, terms=RIGHT["open"]["terms"] | {"dropout_policy": "full", "payee_cooling_days": 0})
    paper = {"number": walk.reference, "document_sha256": walk.reference.encode().hex().ljust(64, "0")}
    stack, ordered = [facts(fresh(walk).partnership)], False
    for drawn in steps:
        trigger = onward(fresh(walk).partnership) if drawn == "onward" else drawn
        if trigger == "undo" and ordered:
            continue  # what may still be taken back then is no last step; test_undo_named tries that
        if trigger == "undo" and len(stack) > 1 and not ordered:
            undo(walk)
            stack.pop()
        else:
            answer = walk.ask(trigger, **({"actor": OMAR} if trigger == "undo" else paper if trigger == "receive_invoice" else {}))
            if isinstance(answer, Done):
                assert trigger != "undo"
                if trigger == "review_findings":  # a step of nobody
                    stack.pop()
                stack.append(facts(fresh(walk).partnership))
                ordered |= trigger == "order_payment"
        assert facts(fresh(walk).partnership) == stack[-1]
    event(stack[-1]["state"])
    holds(walk)
