"""An undo names its entry: a recording is taken back at any time, unless something that came later changed or relied on it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from enlisting import reroled
from pydantic import ValidationError
from taking_back import OMAR, codes, facts, holds, undo
from walks import AT, PEOPLE, RIGHT, Walk, role_for
from witness import dump, fresh, journal, sql

from models.answers import Answer, Conflict
from models.database.store import Store
from models.people.register import Register
from models.read import taking_back
from models.read.views import Views
from states.grammar.guard import Refused
from states.journal import undoing
from states.journal.entry import Entry
from states.lifecycle import STEPS
from states.vocabulary import Role, State

TANIA = PEOPLE[role_for("attach")]


def trained(store: Store, reference: str = "ESSAI-1") -> Walk:
    """A dossier in training, with three trainees."""
    walk = Walk(store, reference).until(State.IN_TRAINING)
    walk.do("retain_trainees")
    return walk


def reason(answer: Answer) -> str:
    assert isinstance(answer, Refused), answer
    return answer.reasons[0].reason


def test_the_dropout_of_the_wrong_trainee_is_taken_back_with_a_committee_recorded_since(store: Store) -> None:
    walk = trained(store)
    before = fresh(walk).partnership
    n = walk.do("record_dropout", trainee=2).n
    walk.do("hold_committee")
    done = undo(walk, actor=TANIA, entry=n)
    after = fresh(walk).partnership
    assert after.trainees == before.trainees
    assert len(after.committees) == 1
    assert done.notes == (f"Est annulé : « Consigner un abandon », entrée {n} du journal, par Tania.",)
    assert json.loads(journal(store, walk.reference)[-1][1])["undoes"] == n
    holds(walk)


def test_a_publication_on_the_wrong_act_is_taken_back_and_the_right_one_recorded(store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    walk.do("act")
    n = walk.do("publish_act", act=2, published_on="2025-12-20", address="https://cdg.example/faux").n
    walk.do("attach")
    walk.do("transmit_act", act=2, transmitted_on="2025-12-12")
    walk.do("undo", actor="Bruno", entry=n)
    walk.do("publish_act", act=2, published_on="2025-12-16")
    assert str(fresh(walk).partnership.acts[1].published_on) == "2025-12-16"
    holds(walk)


def test_a_residence_is_taken_back_with_the_dropout_of_the_same_trainee_recorded_since(store: Store) -> None:
    walk = trained(store)
    n = walk.do("verify_residence", trainee=2, insee="62041").n
    walk.do("record_dropout", trainee=2)
    undo(walk, entry=n)
    two = fresh(walk).partnership.trainee(2)
    assert (two.verified_on, two.left_on is not None) == (None, True)
    holds(walk)


def test_a_gap_that_an_undo_leaves_is_not_filled_again(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    first = walk.do("attach", title="Première").n
    walk.do("attach", title="Deuxième")
    undo(walk, entry=first)
    walk.do("attach", title="Troisième")
    assert [(one.number, one.title) for one in fresh(walk).partnership.documents] == [(2, "Deuxième"), (3, "Troisième")]
    holds(walk)


def test_a_trainee_retained_by_mistake_goes_with_the_name_whoever_was_retained_since(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    n = walk.do("retain_trainee").n
    walk.do("retain_trainees")
    undo(walk, entry=n)
    assert [one.number for one in fresh(walk).partnership.trainees] == [2, 3]
    assert sql(store, "SELECT trainee FROM identities ORDER BY trainee") == [(2,), (3,)]
    walk.do("retain_trainee")
    holds(walk)


# What stands in the way: the step, what is recorded after it, and how each obstacle is named.
OBSTACLES: dict[str, tuple[State, str, list[tuple[str, dict[str, Any]]], list[str]]] = {
    "the same fields were changed": (
        State.IN_TRAINING,
        "record_dropout",
        [("hold_committee", {}), ("record_dropout", {"left_on": "2026-03-02"})],
        ["(« Consigner un abandon », par Tania) a changé les mêmes données"],
    ),
    "the money was counted with it": (
        State.TRAINED,
        "record_dropout",
        [("attach", {}), ("receive_invoice", {"amount": "500.00"}), ("settle", {})],
        ["(« Certifier le service fait et liquider », par Farida) s’appuie sur elle"],
    ),
    "a rule asked for it": (
        State.APPROVED,
        "retain_trainee",
        [("sign", {}), ("act", {}), ("start_training", {})],
        ["(« Ouvrir la formation », par Tania) s’appuie sur elle"],
    ),
    "a fact that it made was changed": (
        State.ACTED,
        "retain_trainees",
        [("verify_residence", {"trainee": 2, "insee": "62041"}), ("correct_trainee", {"trainee": 3, "rank": 9}), ("attach", {})],
        [
            "(« Vérifier la résidence d’un stagiaire », par Tania) a changé les mêmes données",
            "(« Corriger le rang ou le régime d’un stagiaire », par Tania) a changé les mêmes données",
        ],
    ),
    "the dossier moved on": (
        State.PROPOSED,
        "approve",
        [("transmit_act", {}), ("publish_act", {}), ("sign", {})],
        [
            "(« Consigner la transmission au préfet », par Bruno) a changé les mêmes données",
            "(« Consigner la publication », par Bruno) a changé les mêmes données",
            "(« Signer la convention », par Tania) a fait avancer le dossier depuis",
        ],
    ),
    "a role was lent by it": (
        State.ACTED,
        "delegate",
        [("retain_trainee", {"actor": "Bruno", "given_name": "Zora"}), ("attach", {})],
        ["(« Retenir un stagiaire », par Bruno) s’appuie sur elle"],
    ),
    "a later recording is not possible without the step": (
        State.ACTED,
        "start_training",
        [("retain_trainee", {"given_name": "Zora"}), ("complete_training", {})],
        ["(« Constater la fin de la formation », par Tania) a fait avancer le dossier depuis"],
    ),
}


@pytest.mark.parametrize("case", OBSTACLES)
def test_what_stands_in_the_way_is_named_entry_by_entry(store: Store, case: str) -> None:
    state, trigger, later, expected = OBSTACLES[case]
    policy = RIGHT["open"]["terms"] | {"dropout_policy": "prorata"}
    walk = Walk(store).until(state, terms=policy, **({"imported": True} if case.startswith("the dossier") else {}))
    before = walk.do(trigger).n
    numbers = [walk.do(step, **how).n for step, how in later]
    kept = facts(fresh(walk).partnership)
    answer = walk.ask("undo", actor=OMAR, entry=before)
    assert codes(answer) == ["STILL_RELIED_ON"]
    for words in expected:
        assert words in reason(answer)
    assert [f"l’entrée {n} " in reason(answer) for n in numbers].count(True) == len(expected)
    assert facts(fresh(walk).partnership) == kept
    holds(walk)


def test_a_later_batch_whose_numbers_have_one_more_digit_does_not_stand_in_the_way(store: Store) -> None:
    """In an entry « 10 » stands before « 9 »; the effect is the same."""
    walk = Walk(store).until(State.APPROVED)
    numbers = [walk.do("retain_trainee", given_name=f"Zoé {number}", rank=number).n for number in range(1, 9)]
    walk.do("retain_trainees")
    undo(walk, entry=numbers[-1])
    assert [one.number for one in fresh(walk).partnership.trainees] == [1, 2, 3, 4, 5, 6, 7, 9, 10]
    holds(walk)


@pytest.mark.parametrize("again", ["stands", "taken back"])
def test_a_warning_stays_as_long_as_a_later_step_that_stands_has_raised_it_too(store: Store, again: str) -> None:
    walk = Walk(store).until(State.SIGNED, imported=True)
    first, second = (walk.do("amend", deliberation={"held_on": "2026-02-10"}, changes={"cap": cap}).n for cap in (22, 30))
    if again == "taken back":
        undo(walk, entry=second)
    undo(walk, entry=first)
    found = {(one.code, one.subject) for one in fresh(walk).partnership.findings}
    assert (("ROLL_CALL_UNKNOWN", "amend") in found) == (again == "stands")
    holds(walk)


def test_a_trunk_step_is_taken_back_with_the_recordings_that_do_not_need_it(store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    n = fresh(walk).n
    walk.do("attach", title="Annexe")
    undo(walk, entry=n)
    after = fresh(walk).partnership
    assert (after.state, after.signatures, len(after.documents)) == (State.APPROVED, (), 1)
    holds(walk)


def offered(walk: Walk, person: str) -> dict[int, str | None]:
    """What a list shows to somebody: the newest entries, and why each is not up to them now."""
    actor = Register(walk.store).actor(person)
    return {one.entry.n: one.because for one in Views(walk.store).undoable(walk.reference, 12, actor, at=AT)}


def test_a_list_offers_to_everybody_what_the_undo_will_then_do(store: Store) -> None:
    """Who holds the authorising officer's role by delegation included, for as long as who lent it holds it."""
    walk = Walk(store).until(State.APPROVED)
    walk.do("delegate", actor=OMAR, role="authorising_officer", to="Farida")
    published = 4
    for person in ("Tania", "Aude", "Paola"):
        assert offered(walk, person)[published] == reason(walk.ask("undo", actor=person, entry=published))
    reroled(store, OMAR, [Role.AUDITOR])
    assert offered(walk, "Farida")[published] == reason(walk.ask("undo", actor="Farida", entry=published))
    reroled(store, OMAR, [Role.AUTHORISING_OFFICER])
    assert offered(walk, "Farida")[published] is None
    walk.do("undo", actor="Farida", entry=published)


