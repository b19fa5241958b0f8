"""What follows a step is handed out under a lease until somebody says that it is done, or a person must look at it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from breaking import NO_QUORUM, committed, faults
from walks import AT, WAYS, Walk
from witness import drop_triggers, dump, journal, sql

from models.database.faults import Unreachable
from models.database.store import Store
from models.outbox import ATTEMPTS_AT_MOST, LEASE, Outbox
from states.lifecycle import STEPS
from states.vocabulary import Role, State

SECOND = timedelta(seconds=1)
EXPIRED = AT + LEASE + SECOND


@pytest.fixture
def outbox(store: Store) -> Outbox:
    """The outbox after the opening of one dossier: one letter and one check."""
    Walk(store).until(State.PROPOSED)
    return Outbox(store)


def test_the_keys_of_a_step_are_made_of_the_dossier_the_entry_and_the_effect(outbox: Outbox) -> None:
    assert [one.key for one in outbox.take(now=AT, lease="a")] == ["ESSAI-1.1.tell.board_secretary", "ESSAI-1.1.check"]


def test_every_step_of_a_life_leaves_a_letter_for_each_role_of_the_table_and_one_check(store: Store) -> None:
    Walk(store).until(State.CLOSED)
    parcels = Outbox(store).take(now=AT, lease="a", most=1000)
    expected = [
        (number, role)
        for number, trigger in enumerate(WAYS[State.CLOSED], start=1)
        for role in (*(role.value for role in STEPS[trigger].tells), None)
    ]
    assert sorted((parcel.entry.n, parcel.role or "") for parcel in parcels) == sorted((number, role or "") for number, role in expected)
    assert len({one.key for one in parcels}) == len(parcels)


def test_a_parcel_tells_the_entry_it_is_about(store: Store, outbox: Outbox) -> None:
    letter, check = outbox.take(now=AT, lease="a")
    (_, entry, digest) = journal(store, "ESSAI-1")[0]
    assert (letter.kind, letter.role, check.kind, check.role) == ("tell", Role.BOARD_SECRETARY, "check", None)
    assert (letter.reference, letter.entry.fields(), letter.digest) == ("ESSAI-1", json.loads(entry), digest)


@pytest.mark.parametrize("attempt", ["refused", "asked again", "lost"])
def test_an_attempt_that_changes_nothing_leaves_nothing_to_tell(store: Store, attempt: str) -> None:
    walk = Walk(store).until(State.PROPOSED)
    before = dump(store)["outbox"]
    if attempt == "refused":
        walk.ask("approve", **NO_QUORUM)
    elif attempt == "lost":
        with faults(store, before=committed), pytest.raises(Unreachable):
            walk.ask("approve")
    else:
        walk.do("approve", key="once")
        before = dump(store)["outbox"]
        walk.do("approve", key="once")
    assert dump(store)["outbox"] == before


def test_nothing_is_due_before_the_step_was_recorded(outbox: Outbox) -> None:
    assert outbox.take(now=AT - SECOND, lease="a") == ()


def test_what_one_has_taken_another_does_not_see(outbox: Outbox) -> None:
    assert len(outbox.take(now=AT, lease="a")) == 2
    assert outbox.take(now=AT + LEASE - SECOND, lease="b") == ()


def test_no_more_is_taken_than_asked_for_and_the_oldest_first(store: Store) -> None:
    walk = Walk(store)
    walk.do("open")
    walk.do("approve", at=AT - SECOND)
    (first,) = Outbox(store).take(now=AT, lease="a", most=1)
    assert (first.key, Outbox(store).waiting()) == ("ESSAI-1.2.tell.training_officer", 4)


def test_what_is_delivered_is_never_taken_again(outbox: Outbox) -> None:
    letter, check = outbox.take(now=AT, lease="a")
    assert outbox.sent(letter, now=AT)
    assert outbox.sent(check, now=AT)
    assert outbox.take(now=AT + 1000 * LEASE, lease="b") == ()
    assert outbox.waiting() == 0


def test_what_a_dead_worker_had_taken_is_taken_again_under_the_same_key(outbox: Outbox) -> None:
    first, again = outbox.take(now=AT, lease="dead"), outbox.take(now=EXPIRED, lease="alive")
    assert [one.key for one in again] == [one.key for one in first]
    assert [one.attempts for one in again] == [2, 2]


def test_a_worker_that_wakes_up_with_an_old_lease_can_mark_nothing(store: Store, outbox: Outbox) -> None:
    old, _ = outbox.take(now=AT, lease="asleep")
    new, _ = outbox.take(now=EXPIRED, lease="awake")
    before = dump(store)
    assert not outbox.sent(old, now=EXPIRED)
    assert not outbox.failed(old, "panne", now=EXPIRED, for_good=True)
    assert dump(store) == before
    assert outbox.sent(new, now=EXPIRED)


def test_a_parcel_is_marked_once(outbox: Outbox) -> None:
    letter, check = outbox.take(now=AT, lease="a")
    assert outbox.sent(letter, now=AT)
    assert outbox.failed(check, "panne", now=AT)
    assert not any(outbox.sent(one, now=AT) or outbox.failed(one, "panne", now=AT) for one in (letter, check))


def test_what_failed_comes_back_later_each_time_twice_as_late(store: Store) -> None:
    outbox, now, waits = Outbox(store), AT, []
    Walk(store).until(State.PROPOSED)
    for attempt in range(1, ATTEMPTS_AT_MOST):
        parcel, *_ = outbox.take(now=now, lease=f"lease {attempt}", most=1)
        assert parcel.attempts == attempt
        assert outbox.failed(parcel, "panne", now=now)
        ((due,),) = sql(store, "SELECT due_at FROM outbox WHERE id = :i", i=parcel.id)
        later = type(AT).fromisoformat(due)
        assert parcel.key not in [one.key for one in outbox.take(now=later - SECOND, lease=f"too early {attempt}")]
        waits.append(later - now)
        now = later
    assert [late / early for early, late in pairwise(waits)] == [2.0] * (ATTEMPTS_AT_MOST - 2)


def test_what_has_failed_eight_times_is_given_to_a_person(outbox: Outbox) -> None:
    now = AT
    for attempt in range(8):
        assert outbox.given_up() == ()
        letter, _ = outbox.take(now=now, lease=f"lease {attempt}")
        outbox.failed(letter, "panne", now=now)
        now += timedelta(days=1)
    assert outbox.given_up() == (("ESSAI-1", "ESSAI-1.1.tell.board_secretary", "panne"),)
    assert [one.kind for one in outbox.take(now=now, lease="b")] == ["check"]
    assert outbox.waiting() == 1


def test_what_can_never_succeed_is_given_to_a_person_at_once(outbox: Outbox) -> None:
    letter, _ = outbox.take(now=AT, lease="a")
    assert outbox.failed(letter, "adresse refusée", now=AT, for_good=True)
    assert outbox.given_up() == (("ESSAI-1", letter.key, "adresse refusée"),)


def damage(store: Store, reference: str) -> None:
    """Leave of the entries of a dossier what a bad disk leaves."""
    drop_triggers(store)
    sql(store, "UPDATE journal SET entry = '{' WHERE partnership_id = (SELECT id FROM partnerships WHERE reference = :r)", r=reference)


def test_an_entry_that_cannot_be_read_holds_up_no_other_dossier(store: Store) -> None:
    """What is about it is a person's task at once: another try would find the same."""
    for reference in ("ESSAI-1", "ESSAI-2"):
        Walk(store, reference).until(State.PROPOSED)
    damage(store, "ESSAI-1")
    outbox = Outbox(store)
    assert {one.reference for one in outbox.take(now=AT, lease="a")} == {"ESSAI-2"}
    said = "Le journal de ESSAI-1 ne se relit pas : lancez « jalon verify ESSAI-1 »."
    assert outbox.given_up() == (("ESSAI-1", "ESSAI-1.1.tell.board_secretary", said), ("ESSAI-1", "ESSAI-1.1.check", said))
    assert sql(store, "SELECT DISTINCT attempts, lease IS NULL FROM outbox WHERE dead_at IS NOT NULL") == [(1, True)]
    assert [one.attempts for one in outbox.take(now=EXPIRED, lease="b")] == [2, 2]


