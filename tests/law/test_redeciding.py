"""Whether the law would decide so again is another question than whether the journal holds: an anomaly is named with both outcomes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from databases import beneath
from enlisting import reroled
from forging import entries_of, rechain
from walks import Walk
from witness import drop_triggers, fresh, journal, sql

from flows.cli import proving
from flows.cli.screen import REFUSED
from flows.home import Home
from flows.settings import settings
from models.answers import Invalid
from models.database.store import Store
from models.ledger.chain import GENESIS, canonical, digest
from models.ledger.reading import parsed
from models.read.views import Views
from models.verify.proof import Verifier
from models.verify.redeciding import Anomaly, redecided
from states.journal.entry import Entry
from states.journal.redecide import OVERTAKEN, UNKEPT, Undecidable, decided, effect, recorded
from states.values.law import FIRST_LAW, LAW
from states.vocabulary import Role, State


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
    """Entry, facts, rows, register, chain and head are all in order; only, nobody may pay who has certified."""
    walk = lived(store)
    reroled(store, "Farida", [Role.FINANCE_OFFICER, Role.PUBLIC_ACCOUNTANT])
    told = entries_of(store)
    ((register,),) = sql(store, "SELECT max(id) FROM register_journal")
    told[-1] |= {"actor": "Farida", "role": "public_accountant", "roles": "finance_officer,public_accountant", "register": register}
    told[-1]["facts"]["settlements"]["1"]["paid_by"] = "Farida"
    for statement in beneath(store).without("settlements", "ck_settlements_three_people"):
        sql(store, statement)
    sql(store, "UPDATE settlements SET paid_by = 'Farida'")
    rechain(store, told)
    (one,) = anomalies(walk)
    assert (one.n, one.label, one.recorded, one.decided) == (len(told), "Payer la subvention", "fait, « payé »", "refusé (SAME_PERSON)")
    assert one.sentence == (
        f"Entrée {len(told)} (« Payer la subvention ») : anomalie. Le journal dit : fait, « payé » ; "
        f"sous la loi n° {LAW} d’aujourd’hui : refusé (SAME_PERSON)."
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
    reroled(store, "Omar", [Role.AUDITOR])
    reroled(store, "Tania", [Role.AUDITOR])
    assert anomalies(walk) == []


def test_an_earlier_law_whose_code_is_gone_is_only_added_up(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    monkeypatch.setattr("models.verify.redeciding.LAW", LAW + 1)
    _, entries = Verifier(store).proved(walk.reference)
    found = redecided(walk.reference, entries)
    assert (found.again, found.anomalies) == (0, ())
    assert found.left == ((f"la loi n° {LAW} n’est plus dans ce jalon, seuls les faits ont été additionnés", len(entries)),)


def test_the_command_says_both_questions_apart(tmp_path: Any) -> None:
    home = Home(settings({"JALON_HOME": str(tmp_path)}), create=True)
    walk = lived(home.store, State.SETTLED)
    assert proving.verify(home, walk.reference, law=True).json["law"]["decided_again"] == len(entries_of(home.store))
    told = entries_of(home.store)
    told[-1]["facts"]["settlements"]["1"]["ceiling"] = "40001.00"
    sql(home.store, "UPDATE settlements SET ceiling_cents = 4000100")
    rechain(home.store, told)
    assert proving.verify(home, walk.reference).code == 0
    page = proving.verify(home, walk.reference, law=True)
    assert page.code == REFUSED
    assert page.lines[0].startswith("ESSAI-1 : tout se tient")
    assert "1 anomalie" in page.lines[1]
    assert "ceiling 40001.00 / 40000.00" in page.lines[2]
    home.store.close()


def last_entry(store: Store) -> Entry:
    return parsed(journal(store, "ESSAI-1")[-1][1])


def test_two_outcomes_that_number_a_new_fact_otherwise_have_one_effect(sqlite: Store) -> None:
    walk = Walk(sqlite).until(State.APPROVED)
    walk.do("attach")
    walk.do("attach")
    last = last_entry(sqlite)

    now = fresh(walk).partnership
    with_one, without = now._replace(documents=now.documents[:1]), now._replace(documents=())
    assert decided(without, last).facts != decided(with_one, last).facts
    assert effect(decided(without, last), without) == effect(decided(with_one, last), with_one) == effect(recorded(last), with_one)


def test_a_step_that_is_gone_from_the_table_cannot_be_decided_again(sqlite: Store) -> None:
    walk = Walk(sqlite).until(State.APPROVED)

    with pytest.raises(Undecidable, match="n’est plus dans la table"):
        decided(fresh(walk).partnership, last_entry(sqlite)._replace(trigger="bless"))


# What somebody with every right may write into one entry, and hash all again: named by the proof, or by deciding again, and never a crash.
FORGED: dict[str, dict[str, Any]] = {
    "an objection on a step that was done": {"objection": "uq_invoices_supplier_number"},
    "faults on a step that was done": {"faults": ["x"]},
    "a number with a point": {"n": 3.0},
    "a field too many": {"blessed": True},
    "an undo that is none": {"undoes": 2},
    "another day of the fact": {"effective_on": "2020-01-01"},
    "no day": {"effective_on": "hier"},
    "a lender of the role": {"on_behalf_of": "Omar"},
    "a role that there is not": {"role": "president"},
    "another role": {"role": "auditor"},
    "no instant": {"recorded_at": "hier"},
    "reasons that are none": {"reasons": [1]},
    "reasons without a code": {"reasons": [{}]},
    "people of the register that are none": {"registered": {"Omar": 5}},
    "an outcome of its own": {"outcome": "conflict"},
    "a request that is none": {"request": {"colour": "red"}},
    "a finding that cannot be one": {"facts": {"findings": {"X": {"severity": [], "reason": "x", "source": "x"}}}},
    "a sum that is no number": {"facts": {"terms": {"1": {"rate": "sNaN"}}}},
    "a law that is text": {"law": "1"},
    "a law that is true": {"law": True},
    "law 0": {"law": 0},
    "the next law": {"law": LAW + 1},
    "a state that there is not": {"to": "moon"},
}


@pytest.mark.parametrize("case", FORGED)
def test_whatever_is_forged_in_an_entry_is_named_and_stops_no_other_dossier(store: Store, case: str) -> None:
    """The third entry, a transmission; the proof of the other dossier and the round of the night go on."""
    other = Walk(store, "ESSAI-2").until(State.SIGNED)
    walk = Walk(store, "ESSAI-1").until(State.SIGNED)
    drop_triggers(store)
    told = [json.loads(entry) for _, entry, _ in journal(store, walk.reference)]
    told[2] |= FORGED[case]
    head = GENESIS
    for n, entry in enumerate(told, start=1):
        written = canonical(entry | {"prev": head}).decode()
        head = digest(written.encode())
        values = {"e": written, "d": head, "r": walk.reference, "n": n}
        here = "n = :n AND partnership_id = (SELECT id FROM partnerships WHERE reference = :r)"
        sql(store, f"UPDATE journal SET entry = :e, digest = :d WHERE {here}", **values)
    sql(store, "UPDATE partnerships SET head = :d WHERE reference = :r", d=head, r=walk.reference)
    verifier = Verifier(store)
    proof, entries = verifier.proved(walk.reference)
    anomalies = redecided(walk.reference, entries).anomalies if not proof.faults else ()
    sentences = [*proof.faults, *(one.sentence for one in anomalies)]
    assert sentences
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in sentences)
    assert verifier.verify(other.reference).faults == ()
    with suppress(Invalid):  # what cannot be shown says that it is damaged; a page never crashes
        Views(store).show(walk.reference)


def test_the_numbers_of_the_laws_never_go_down(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    """Else an unlawful entry could be stamped with a law whose code is gone."""
    walk = lived(store, State.SIGNED)
    told = entries_of(store)
    told[2]["law"] = LAW + 1
    rechain(store, told)
    monkeypatch.setattr("models.verify.proof.LAWS", range(FIRST_LAW, LAW + 2))
    monkeypatch.setattr("states.journal.fold.LAW", LAW + 1)
    (fault,) = Verifier(store).verify(walk.reference).faults
    assert fault == "Entrée 4 du journal : jalon n’écrit jamais une telle entrée à cet endroit."
