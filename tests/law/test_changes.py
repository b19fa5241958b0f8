"""What changes after the signature: amended terms, delegations, another account, departures, removals, recoveries."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta
from typing import Any

import pytest
from drawing import draws
from enlisting import enlist, reroled
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from walks import AT, CONDITIONS, IBAN, OTHER_IBAN, RIGHT, WAYS, Walk
from witness import fresh, journal, sql

from models.answers import Invalid
from models.database.store import Store
from models.ledger.ledger import Ledger
from models.read.views import Views
from models.verify.proof import Verifier
from states.grammar.deadlines import due_on
from states.grammar.guard import Refused
from states.lifecycle import STEPS
from states.payment.calculation import entitlement
from states.vocabulary import Role, State

TERMS = RIGHT["open"]["terms"]
WAY = WAYS[State.CLOSED]
references = itertools.count(1)


def walked(
    store: Store, until: str, homes: str = "62", *, reference: str = "ESSAI-1", cap: int = 20, amount: int = 0, **terms: Any
) -> Walk:
    """A dossier up to the step `until`: one trainee for each of `homes` (departments), all retained on 15 December 2025."""
    walk = Walk(store, reference)
    money = {"amount": f"{amount or 2000 * min(cap, homes.split().count('62'))}.00"}
    paper = {"number": reference, "document_sha256": reference.encode().hex().ljust(64, "0")}
    changes = {
        "open": {"terms": TERMS | {"cap": cap} | terms},
        "act": {"conditions": CONDITIONS | {"cap": cap}},
        "receive_invoice": money | paper,
        "pay": money,
    }
    for trigger in WAY[: WAY.index(until) + 1]:
        if trigger == "retain_trainee":
            retain(walk, *homes.split())
        elif trigger != "verify_residence":
            walk.do(trigger, **changes.get(trigger, {}))
    return walk


def retain(walk: Walk, *homes: str, on: str = "2025-12-15") -> None:
    first = len(fresh(walk).partnership.trainees) + 1
    for rank, home in enumerate(homes, start=first):
        walk.do("retain_trainee", given_name=f"Zoé {rank}", rank=rank, insee=f"{home}119", retained_on=on)
        walk.do("verify_residence", trainee=rank, insee=f"{home}119")


def due(walk: Walk, on: str) -> list[str]:
    """What is due for each trainee by the terms in force on that day, in the order of the ranks."""
    return [str(line.unit) for line in entitlement(fresh(walk).partnership, date.fromisoformat(on)).lines]


def codes(answer: Any) -> list[str]:
    assert isinstance(answer, Refused), answer
    return [reason.code for reason in answer.reasons]


def holds(walk: Walk) -> None:
    assert Verifier(walk.store).verify(walk.reference).faults == ()


def test_an_amendment_adds_terms_an_act_and_a_signature_and_leaves_the_earlier_ones_as_they_were(store: Store) -> None:
    walk = walked(store, "start_training")
    before = {name: sql(store, f"SELECT * FROM {name} ORDER BY number") for name in ("terms", "acts", "signatures")}
    done = walk.do("amend", changes={"cap": 22, "rate": "1800.00"})
    for name, rows in before.items():
        assert sql(store, f"SELECT * FROM {name} ORDER BY number")[:-1] == rows
    assert done.notes == (
        "À partir du 1er mars 2026, montant par stagiaire : 2\u202f000,00\u00a0€ → 1\u202f800,00\u00a0€.",
        "À partir du 1er mars 2026, nombre maximal de stagiaires : 20 → 22.",
    )
    assert Views(store).show(walk.reference)["history"][-1]["notes"] == list(done.notes)
    holds(walk)


def test_who_was_retained_before_an_amendment_keeps_the_rate_and_who_comes_after_gets_the_new_one(store: Store) -> None:
    walk = walked(store, "act", "")
    retain(walk, "62")
    walk.do("amend", changes={"rate": "1500.00"})
    retain(walk, "62", on="2026-02-28")
    retain(walk, "62", on="2026-03-01")
    assert due(walk, "2026-02-28") == ["2000.00", "2000.00", "2000.00"]
    assert due(walk, "2026-03-01") == ["2000.00", "2000.00", "1500.00"]


def test_a_higher_cap_takes_from_the_waiting_list_from_its_day_on(store: Store) -> None:
    walk = walked(store, "start_training", "62 62 62", cap=2)
    walk.do("amend", changes={"cap": 3})
    assert due(walk, "2026-02-28") == ["2000.00", "2000.00", "0.00"]
    assert due(walk, "2026-03-01") == ["2000.00", "2000.00", "2000.00"]


def test_a_lower_cap_takes_nothing_from_who_was_retained_before(store: Store) -> None:
    walk = walked(store, "start_training", "62 62", cap=3)
    walk.do("amend", changes={"cap": 1})
    retain(walk, "62", on="2026-03-02")
    assert due(walk, "2026-03-02") == ["2000.00", "2000.00", "0.00"]


@draws(25)
@given(residents=st.integers(0, 4), cap=st.integers(1, 4), new_caps=st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_no_amendment_of_the_cap_pays_less_than_what_was_due_before_it(
    sqlite: Store, residents: int, cap: int, new_caps: list[int]
) -> None:
    walk = walked(sqlite, "act", reference=f"ESSAI-{next(references)}", cap=cap)
    retain(walk, *["62"] * residents)
    before, highest = entitlement(fresh(walk).partnership).amount, cap
    for new_cap in new_caps:
        highest = max(highest, new_cap)
        if new_cap != fresh(walk).partnership.terms_in_force.cap:
            walk.do("amend", changes={"cap": new_cap})
        after = entitlement(fresh(walk).partnership, date(2026, 3, 1)).amount
        assert before <= after == 2000 * min(residents, highest)
    holds(walk)


def test_nothing_is_ordered_until_the_deliberation_of_the_amendment_is_executory(store: Store) -> None:
    walk = walked(store, "receive_invoice")
    walk.do("amend")
    walk.do("settle")
    assert codes(answer := walk.ask("order_payment")) == ["ACT_NOT_EXECUTORY"]
    assert "celle du 10 février 2026 (non transmise au préfet et non publiée)" in answer.reasons[0].reason
    walk.do("transmit_act", transmitted_on="2026-02-12")
    walk.do("publish_act", published_on="2026-02-13")
    walk.do("order_payment")
    holds(walk)


def test_a_partnership_ends_by_a_vote_with_a_motive_and_nothing_is_paid_afterwards(store: Store) -> None:
    walk = walked(store, "start_training")
    assert codes(walk.ask("terminate", motive="")) == ["MOTIVE_REQUIRED"]
    assert walk.do("terminate").state is State.TERMINATED
    assert fresh(walk).partnership.acts[-1].trigger == "terminate"
    assert codes(walk.ask("complete_training")) == ["WRONG_STATE"]
    holds(walk)


def lend(walk: Walk, role: Role, giver: str, to: str, **how: Any) -> None:
    walk.do("delegate", actor=giver, role=role.value, to=to, **how)


@pytest.mark.parametrize(("days", "lent"), [(-1, False), (0, True), (2, True), (3, False)])
def test_a_delegation_holds_from_its_first_day_to_its_last(store: Store, days: int, lent: bool) -> None:
    """On the days on which somebody acts, whatever date the fact bears."""
    walk = walked(store, "settle")
    walk.ledger = Ledger(store, clock_tolerance=timedelta(days=2))  # one of the days is the one before
    assert codes(walk.ask("order_payment", actor="Tania")) == ["WRONG_ROLE"]
    lend(walk, Role.AUTHORISING_OFFICER, "Omar", "Tania", starts_on="2026-11-23", ends_on="2026-11-25")
    answer = walk.ask("order_payment", actor="Tania", at=AT + timedelta(days=days))
    if not lent:
        assert codes(answer) == ["WRONG_ROLE"]
        return
    told, shown = json.loads(journal(store, walk.reference)[-1][1]), Views(store).show(walk.reference)["history"][-1]
    for one in (told, shown):
        assert (one["actor"], one["on_behalf_of"], one["role"]) == ("Tania", "Omar", "authorising_officer")
    assert [(one.ordered_by, one.ordered_for) for one in fresh(walk).partnership.settlements] == [("Tania", "Omar")]
    holds(walk)


def test_nobody_is_authorising_officer_and_public_accountant_at_once_by_a_delegation(store: Store) -> None:
    """Neither when a role is lent, nor when the register changes afterwards."""
    walk = walked(store, "settle")
    asked = {"role": "authorising_officer", "to": "Paola"}
    assert codes(walk.ask("delegate", actor="Omar", **asked)) == ["ROLES_KEPT_APART"]
    assert fresh(walk).partnership.delegations == ()
    reroled(store, "Paola", [Role.AUDITOR])
    walk.do("delegate", actor="Omar", **asked)
    reroled(store, "Paola", [Role.PUBLIC_ACCOUNTANT])
    assert codes(walk.ask("order_payment", actor="Paola")) == ["WRONG_ROLE"]
    walk.do("order_payment")
    assert codes(walk.ask("delegate", actor="Paola", role="public_accountant", to="Omar")) == ["ROLES_KEPT_APART"]


def test_who_certified_orders_nothing_through_a_delegation(store: Store) -> None:
    walk = walked(store, "settle")
    lend(walk, Role.AUTHORISING_OFFICER, "Omar", "Farida")
    assert codes(walk.ask("order_payment", actor="Farida")) == ["SAME_PERSON"]


def test_who_has_lent_a_role_and_who_has_borrowed_it_are_both_kept_from_the_next_signature(store: Store) -> None:
    Walk(store)
    enlist(store, "Iris", "iris@essai.example", [Role.FINANCE_OFFICER, Role.AUTHORISING_OFFICER])
    walk = walked(store, "receive_invoice")
    lend(walk, Role.FINANCE_OFFICER, "Iris", "Tania")
    walk.do("settle", actor="Tania")
    assert fresh(walk).partnership.settlements[0].certified_for == "Iris"
    assert codes(walk.ask("order_payment", actor="Iris")) == ["SAME_PERSON"]
    lend(walk, Role.AUTHORISING_OFFICER, "Iris", "Bruno")
    assert codes(walk.ask("order_payment", actor="Bruno")) == ["SAME_PERSON"]
    lend(walk, Role.AUTHORISING_OFFICER, "Omar", "Tania")
    assert codes(walk.ask("order_payment", actor="Tania")) == ["SAME_PERSON"]
    walk.do("order_payment", actor="Omar")


def test_nothing_is_lent_to_somebody_whom_the_register_does_not_know(store: Store) -> None:
    walk = walked(store, "act")
    with pytest.raises(Invalid):
        lend(walk, Role.TRAINING_OFFICER, "Tania", "Personne")
    lend(walk, Role.TRAINING_OFFICER, "Tania", " bRÜNO ")
    assert fresh(walk).partnership.delegations[0].holder == "Bruno"


@pytest.mark.parametrize("days", [0, 2])
def test_another_account_takes_two_people_a_call_and_the_days_that_the_centre_has_set(store: Store, days: int) -> None:
    """The days run from the recording: a date that somebody types shortens nothing."""
    walk = walked(store, "present_result", payee_cooling_days=days)
    walk.ledger = Ledger(store, clock_tolerance=timedelta(days=2))  # the days are asked about in any order
    walk.do("propose_payee", actor="Farida")
    assert fresh(walk).partnership.payee == ("Agent comptable", IBAN)
    call = {"called_on": "2026-06-17", "confirmed_on": "2026-06-19", "at": AT + timedelta(days=days)}
    assert codes(alone := walk.ask("confirm_payee", actor="Farida", **call)) == ["PAYEE_SAME_PERSON"]
    assert alone.reasons[0].reason.startswith("Farida a proposé ce changement de compte")
    assert codes(walk.ask("confirm_payee", actor="Omar", **call | {"called_on": "2026-06-16"})) == ["CALL_BACK_TOO_EARLY"]
    if days:
        early = call | {"at": AT + timedelta(days=days - 1)}
        assert codes(walk.ask("confirm_payee", actor="Omar", **early)) == ["COOLING_OFF"]
    walk.do("confirm_payee", actor="Omar", **call)
    assert fresh(walk).partnership.payee == ("Agent comptable", OTHER_IBAN)
    assert codes(walk.ask("receive_invoice")) == ["IBAN_DIFFERS"]
    walk.do("receive_invoice", iban=OTHER_IBAN)
    holds(walk)


def test_nothing_is_ordered_while_a_change_of_account_waits_and_a_rejected_one_changes_nothing(store: Store) -> None:
    walk = walked(store, "settle")
    walk.do("propose_payee", actor="Farida")
    assert codes(walk.ask("order_payment")) == ["PAYEE_UNCONFIRMED"]
    walk.do("reject_payee", actor="Paola")
    assert fresh(walk).partnership.payee == ("Agent comptable", IBAN)
    walk.do("order_payment")
    holds(walk)


def test_with_21_residents_one_who_was_not_eligible_is_replaced_and_nothing_is_to_be_given_back(store: Store) -> None:
    walk = walked(store, "pay", " ".join(["62"] * 21))
    assert codes(walk.ask("order_recovery", trainee=3)) == ["NOTHING_TO_RECOVER"]
    holds(walk)


def test_with_20_residents_the_sum_of_the_one_who_was_not_eligible_comes_back_before_the_dossier_closes(store: Store) -> None:
    walk = walked(store, "pay", " ".join(["62"] * 20))
    done = walk.do("order_recovery", trainee=3)
    assert done.notes == ("Somme à récupérer : 2\u202f000,00\u00a0€ (titre T1).",)
    assert [str(one.amount) for one in fresh(walk).partnership.recoveries] == ["2000.00"]
    assert codes(walk.ask("order_recovery", trainee=3)) == ["NOTHING_TO_RECOVER"]
    assert codes(walk.ask("close")) == ["RECOVERY_OPEN"]
    walk.do("record_recovery")
    walk.do("close")
    holds(walk)


def test_who_leaves_before_the_start_frees_a_place_for_the_waiting_list(store: Store) -> None:
    walk = walked(store, "act", cap=2, dropout_policy="full")
    retain(walk, "62", "62", "62")
    walk.do("record_dropout", trainee=1, left_on="2026-01-11", hours_done=None)
    walk.do("start_training")
    assert due(walk, "2026-01-12") == ["0.00", "2000.00", "2000.00"]


@pytest.mark.parametrize(("policy", "unit"), [("full", "2000.00"), ("prorata", "680.27"), ("none", "0.00")])
def test_who_leaves_after_100_of_294_hours_is_paid_for_as_the_convention_says(store: Store, policy: str, unit: str) -> None:
    walk = walked(store, "complete_training", "62 62", dropout_policy=policy)
    walk.do("record_dropout", trainee=1)
    assert due(walk, "2026-06-22") == [unit, "2000.00"]
    holds(walk)


def test_a_departure_of_which_the_convention_says_nothing_blocks_the_settlement_until_an_amendment_does(store: Store) -> None:
    walk = walked(store, "receive_invoice", "62 62", amount=2680)
    walk.do("record_dropout", trainee=1)
    assert codes(walk.ask("settle")) == ["POLICY_REQUIRED"]
    walk.do("amend", changes={"dropout_policy": "prorata"})
    walk.do("settle")
    assert [(str(one.entitlement), str(one.settled)) for one in fresh(walk).partnership.settlements] == [("2680.27", "2680.00")]
    holds(walk)


def test_a_later_move_is_a_finding_that_changes_no_sum_and_a_correction_changes_the_sum(store: Store) -> None:
    walk = walked(store, "complete_training", "62 62")
    walk.do("verify_residence", trainee=1, insee="59350", verified_on="2026-04-01")
    assert due(walk, "2026-06-22") == ["2000.00", "2000.00"]
    assert [(one.code, one.subject) for one in fresh(walk).partnership.findings] == [("MOVED_AFTER_SELECTION", "1")]
    walk.do("verify_residence", trainee=2, insee="59350", correction=True)
    assert due(walk, "2026-06-22") == ["2000.00", "0.00"]
    holds(walk)


def test_a_settlement_keeps_the_calculation_line_by_line_as_it_was_certified(store: Store) -> None:
    walk = walked(store, "receive_invoice", "62 59 62 62", cap=2)
    lines = entitlement(fresh(walk).partnership, date(2026, 6, 22)).lines
    walk.do("settle")
    (settlement,) = fresh(walk).partnership.settlements
    assert settlement.lines == tuple((one.trainee, one.rank, one.status, str(one.unit)) for one in lines)
    assert settlement.lines[1:] == (
        (2, 2, "OUTSIDE_DEPARTMENT", "0.00"), (3, 3, "COUNTED", "2000.00"), (4, 4, "OVER_CAP", "0.00"),
    )  # fmt: skip
    holds(walk)


def test_the_convention_s_delay_to_pay_counts_from_the_day_on_which_the_invoice_came(store: Store) -> None:
    walk = walked(store, "present_result", payment_days=45)
    with pytest.raises(ValidationError, match="reçue le jour de sa date, ou après"):
        walk.ask("receive_invoice", issued_on="2026-06-17", received_on="2026-06-16")
    walk.do("receive_invoice", issued_on="2026-06-17", received_on="2026-06-20")
    walk.do("settle")
    walk.do("order_payment")
    partnership = fresh(walk).partnership
    assert (partnership.invoices[0].issued_on, partnership.invoices[0].received_on) == (date(2026, 6, 17), date(2026, 6, 20))
    assert due_on(STEPS["pay"].within, partnership) == date(2026, 8, 4)
    assert Views(store).show(walk.reference)["history"][-3]["effective_on"] == "2026-06-20"
    holds(walk)