def test_nothing_is_taken_only_when_nothing_legible_is_due(store: Store) -> None:
    """Whoever delivers until nothing is left must not stop at the first damaged dossier."""
    for reference in ("ESSAI-1", "ESSAI-2"):
        Walk(store, reference).until(State.PROPOSED)
    damage(store, "ESSAI-1")
    outbox = Outbox(store)
    assert [one.reference for one in outbox.take(now=AT, lease="a", most=1)] == ["ESSAI-2"]


def test_eight_takers_at_once_never_take_the_same_parcel(store: Store) -> None:
    for number in range(6):
        Walk(store, f"ESSAI-{number}").until(State.ACTED)
    outbox, gate = Outbox(store), Barrier(8)
    waiting = outbox.waiting()

    def take_all(taker: int) -> list[str]:
        gate.wait()
        taken: list[str] = []
        while parcels := outbox.take(now=AT, lease=f"{taker} {len(taken)}", most=3):
            taken += [one.key for one in parcels]
        return taken

    with ThreadPoolExecutor(8) as threads:
        taken = [key for keys in threads.map(take_all, range(8)) for key in keys]
    assert len(taken) == len(set(taken))
    leased = sql(store, "SELECT count(*) FROM outbox WHERE lease IS NOT NULL")
    assert leased == [(len(taken),)]
    assert waiting == len(taken) + len(outbox.take(now=AT, lease="the rest"))