def test_a_list_adds_a_journal_up_once_however_many_entries_it_offers(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    walk, added_up = Walk(sqlite).until(State.TRAINED), []
    add_up = undoing.stages_of

    def counted(reference: str, entries: list[Entry]) -> list[undoing.Stage]:
        added_up.append(reference)
        return add_up(reference, entries)

    monkeypatch.setattr(undoing, "stages_of", counted)
    monkeypatch.setattr(taking_back, "stages_of", counted)
    assert len(offered(walk, OMAR)) == 12
    assert added_up == ["ESSAI-1"]


NOTHING: dict[str, tuple[int, str]] = {
    "the opening": (1, "l’entrée 1 est l’ouverture du dossier, elle ne s’annule pas"),
    "a refused entry": (5, "l’entrée 5 a été refusée, elle n’a rien changé"),
    "an entry without effect": (6, "l’entrée 6 est restée sans effet, elle n’a rien changé"),
    "a review by jalon": (7, "l’entrée 7 est une revue faite par jalon, elle n’est l’étape de personne"),
    "an undo": (9, "l’entrée 9 est une annulation, elle ne s’annule pas : l’étape se refait"),
    "an entry that there is not": (99, "le journal de ESSAI-1 n’a pas d’entrée 99, il en compte 9"),
    "an entry of another dossier": (10, "le journal de ESSAI-1 n’a pas d’entrée 10, il en compte 9"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_what_is_nobodys_step_is_not_taken_back_and_says_why(store: Store, case: str) -> None:
    other = Walk(store, "ESSAI-2").until(State.SIGNED)
    assert [other.do("attach").n for _ in range(5)][-1] == 10  # which is an entry of the other dossier
    walk = Walk(store).until(State.APPROVED)
    walk.ask("retain_trainee", born_on="2025-12-20")
    walk.ask("approve")
    walk.do("review_findings")
    walk.do("attach")
    undo(walk)
    entry, sentence = NOTHING[case]
    kept = facts(fresh(walk).partnership), dump(store)["outbox"]
    answer = walk.ask("undo", actor=OMAR, entry=entry)
    assert codes(answer) == ["NOTHING_TO_UNDO"]
    assert reason(answer) == f"Il n’y a rien à annuler là : {sentence}."
    assert (facts(fresh(walk).partnership), dump(store)["outbox"]) == kept
    holds(walk)


def test_who_comes_second_learns_who_has_taken_the_entry_back(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    n = walk.do("attach").n
    walk.do("undo", actor=TANIA, entry=n)
    answer = walk.ask("undo", actor=OMAR, entry=n)
    assert isinstance(answer, Conflict)
    assert answer.who == TANIA
    assert answer.sentence.startswith(f"L’entrée {n} (« Joindre un document ») a déjà été annulée par Tania le 23 novembre 2026 à ")
    holds(walk)


@pytest.mark.parametrize("entry", [None, 0, -1, "la dernière", 1.5, True])
def test_no_request_to_undo_is_read_without_the_number_of_an_entry(entry: Any) -> None:
    content = {"motive": "Erreur"} | ({} if entry is None else {"entry": entry})
    with pytest.raises(ValidationError):
        STEPS["undo"].asks.model_validate(content)
