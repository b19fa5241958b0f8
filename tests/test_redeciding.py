"""Whether the law would decide so again is another question than whether the journal holds: an anomaly is named with both outcomes."""

from __future__ import annotations

from typing import Any

import pytest
from test_journal import entries_of, rechain
from walks import Walk
from witness import drop_triggers, fresh, sql

from flows import reading
from flows.home import Home
from flows.screen import REFUSED
from flows.settings import settings
from models.people import Register
from models.redeciding import Anomaly, redecided
from models.store import Store
from models.verify import Verifier
from states.redecide import OVERTAKEN, UNKEPT, Undecidable, decided, effect, recorded
from states.words import Role, State


def lived(store: Store, state: State = State.PAID) -> Walk:
    """A dossier with one trainee, whose journal somebody with all rights may write to."""
    walk = Walk(store).until(state)
    drop_triggers(store)
    return walk


def anomalies(walk: Walk) -> list[Anomaly]:
    proof, entries = Verifier(walk.store).proved(walk.reference)
    assert proof.faults == ()
    return list(redecided(walk.reference, entries).anomalies)


def test_a_whole_life_comes_out_as_it_was_decided(store: Store) -> None:
    walk = Walk(store).until(State.CLOSED)
    _, entries = Verifier(store).proved(walk.reference)
    found = redecided(walk.reference, entries)
    assert (found.again, found.anomalies, found.left) == (len(entries), (), ())


def test_a_consistent_but_unlawful_entry_is_an_anomaly_with_both_outcomes(store: Store) -> None:
    """Entry, facts, rows, chain and head are all in order; only, nobody may pay who has certified."""
    walk = lived(store)
    told = entries_of(store)
    told[-1] |= {"actor": "Farida", "role": "public_accountant"}
    told[-1]["facts"]["settlements"]["1"]["paid_by"] = "Farida"
    if store.is_sqlite:  # which takes no constraint away
        sql(store, "ALTER TABLE settlements RENAME TO guarded")
        sql(store, "CREATE TABLE settlements AS SELECT * FROM guarded")
    else:
        sql(store, "ALTER TABLE settlements DROP CONSTRAINT ck_settlements_three_people")
    sql(store, "UPDATE settlements SET paid_by = 'Farida'")
    rechain(store, told)
    (one,) = anomalies(walk)
    assert (one.n, one.label, one.recorded, one.decided) == (len(told), "Payer la subvention", "fait, « payé »", "refusé (SAME_PERSON)")
    assert one.sentence == (
        f"Entrée {len(told)} (« Payer la subvention ») : anomalie. Le journal dit : fait, « payé » ; "
        "sous la loi n° 1 d’aujourd’hui : refusé (SAME_PERSON)."
    )


def test_a_sum_that_the_law_does_not_give_is_named_with_both(store: Store) -> None:
    walk = lived(store, State.SETTLED)
    told = entries_of(store)
    told[-1]["facts"]["settlements"]["1"]["ceiling"] = "40001.00"
    sql(store, "UPDATE settlements SET ceiling_cents = 4000100")
    rechain(store, told)
    (one,) = anomalies(walk)
    assert one.differs == ("liquidation n° 1 : ceiling 40001.00 / 40000.00",)
    assert (one.recorded, one.decided) == ("fait, « liquidé »",) * 2


def test_a_request_that_says_something_else_than_its_facts_is_an_anomaly(store: Store) -> None:
    walk = lived(store)
    told = entries_of(store)
    told[8]["request"]["rank"] = 7
    rechain(store, told)
    (one,) = anomalies(walk)
    assert one.differs == ("stagiaire n° 1 : rank 1 / 7",)


