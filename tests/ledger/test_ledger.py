"""The ledger answers, on SQLite and on PostgreSQL."""

import json
from datetime import timedelta

import pytest
from enlisting import TEST_VAULT
from walks import AT, IBAN, OTHER_SIRET, PEOPLE, RIGHT, VOTE, WAYS, Walk
from witness import dump, fresh, journal

from models.answers import Answer, Conflict, Done, Invalid
from models.database.constraints import SENTENCES
from models.database.store import Store
from models.ledger.ledger import Ledger
from models.verify.proof import Verifier
from states.grammar.guard import Refused
from states.lifecycle import STEPS, steps_from
from states.partnership import Partnership
from states.vocabulary import Role, State

NO_QUORUM = {"present": VOTE["present"][:10], "votes_for": 10}
LATER = AT + timedelta(hours=1)


@pytest.mark.parametrize("state", [state for state in State if state is not State.UNOPENED])
def test_every_state_is_reached_and_its_dossier_verifies(store: Store, state: State) -> None:
    walk = Walk(store).until(state)
    verified = Verifier(store).verify(walk.reference)
    assert verified.faults == ()
    assert verified.entries == len(WAYS[state])


def approved(walk: Walk) -> Answer:
    return walk.ask("approve", key="once")


def refused(walk: Walk) -> Answer:
    return walk.ask("approve", key="once", **NO_QUORUM)


def too_late(walk: Walk) -> Answer:
    walk.do("approve", key="the first approval")
    return walk.ask("approve", key="once")


KINDS = {approved: Done, refused: Refused, too_late: Conflict}


@pytest.mark.parametrize("first_try", KINDS)
def test_the_same_key_gets_the_first_answer_again_and_writes_nothing(store: Store, first_try) -> None:
    walk = Walk(store).until(State.PROPOSED)
    first = first_try(walk)
    assert type(first) is KINDS[first_try]
    before = dump(store)
    changes = NO_QUORUM if first_try is refused else {}
    assert walk.ask("approve", key="once", at=LATER, **changes) == first
    walk.ledger = Ledger(store, vault=TEST_VAULT)  # as after a restart
    assert walk.ask("approve", key="once", at=LATER, **changes) == first
    assert dump(store) == before


def test_the_opening_of_a_dossier_gets_its_first_answer_again(store: Store) -> None:
    walk = Walk(store)
    first = walk.do("open", key="once")
    before = dump(store)
    assert walk.ask("open", key="once", at=LATER) == first
    assert dump(store) == before


