"""One-time codes: they prove who acts, once, and every refusal for want of one stands in the journal."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta

import pytest
from enlisting import TEST_VAULT, enlist
from walks import AT, PEOPLE, SECRETS, Walk
from witness import fresh, journal

from models.answers import Answer, Done, Invalid
from models.database.store import Store
from models.ledger.ledger import Ledger
from models.people.codes import CLOSED_FOR, FLOOD, FREE, PERIOD, Shown, code_at, new_secret, provisioning
from models.people.register import Register
from models.verify.proof import Verifier
from states.grammar.guard import Refused
from states.vocabulary import Role, State

BRUNO = PEOPLE[Role.BOARD_SECRETARY]


def at(periods: int) -> datetime:
    return AT + timedelta(seconds=PERIOD * periods)


def code(periods: int = 0, person: str = BRUNO) -> str:
    return code_at(SECRETS[person], at(periods))


def sentence(answer: Answer) -> str:
    assert isinstance(answer, Refused), answer
    assert [reason.code for reason in answer.reasons] == ["PERSON_UNPROVED"]
    return answer.reasons[0].reason


def proofs(store: Store) -> list[str | None]:
    return [json.loads(entry).get("proof") for _, entry, *_ in journal(store, "ESSAI-1")]


@pytest.fixture
def proposed(store: Store) -> Walk:
    return Walk(store).until(State.PROPOSED)


@pytest.mark.parametrize("periods", [-1, 0, 1])
def test_the_code_of_now_or_of_the_periods_beside_it_proves_the_person(proposed: Walk, store: Store, periods: int) -> None:
    assert isinstance(proposed.ask("approve", shown=Shown(code(periods), AT)), Done)
    assert proofs(store) == [None, "right"]
    assert Verifier(store).verify("ESSAI-1").faults == ()


@pytest.mark.parametrize("typed", [code(-2), code(2), code(0, PEOPLE[Role.TRAINING_OFFICER]), "987654", "12345", "abcdef", "１２３４５６"])
def test_another_code_is_refused_and_the_refusal_is_in_the_journal_without_the_code(proposed: Walk, store: Store, typed: str) -> None:
    assert sentence(proposed.ask("approve", shown=Shown(typed, AT))) == "Ce code n’est pas le bon pour Bruno à cet instant."
    assert proofs(store) == [None, "wrong"]
    assert typed not in journal(store, "ESSAI-1")[-1][1]
    assert fresh(proposed).partnership.state is State.PROPOSED


@pytest.mark.parametrize("typed", [None, "", "   "])
def test_without_a_code_nothing_is_done(proposed: Walk, store: Store, typed: str | None) -> None:
    assert sentence(proposed.ask("approve", shown=Shown(typed, AT))) == "Il manque le code à usage unique (Bruno)."
    assert proofs(store) == [None, "missing"]


def test_a_code_written_with_spaces_is_the_same_code(proposed: Walk) -> None:
    assert isinstance(proposed.ask("approve", shown=Shown(f" {code()[:3]} {code()[3:]} ", AT)), Done)


def test_a_code_serves_once_even_for_another_dossier_or_a_step_that_was_refused(proposed: Walk, store: Store) -> None:
    other = Walk(store, "ESSAI-2").until(State.PROPOSED)
    refused = proposed.ask("approve", votes_for=0, votes_against=17, shown=Shown(code(), AT))
    assert isinstance(refused, Refused)
    assert [reason.code for reason in refused.reasons] == ["NOT_ADOPTED"]
    for walk in (proposed, other):
        used = sentence(walk.ask("approve", shown=Shown(code(), AT)))
        assert used.startswith("Ce code a déjà servi, ou un plus récent depuis")
    assert isinstance(proposed.ask("approve", shown=Shown(code(1), at(1))), Done)
    assert sentence(other.ask("approve", shown=Shown(code(0), at(1)))).startswith("Ce code a déjà servi")  # nor an older one


def test_the_same_key_gives_the_first_answer_and_uses_no_second_code(proposed: Walk) -> None:
    first = proposed.ask("approve", key="once", shown=Shown(code(), AT))
    assert proposed.ask("approve", key="once", shown=Shown(code(), AT)) == first


def test_a_flood_of_wrong_codes_closes_the_door_for_minutes(proposed: Walk, store: Store) -> None:
    for _ in range(FLOOD - 1):
        proposed.ask("approve", shown=Shown("000000", AT))
    assert isinstance(proposed.ask("attach", actor=BRUNO, shown=Shown(code(-1), AT)), Done)  # a right one begins the count again
    for _ in range(FLOOD):
        assert "n’est pas le bon" in sentence(proposed.ask("approve", shown=Shown("000000", AT)))
    assert sentence(proposed.ask("approve", shown=Shown(code(), AT))).startswith("Trop de codes faux à la suite pour Bruno")
    assert [name for name, _ in Register(store).mistaken(FLOOD)] == [BRUNO]
    later = AT + CLOSED_FOR
    assert isinstance(proposed.ask("approve", at=later, shown=Shown(code_at(SECRETS[BRUNO], later), later)), Done)  # by itself
    assert Register(store).mistaken(1) == ()


def test_somebody_without_a_secret_proves_nothing(proposed: Walk, store: Store) -> None:
    enlist(store, "Iris", "iris@essai.example", [Role.BOARD_SECRETARY])
    assert sentence(proposed.ask("approve", actor="Iris", shown=Shown("123456", AT))).startswith("Iris n’a pas encore de code")


def test_one_code_shown_to_two_dossiers_at_once_serves_one_of_them(store: Store) -> None:
    walks = [Walk(store, f"ESSAI-{number}").until(State.PROPOSED) for number in (1, 2)]
    answers: list[Answer] = []
    start = threading.Barrier(2)

    def race(walk: Walk) -> None:
        walk.ledger = Ledger(store, vault=TEST_VAULT)
        start.wait()
        answers.append(walk.ask("approve", shown=Shown(code(), AT)))

    threads = [threading.Thread(target=race, args=(walk,)) for walk in walks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(answer).__name__ for answer in answers) == ["Done", "Refused"]


def test_the_address_in_the_qr_code_is_what_an_application_reads() -> None:
    assert provisioning("Zoé Petit", "A" * 32) == f"otpauth://totp/jalon:Zo%C3%A9%20Petit?secret={'A' * 32}&issuer=jalon"
    assert len({new_secret() for _ in range(50)}) == 50
    # RFC 6238, appendix B, SHA-1, the last six digits.
    assert code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", datetime.fromisoformat("2005-03-18T01:58:29Z")) == "081804"


def test_a_request_that_has_waited_too_long_proves_nothing_and_its_code_is_used_up(proposed: Walk) -> None:
    at = AT + timedelta(minutes=16)
    late = sentence(proposed.ask("approve", shown=Shown(code(), AT), at=at))
    assert late.startswith("Cette demande a attendu plus de quinze minutes")
    assert sentence(proposed.ask("approve", shown=Shown(code(), AT), at=at)).startswith("Ce code a déjà servi")


def test_a_code_of_a_question_that_could_not_be_asked_is_used_up_all_the_same(proposed: Walk) -> None:
    proposed.ledger.use_up(" bruno ", Shown(code(), AT))
    assert sentence(proposed.ask("approve", shown=Shown(code(), AT))).startswith("Ce code a déjà servi")


def test_a_source_of_wrong_codes_waits_twice_as_long_each_time_and_the_person_goes_on(proposed: Walk, store: Store) -> None:
    here = "terminal:quelqu’un"
    for _ in range(FREE):
        assert "n’est pas le bon" in sentence(proposed.ask("approve", shown=Shown("000000", AT, here)))
    assert sentence(proposed.ask("approve", shown=Shown(code(), AT, here))).startswith("Trop de codes faux ont été donnés d’ici")
    soon = AT + timedelta(seconds=3)
    assert "n’est pas le bon" in sentence(proposed.ask("approve", at=soon, shown=Shown("000000", soon, here)))
    assert "d’ici" in sentence(proposed.ask("approve", at=soon + timedelta(seconds=3), shown=Shown("000000", soon, here)))
    assert isinstance(proposed.ask("attach", actor=BRUNO, at=soon, shown=Shown(code(), soon, "terminal:bruno")), Done)  # elsewhere
    assert Register(store).mistaken(1) == ()


def test_wrong_codes_for_others_slow_the_same_source(proposed: Walk) -> None:
    for person in (BRUNO, PEOPLE[Role.TRAINING_OFFICER], PEOPLE[Role.AUDITOR]):
        proposed.ask("attach", actor=person, shown=Shown("000000", AT, "form:10.0.0.7"))
    assert "d’ici" in sentence(proposed.ask("approve", shown=Shown(code(), AT, "form:10.0.0.7")))


@pytest.mark.parametrize("key", ["prefect:1", "web:1", "jalon:1", "review:ESSAI-1:2", "PREFECT:1"])
def test_a_key_of_jalon_itself_is_refused_from_outside(proposed: Walk, key: str) -> None:
    with pytest.raises(Invalid, match="Une clé d’idempotence ne commence pas par"):
        proposed.ask("approve", key=key)


def test_an_answer_is_given_again_for_the_same_step_person_and_dossier_only(proposed: Walk) -> None:
    done = proposed.ask("attach", actor=PEOPLE[Role.TRAINING_OFFICER], key="k")
    assert proposed.ledger.answered("k", "ESSAI-1", "attach", "TANIA") == done
    for reference, trigger, person in (("ESSAI-2", "attach", "Tania"), ("ESSAI-1", "pay", "Tania"), ("ESSAI-1", "attach", "Paola")):
        with pytest.raises(Invalid, match="a déjà servi à autre chose"):
            proposed.ledger.answered("k", reference, trigger, person)