MET = {"present": [f"Membre {n}" for n in range(1, 18)], "votes_for": 17}
REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a quorum that was met": ({}, MET, "fait, « approuvé »"),
    "a reason that is left out": ({"reasons": []}, {}, "refusé (NO_QUORUM)"),
    "another person": ({"actor": "Tania", "role": "training_officer"}, {}, "refusé (NO_QUORUM et WRONG_ROLE)"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_that_would_not_come_out_so_is_an_anomaly_too(store: Store, refusal: str) -> None:
    change, request, decided_as = REFUSALS[refusal]
    walk = Walk(store).until(State.PROPOSED)
    walk.ask("approve", present=["Membre 1"], votes_for=1)
    drop_triggers(store)
    told = entries_of(store)
    told[-1] |= {**change, "request": told[-1]["request"] | request}
    rechain(store, told)
    (one,) = anomalies(walk)
    assert one.recorded.startswith("refusé")
    assert one.decided == decided_as


def test_an_undo_that_took_back_what_others_relied_on_is_an_anomaly(store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    walk.do("attach")
    walk.do("undo", actor="Omar")
    drop_triggers(store)
    told = entries_of(store)
    told[-1]["request"]["entry"] = told[-1]["undoes"] = 2
    rechain(store, told)
    (one,) = anomalies(walk)
    assert (one.recorded, one.decided) == ("fait, « signé »", "refusé (STILL_RELIED_ON)")


def test_what_was_not_decided_or_is_not_kept_is_counted_and_never_guessed(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.ask("approve")  # somebody was first
    walk.do("retain_trainee")
    walk.ask("retain_trainee")  # refused: the same person, whom no journal names
    _, entries = Verifier(store).proved(walk.reference)
    found = redecided(walk.reference, entries)
    assert found.anomalies == ()
    assert {many for _, many in found.left} == {1}
    assert {reason for reason, _ in found.left} == {
        OVERTAKEN,
        UNKEPT,
    }


def test_a_delegate_and_the_roles_of_that_day_decide_again_whatever_became_of_them(store: Store) -> None:

    walk = Walk(store).until(State.SETTLED)
    walk.do("delegate", actor="Omar", role="authorising_officer", to="Tania")
    walk.do("order_payment", actor="Tania")
    Register(store).change("Omar", roles=[Role.AUDITOR])
    Register(store).change("Tania", roles=[Role.AUDITOR])
    assert anomalies(walk) == []


def test_an_earlier_law_whose_code_is_gone_is_only_added_up(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    monkeypatch.setattr("models.redeciding.LAW", 2)
    _, entries = Verifier(store).proved(walk.reference)
    found = redecided(walk.reference, entries)
    assert (found.again, found.anomalies) == (0, ())
    assert found.left == (("la loi n° 1 n’est plus dans ce jalon, seuls les faits ont été additionnés", len(entries)),)


def test_the_command_says_both_questions_apart(tmp_path: Any) -> None:
    home = Home(settings({"JALON_HOME": str(tmp_path)}), create=True)
    walk = lived(home.store, State.SETTLED)
    assert reading.verify(home, walk.reference, law=True).told["law"]["decided_again"] == len(entries_of(home.store))
    told = entries_of(home.store)
    told[-1]["facts"]["settlements"]["1"]["ceiling"] = "40001.00"
    sql(home.store, "UPDATE settlements SET ceiling_cents = 4000100")
    rechain(home.store, told)
    assert reading.verify(home, walk.reference).code == 0
    page = reading.verify(home, walk.reference, law=True)
    assert page.code == REFUSED
    assert page.lines[0].startswith("ESSAI-1 : tout se tient")
    assert "1 anomalie" in page.lines[1]
    assert "ceiling 40001.00 / 40000.00" in page.lines[2]
    home.store.close()


def test_two_outcomes_that_number_a_new_fact_otherwise_have_one_effect(sqlite: Store) -> None:
    walk = Walk(sqlite).until(State.APPROVED)
    walk.do("attach")
    walk.do("attach")
    *_, last = entries_of(sqlite)

    now = fresh(walk).partnership
    with_one, without = now._replace(documents=now.documents[:1]), now._replace(documents=())
    assert decided(without, last).facts != decided(with_one, last).facts
    assert effect(decided(without, last), without) == effect(decided(with_one, last), with_one) == effect(recorded(last), with_one)


def test_a_step_that_is_gone_from_the_table_cannot_be_decided_again(sqlite: Store) -> None:
    walk = Walk(sqlite).until(State.APPROVED)

    with pytest.raises(Undecidable, match="n’est plus dans la table"):
        decided(fresh(walk).partnership, entries_of(sqlite)[-1] | {"trigger": "bless"})