def test_the_first_answer_outlives_later_steps(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    first = walk.do("approve", key="once")
    walk.do("terminate")
    assert walk.ask("approve", key="once") == first


def test_the_spelling_of_a_name_makes_no_second_person(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    first = walk.do("approve", key="once", actor="Bruno")
    assert walk.ask("approve", key="once", actor="  bRÜNO ") == first


@pytest.mark.parametrize(
    "other",
    [
        {"trigger": "approve", "chair": "Une autre présidence"},
        {"trigger": "approve", "actor": "Tania"},
        {"trigger": "approve", "seen": 1},
        {"trigger": "attach"},
    ],
    ids=["another request", "another person", "another version seen", "another step"],
)
def test_the_same_key_for_another_question_is_a_conflict_that_names_who_and_when(store: Store, other) -> None:
    walk = Walk(store).until(State.PROPOSED)
    walk.do("approve", key="once")
    before = dump(store)
    answer = walk.ask(**other, key="once", at=LATER)
    assert isinstance(answer, Conflict)
    assert (answer.who, answer.when) == ("Bruno", "2026-11-23T09:00:00.000000Z")
    assert "Bruno le 23 novembre 2026 à 10:00:00" in answer.sentence
    assert dump(store) == before


def test_a_key_of_another_dossier_is_a_conflict_and_moves_neither(store: Store) -> None:
    walk, other = Walk(store).until(State.PROPOSED), Walk(store, "ESSAI-2").until(State.PROPOSED)
    walk.do("approve", key="once")
    before = dump(store)
    assert isinstance(other.ask("approve", key="once"), Conflict)
    assert dump(store) == before


def test_the_expected_version_is_the_one_that_the_step_needs(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    seen = walk.do("approve", seen=1).version
    assert walk.do("transmit_act", seen=seen).version == 3


def test_an_old_version_is_a_conflict_that_names_who_moved_the_dossier(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    walk.do("attach", actor="Farida")
    answer = walk.ask("approve", seen=1)
    assert isinstance(answer, Conflict)
    assert (answer.who, answer.when, answer.state) == ("Farida", "2026-11-23T09:00:00.000000Z", State.PROPOSED)
    assert fresh(walk).partnership.state is State.PROPOSED


def test_a_step_that_somebody_has_done_is_a_conflict_that_names_the_winner_and_the_instant(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.do("sign", at=LATER)
    walk.do("attach", actor="Farida", at=LATER)  # a recording in between is not the winner
    answer = walk.ask("sign", at=LATER + timedelta(seconds=1))
    assert isinstance(answer, Conflict)
    assert (answer.who, answer.when, answer.state) == ("Tania", "2026-11-23T10:00:00.000000Z", State.SIGNED)
    assert answer.sentence == "« Signer la convention » a déjà été fait par Tania le 23 novembre 2026 à 11:00:00."


def test_a_dossier_that_is_opened_again_with_another_file_is_told_that_the_file_differs(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    same, other = walk.ask("open"), walk.ask("open", terms=RIGHT["open"]["terms"] | {"cap": 19})
    assert isinstance(same, Conflict)
    assert isinstance(other, Conflict)
    told = "« Ouvrir le dossier » a déjà été fait par Tania le 23 novembre 2026 à 10:00:00."
    assert same.sentence == told
    assert other.sentence == (
        f"{told} Votre fichier en diffère, et rien n’en est repris : une autre convention demande une autre référence."
    )


def test_a_conflict_is_in_the_journal(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    answer = walk.ask("approve")
    told = json.loads(journal(store, walk.reference)[-1][1])
    assert (told["outcome"], told["conflict"]["who"], told["from"], told["to"]) == ("conflict", answer.who, "approved", "approved")


def test_a_reference_is_opened_once(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    answer = walk.ask("open", actor="Bruno")
    assert isinstance(answer, Conflict)
    assert answer.who == "Tania"


def test_a_dossier_that_is_there_was_not_opened_by_the_step_that_moved_it_since(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    answer = walk.ask("open", key="again")
    assert isinstance(answer, Refused)
    assert [reason.reason for reason in answer.reasons] == ["Le dossier ESSAI-1 est déjà ouvert."]


def test_a_refusal_is_journaled_with_every_reason_and_changes_nothing_but_the_chain(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    before, was = dump(store), fresh(walk)
    answer = walk.ask("approve", actor="Tania", held_on="2027-01-01", **NO_QUORUM)
    assert {reason.code for reason in answer.reasons} == {"WRONG_ROLE", "FUTURE_DATE", "NO_QUORUM"}
    after, now = dump(store), fresh(walk)
    told = json.loads(journal(store, walk.reference)[-1][1])
    assert [reason["code"] for reason in told["reasons"]] == [reason.code for reason in answer.reasons]
    assert (now.n, now.partnership) == (was.n + 1, was.partnership)
    assert {name for name in after if after[name] != before[name]} == {"journal", "partnerships"}
    assert len(after["journal"]) == len(before["journal"]) + 1


def test_a_refused_opening_leaves_nothing(store: Store) -> None:
    walk = Walk(store)
    before = dump(store)
    assert isinstance(walk.ask("open", actor="Aude"), Refused)
    assert dump(store) == before


@pytest.mark.parametrize("question", ["reference", "person", "trigger", "request"])
def test_a_question_that_makes_no_sense_is_invalid_and_writes_nothing(store: Store, question: str) -> None:
    walk = Walk(store).until(State.PROPOSED)
    asked = {"reference": walk.reference, "person": "Bruno", "trigger": "approve", "request": STEPS["approve"].asks(**RIGHT["approve"])}
    asked[question] = STEPS["close"].asks() if question == "request" else "INCONNU"
    before = dump(store)
    with pytest.raises(Invalid) as invalid:
        walk.ledger.fire(asked["reference"], asked["trigger"], asked["request"], actor=asked["person"], at=AT, key="k")
    assert invalid.value.sentences
    assert dump(store) == before


def test_a_dossier_file_of_another_reference_is_invalid(store: Store) -> None:
    with pytest.raises(Invalid):
        Walk(store, "ESSAI-1").ask("open", reference="ESSAI-2")


def test_nobody_but_the_roles_of_the_table_takes_a_step(store: Store) -> None:
    """At every state of the trunk, an auditor is refused every step that the table allows there."""
    walk = Walk(store)
    for trigger in WAYS[State.CLOSED]:
        walk.do(trigger)
        for step in steps_from(fresh(walk).partnership.state):
            answer = walk.ask(step.trigger, actor=PEOPLE[Role.AUDITOR])
            assert isinstance(answer, Refused)
            assert "WRONG_ROLE" in {reason.code for reason in answer.reasons}
    assert fresh(walk).partnership.version == len(WAYS[State.CLOSED])


@pytest.mark.parametrize(
    ("again", "constraint"),
    [
        ({"document_sha256": "f" * 64, "number": "f 2026/1"}, "uq_invoices_supplier_number"),
        ({"number": "F-2026-2"}, "uq_invoices_supplier_document"),
    ],
    ids=["the same number", "the same file"],
)
def test_an_invoice_of_another_dossier_is_refused_in_french_and_journaled(store: Store, again, constraint) -> None:
    Walk(store).until(State.INVOICED)
    other = Walk(store, "ESSAI-2").until(State.TRAINED)
    answer = other.ask("receive_invoice", key="once", **again)
    assert isinstance(answer, Refused)
    assert [(reason.code, reason.reason) for reason in answer.reasons] == [("DUPLICATE", SENTENCES[constraint])]
    assert json.loads(journal(store, "ESSAI-2")[-1][1])["reasons"][0]["reason"] == SENTENCES[constraint]
    assert fresh(other).partnership.invoices == ()
    assert other.ask("receive_invoice", key="once", **again) == answer
    assert Verifier(store).verify("ESSAI-2").faults == ()


def test_the_same_invoice_number_of_another_supplier_is_another_invoice(store: Store) -> None:
    Walk(store).until(State.INVOICED)
    university = {"name": "Une autre université", "siret": OTHER_SIRET, "payee": {"holder": "Agent comptable", "iban": IBAN}}
    other = Walk(store, "ESSAI-2").until(State.TRAINED, parties=RIGHT["open"]["parties"] | {"university": university})
    other.do("receive_invoice", supplier_siret=OTHER_SIRET)


def told(partnership: Partnership) -> dict:
    """Every field; findings and digests of people have no order."""
    unordered = {name: frozenset(getattr(partnership, name)) for name in ("findings", "identity_digests")}
    return {**partnership._asdict(), **unordered}


def remembered(walk: Walk) -> Partnership:
    known = walk.ledger.dossiers._known[walk.reference]
    assert known[:3] == fresh(walk)[:3]
    return known.partnership


SECOND = {"number": "F-2026-2", "document_sha256": "e" * 64, "issued_on": "2026-06-18", "amount": "1999.99"}
A_LIFE_WITH_DETOURS: list[tuple[str, dict]] = [
    ("open", {"imported": True, "terms": RIGHT["open"]["terms"] | {"fees": {"continuing": "1500.00"}, "result_policy": "warn"}}),
    ("approve", {"seats": None}),
    *((trigger, {}) for trigger in WAYS[State.INVOICED][2:]),
    ("attach", {}),
    ("suspend_invoice", {}),
    ("resume_invoice", {}),
    ("reject_invoice", {"decided_on": "2026-06-18"}),
    ("review_findings", {}),
    ("receive_invoice", SECOND),
    ("verify_residence", {"insee": "62041"}),
    ("settle", {}),
    ("order_payment", {}),
    ("refuse_payment", {}),
    ("order_payment", {"ordered_on": "2026-07-02"}),
    ("pay", {"amount": "1999.99"}),
    ("hold_committee", {}),
    ("close", {}),
]


def test_the_facts_that_a_ledger_remembers_are_those_of_the_database(store: Store) -> None:
    walk = Walk(store)
    for trigger, changes in A_LIFE_WITH_DETOURS:
        walk.do(trigger, **changes)
        assert told(remembered(walk)) == told(fresh(walk).partnership), trigger
    assert {one.code for one in remembered(walk).findings} >= {"ROLL_CALL_UNKNOWN", "RATE_EXCEEDS_FEE", "UNCLAIMED"}
    assert Verifier(store).verify(walk.reference).faults == ()


def test_trainees_numbered_out_of_order_are_remembered_and_verified_as_they_are_written(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    for number in (5, 3, 4):
        walk.do("retain_trainee", number=number, family_name=f"Martin-{number}", rank=number)
    walk.do("verify_residence", trainee=3)
    assert Verifier(store).verify(walk.reference).faults == ()
    assert told(remembered(walk)) == told(fresh(walk).partnership)


def test_a_change_by_another_ledger_is_seen(store: Store) -> None:
    one, two = Walk(store).until(State.PROPOSED), Walk(store)
    two.do("approve")
    one.do("transmit_act")
    two.do("retain_trainee")
    assert [reason.code for reason in one.ask("retain_trainee").reasons] == ["TRAINEE_ALREADY_RETAINED"]
    assert told(remembered(one)) == told(fresh(one).partnership)
