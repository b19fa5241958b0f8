"""What somebody might try: around two people, around a date, around the proof, around the one table with names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from enlisting import reroled
from walks import AT, IBAN, OTHER_IBAN, PEOPLE, RIGHT, Walk
from witness import dump, fresh, journal

from models.answers import Done
from models.database.store import Store
from models.ledger.ledger import Ledger
from models.verify.proof import Verifier, chain_faults
from states.grammar.case import Commune
from states.grammar.guard import Refused
from states.vocabulary import Role, State

ADDRESS = "12 rue des Lilas, chez Zoé Martin"
OMAR, PAOLA, TANIA = PEOPLE[Role.AUTHORISING_OFFICER], PEOPLE[Role.PUBLIC_ACCOUNTANT], PEOPLE[Role.TRAINING_OFFICER]


def codes(answer: Any) -> list[str]:
    return [reason.code for reason in answer.reasons] if isinstance(answer, Refused) else []


def lend(walk: Walk, giver: str, role: Role, to: str) -> None:
    walk.do("delegate", actor=giver, role=role.value, to=to)


# Around two people.


@pytest.mark.parametrize(("starts_on", "refused"), [("2026-12-31", True), ("2027-01-01", False)])
def test_two_lent_roles_do_not_make_one_person_order_and_pay(store: Store, starts_on: str, refused: bool) -> None:
    walk = Walk(store).until(State.SETTLED)
    lend(walk, OMAR, Role.AUTHORISING_OFFICER, TANIA)  # until 31 December 2026
    second = walk.ask("delegate", actor=PAOLA, role="public_accountant", to=TANIA, starts_on=starts_on, ends_on="2027-02-01")
    assert codes(second) == (["ROLES_KEPT_APART"] if refused else [])


def test_the_public_accountant_takes_no_step_back_when_a_role_comes_later(store: Store) -> None:
    walk = Walk(store).until(State.SETTLED)
    reroled(store, PAOLA, [Role.AUDITOR])
    lend(walk, OMAR, Role.AUTHORISING_OFFICER, PAOLA)
    reroled(store, PAOLA, [Role.PUBLIC_ACCOUNTANT])
    walk.do("attach", actor=TANIA)
    assert codes(walk.ask("undo", actor=PAOLA)) == ["NOT_YOURS_TO_UNDO"]


def test_a_delegation_ends_with_the_role_of_who_gave_it(store: Store) -> None:
    walk = Walk(store).until(State.SETTLED)
    lend(walk, OMAR, Role.AUTHORISING_OFFICER, TANIA)
    reroled(store, OMAR, [Role.AUDITOR])
    assert codes(walk.ask("order_payment", actor=TANIA)) == ["WRONG_ROLE"]
    reroled(store, OMAR, [Role.AUTHORISING_OFFICER])
    assert isinstance(walk.ask("order_payment", actor=TANIA), Done)


def test_an_account_is_confirmed_as_it_was_read_on_the_telephone(store: Store) -> None:
    walk = Walk(store).until(State.SETTLED)
    walk.do("propose_payee")
    assert codes(walk.ask("propose_payee", iban=IBAN)) == ["PAYEE_PENDING"]
    assert codes(walk.ask("confirm_payee", actor=OMAR, iban=IBAN)) == ["PAYEE_DIFFERS"]
    walk.do("confirm_payee", actor=OMAR, iban=OTHER_IBAN)


# Around a date.


@pytest.mark.parametrize(("retained_on", "code"), [("2095-01-01", "FUTURE_DATE"), ("1995-01-01", "IMPLAUSIBLE_DATE")])
def test_each_date_of_a_list_is_judged(store: Store, retained_on: str, code: str) -> None:
    walk = Walk(store).until(State.APPROVED)
    first, second = RIGHT["retain_trainees"]["trainees"]
    asked = {"trainees": [first, second | {"retained_on": retained_on, "born_on": "1990-01-01"}], "decided_on": "2025-12-15"}
    assert code in codes(walk.ask("retain_trainees", **asked))


def test_an_amendment_does_not_hold_before_it_is_signed(store: Store) -> None:
    walk = Walk(store).until(State.ACTED)
    assert codes(walk.ask("amend", takes_effect_on="2025-12-01", changes={"cap": 1})) == ["AMENDED_BACKWARDS"]


def test_the_vote_of_an_amendment_is_not_in_the_future(store: Store) -> None:
    walk = Walk(store).until(State.ACTED, imported=True)
    later = RIGHT["amend"]["deliberation"] | {"held_on": "2095-01-01"}
    assert "FUTURE_DATE" in codes(walk.ask("amend", deliberation=later))


# Around the money.


def test_two_trainees_found_ineligible_after_a_partial_invoice_are_recovered_together(store: Store) -> None:
    """One of the two alone would leave the sum due: the invoice was below the entitlement."""
    walk = Walk(store)
    for trigger in ("open", "approve", "transmit_act", "publish_act", "sign", "act", "transmit_act", "publish_act"):
        walk.do(trigger)
    for number in (1, 2):
        walk.do("retain_trainee", given_name=f"Zoé {number}", rank=number)
        walk.do("verify_residence", trainee=number)
    for trigger in ("start_training", "complete_training", "present_result", "receive_invoice", "settle", "order_payment", "pay"):
        walk.do(trigger)
    assert codes(walk.ask("order_recovery")) == ["NOTHING_TO_RECOVER"]
    walk.do("exclude_trainee", trainee=1)
    assert str(walk.do("order_recovery", trainee=2).notes[0]).startswith("Somme à récupérer : 2\u202f000,00")
    assert Verifier(store).verify(walk.reference).faults == ()


# Around the names, and the proof.


def test_an_address_typed_as_a_commune_stays_nowhere(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.ledger = Ledger(store, gazetteer=lambda _: ())
    answer = walk.ask("retain_trainee", insee=None, commune=ADDRESS)
    assert codes(answer) == ["COMMUNE_UNKNOWN"]
    assert ADDRESS not in repr(dump(store)) + repr(answer)


def test_a_residence_verified_by_name_is_kept_by_its_code(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.do("retain_trainee")
    walk.ledger = Ledger(store, gazetteer=lambda _: (Commune("62119", "Béthune", "62"),))
    walk.do("verify_residence", insee=None, commune="Béthune (chez les Martin)")
    assert "Martin)" not in repr(dump(store))
    assert json.loads(journal(store, walk.reference)[-1][1])["request"]["insee"] == "62119"
    assert Verifier(store).verify(walk.reference).faults == ()


def test_another_department_than_the_one_declared_is_a_finding(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.do("retain_trainee", insee="80034")
    walk.do("verify_residence", insee="62041")
    assert [one.code for one in fresh(walk).partnership.findings] == ["RESIDENCE_DIFFERS"]


def test_an_answered_appeal_keeps_its_place_and_the_proof_holds(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.do("record_appeal", lodged_on="2025-12-01")
    walk.do("record_appeal", by="prefect", lodged_on="2025-12-02")
    walk.do("record_appeal", lodged_on="2025-12-01", decided_on="2025-12-20")
    assert Verifier(store).verify(walk.reference).faults == ()


def test_an_entry_that_leads_to_a_list_is_a_fault_and_no_crash(store: Store) -> None:
    Walk(store).until(State.PROPOSED)
    ((n, entry, digest),) = journal(store, "ESSAI-1")
    forged = json.loads(entry) | {"to": []}
    assert list(chain_faults("ESSAI-1", [(n, json.loads(entry)["key"], json.dumps(forged), digest)])) != []


def test_the_rule_of_quorum_is_no_finding_once_its_text_was_read(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED, terms=RIGHT["open"]["terms"] | {"quorum_verified": False})
    assert [one.code for one in fresh(walk).partnership.findings] == ["QUORUM_RULE_UNVERIFIED"]
    walk.do("verify_quorum_rule", at=AT)
    assert fresh(walk).partnership.findings == ()
