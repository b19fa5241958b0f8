"""A clock that was set back writes nothing far behind the journal, and says so where it is a little behind."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from forging import entries_of, rechain
from walks import AT, PEOPLE, Walk, fresh_code
from witness import drop_triggers, dump, journal, sql

from flows.ports.clock import now
from models.answers import Done
from models.database.store import Store
from models.ledger.ledger import Ledger
from models.people.codes import Shown
from models.verify.proof import Verifier
from states.grammar.guard import Refused
from states.vocabulary import Role, State

MINUTES, SECOND = timedelta(minutes=2), timedelta(seconds=1)


def marks(store: Store) -> list[str | None]:
    return [json.loads(entry).get("newest_before") for _, entry, _ in journal(store, "ESSAI-1")]


def faults(store: Store) -> tuple[str, ...]:
    return Verifier(store).verify("ESSAI-1").faults


@pytest.mark.parametrize("remembered", [True, False])
def test_a_step_further_behind_than_is_tolerated_is_refused_with_both_instants(store: Store, remembered: bool) -> None:
    walk = Walk(store).until(State.PROPOSED)
    walk.ledger = walk.ledger if remembered else Ledger(store)
    before = dump(store)
    answer = walk.ask("attach", at=AT - MINUTES - SECOND)
    assert isinstance(answer, Refused)
    (reason,) = answer.reasons
    assert reason.code == "CLOCK_BEHIND"
    assert reason.reason == (
        "L’horloge de cette machine dit que nous sommes le 23 novembre 2026 à 09:57:59, et la dernière entrée du dossier a été écrite "
        "le 23 novembre 2026 à 10:00:00 : elle a reculé de plus de 2 minutes, rien n’est enregistré."
    )
    assert dump(store) == before


@pytest.mark.parametrize("remembered", [True, False])
def test_a_step_a_little_behind_is_written_and_says_so(store: Store, remembered: bool) -> None:
    walk = Walk(store).until(State.PROPOSED)
    walk.ledger = walk.ledger if remembered else Ledger(store)
    walk.do("attach", at=AT - MINUTES)
    walk.do("attach")
    assert marks(store) == [None, "2026-11-23T09:00:00.000000Z", None]
    assert faults(store) == ()


@pytest.mark.parametrize("remembered", [True, False])
def test_a_clock_that_goes_back_little_by_little_is_compared_with_the_newest_entry_of_all(store: Store, remembered: bool) -> None:
    walk = Walk(store).until(State.PROPOSED)
    walk.do("attach", at=AT - MINUTES)
    walk.ledger = walk.ledger if remembered else Ledger(store)
    assert isinstance(walk.ask("attach", at=AT - 2 * MINUTES), Refused)
    walk.do("attach", at=AT - SECOND)
    assert marks(store) == [None, *["2026-11-23T09:00:00.000000Z"] * 2]


def test_a_key_refused_by_the_clock_serves_again_and_so_does_the_code(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    code = fresh_code(PEOPLE[Role.BOARD_SECRETARY])
    assert isinstance(walk.ask("approve", key="once", at=now() - timedelta(days=900), shown=Shown(code, now())), Refused)
    answer = walk.ask("approve", key="once", at=max(now(), AT), shown=Shown(code, now()))
    assert isinstance(answer, Done)
    assert walk.ask("approve", key="once", at=AT - timedelta(days=1)) == answer  # what was answered is answered by any clock


def test_what_is_tolerated_is_a_setting(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    walk.ledger = Ledger(store, clock_tolerance=timedelta(seconds=30))
    answer = walk.ask("attach", at=AT - timedelta(seconds=31))
    assert isinstance(answer, Refused)
    assert "de plus de 30 secondes" in answer.reasons[0].reason
    walk.ledger = Ledger(store, clock_tolerance=timedelta(days=400))
    walk.do("attach", at=AT - timedelta(days=30))
    assert faults(store) == ()


def test_another_dossier_has_its_own_time(store: Store) -> None:
    Walk(store).until(State.PROPOSED)
    Walk(store, "ESSAI-2").do("open", at=AT - timedelta(hours=1))
    assert marks(store) == [None]


@pytest.mark.parametrize("change", [{"recorded_at": "2026-11-22T09:00:00.000000Z"}, {"newest_before": "2026-11-23T09:30:00.000000Z"}])
def test_an_entry_that_is_older_in_silence_or_says_so_wrongly_is_told(store: Store, change: dict[str, str]) -> None:
    Walk(store).until(State.APPROVED)
    drop_triggers(store)
    told = entries_of(store)
    told[1] |= change
    rechain(store, told)
    assert faults(store) == (
        "Entrée 2 du journal : elle est écrite avant l’entrée précédente sans le dire, ou porte un instant qui n’en est pas un.",
    )


def test_a_last_entry_that_cannot_be_read_keeps_nobody_from_reading_the_clock(store: Store) -> None:
    walk = Walk(store).until(State.PROPOSED)
    drop_triggers(store)
    sql(store, "UPDATE journal SET entry = :e", e='{"law":1}')
    walk.ledger = Ledger(store)
    walk.do("attach", at=AT - timedelta(days=1))
    assert faults(store) != ()
