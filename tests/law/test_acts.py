"""What the board votes, and what becomes of it: quorum per item, transmission, publication, appeals, executory acts."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from enlisting import enlist
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from walks import AT, PEOPLE, RIGHT, VOTE, WAYS, Walk
from witness import fresh, journal

from models.database.store import Store
from models.people.register import CLOCK
from models.read.views import Views
from models.verify.proof import Verifier
from states.board.appeals import Windows, windows
from states.board.facts import Act, Appeal
from states.board.requests import Deliberation
from states.grammar.guard import Refused
from states.lifecycle import GUARDS
from states.values.calendars import CALENDARS
from states.values.french import sentences
from states.vocabulary import Role, Severity, State

TERMS = RIGHT["open"]["terms"]
MEMBERS = [f"Membre {number}" for number in range(1, 34)]
BY_ITEM = {"votes_for": None, "votes_against": None, "abstentions": None}
AGENDA = [{"number": number, "title": f"Point {number}", "votes_for": votes} for number, votes in ((1, 17), (2, 15), (3, 16))]
LATER, LATER_STILL = AT + timedelta(hours=1), AT + timedelta(hours=2)


def roll(present: int, seats: int = 33) -> dict[str, Any]:
    """The roll call of a session where so many of `seats` members are present, and all of them vote for."""
    return {"seats": seats, "present": MEMBERS[:present], "absent": MEMBERS[present:seats], "votes_for": present}


def moves(member: int, how: str, before_item: int) -> dict[str, Any]:
    return {"name": f"Membre {member}", "moves": how, "before_item": before_item}


def proxy(giver: int, holder: int) -> dict[str, str]:
    return {"giver": f"Membre {giver}", "holder": f"Membre {holder}"}


def approval(store: Store, session: dict[str, Any], reference: str = "ESSAI-1", **terms: Any) -> tuple[Walk, Any]:
    walk = Walk(store, reference).until(State.PROPOSED, terms=TERMS | terms)
    return walk, walk.ask("approve", **session)


def refusals(answer: Any) -> list[tuple[str, str]]:
    assert isinstance(answer, Refused), answer
    return [(reason.code, reason.reason) for reason in answer.reasons]


def test_a_member_who_leaves_before_item_3_takes_the_quorum_of_that_item_away_and_of_no_other(store: Store) -> None:
    session = roll(17) | BY_ITEM | {"agenda": AGENDA, "movements": [moves(17, "leaves", 3)]}
    walk, answer = approval(store, session | {"item": 3})
    sentence = "Le quorum n’est pas atteint au point n° 3 : 16 présents pour 33 sièges, il en faut 17 (la majorité des sièges)."
    assert refusals(answer) == [("NO_QUORUM", sentence)]
    walk.do("approve", **session, item=2)
    (act,) = fresh(walk).partnership.acts
    assert (act.item, len(act.present or ()), act.votes_for) == (2, 17, 15)
    assert Verifier(store).verify(walk.reference).faults == ()


def test_a_member_who_arrives_before_the_item_counts_for_it(store: Store) -> None:
    session = roll(16) | {"movements": [moves(20, "arrives", 2)]}
    walk, answer = approval(store, session | {"item": 1})
    assert [code for code, _ in refusals(answer)] == ["NO_QUORUM"]
    walk.do("approve", **session, item=2)
    (act,) = fresh(walk).partnership.acts
    assert MEMBERS[19] in (act.present or ())
    assert MEMBERS[19] not in (act.absent or ())


def test_proxies_count_for_the_quorum_only_where_the_board_has_said_so(store: Store) -> None:
    session = roll(16) | {"votes_for": 17, "proxies": [proxy(17, 1)]}
    assert [code for code, _ in refusals(approval(store, session, proxies_count=False)[1])] == ["NO_QUORUM"]
    other, _ = approval(store, session, "ESSAI-2", proxies_count=True)
    assert fresh(other).partnership.acts[0].proxies == ((MEMBERS[16], MEMBERS[0]),)
    _, answer = approval(store, roll(15) | {"proxies": [proxy(16, 1)]}, "ESSAI-3", proxies_count=True)
    assert "16 présents, pouvoirs compris, pour 33 sièges" in refusals(answer)[0][1]


@pytest.mark.parametrize(
    ("rule", "of_33", "of_32"),
    [("majority", 17, 17), ("at_least_half", 17, 16), ("half_plus_one", 18, 17), ("none_after_reconvocation", 17, 17)],
)
def test_each_named_rule_says_how_many_must_be_there(sqlite: Store, rule: str, of_33: int, of_32: int) -> None:
    for seats, needed in ((33, of_33), (32, of_32)):
        walk, answer = approval(sqlite, roll(needed - 1, seats), f"ESSAI-{seats}", quorum_rule=rule)
        ((code, sentence),) = refusals(answer)
        assert (code, f"il en faut {needed} (" in sentence) == ("NO_QUORUM", True)
        walk.do("approve", **roll(needed, seats))


def test_after_a_second_convocation_no_quorum_is_needed_where_the_rule_says_so(store: Store) -> None:
    session = roll(3) | {"reconvened": True}
    walk, _ = approval(store, session, quorum_rule="none_after_reconvocation")
    assert fresh(walk).partnership.acts[0].reconvened
    assert [code for code, _ in refusals(approval(store, session, "ESSAI-2", quorum_rule="majority")[1])] == ["NO_QUORUM"]


def test_an_alternate_sits_for_a_member_and_the_excused_are_kept_among_the_absent(store: Store) -> None:
    names = {"present": [*MEMBERS[:16], "Suppléante"], "absent": MEMBERS[16:30], "excused": MEMBERS[30:32]}
    walk, _ = approval(store, VOTE | names | {"alternates": [{"name": "Suppléante", "sits_for": MEMBERS[32]}]})
    (act,) = fresh(walk).partnership.acts
    assert act.alternates == (("Suppléante", MEMBERS[32]),)
    assert (act.absent, act.excused) == (tuple(MEMBERS[16:32]), tuple(MEMBERS[30:32]))
    assert Verifier(store).verify(walk.reference).faults == ()


def test_a_proxy_lapses_when_its_giver_arrives_or_its_holder_leaves(store: Store) -> None:
    proxies = {"proxies": [proxy(17, 1), proxy(18, 2)], "movements": [moves(17, "arrives", 2), moves(2, "leaves", 2)]}
    walk, answer = approval(store, roll(16) | proxies | {"item": 2}, quorum_rule="half_plus_one", proxies_count=True)
    assert "16 présents, pouvoirs compris, pour 33 sièges, il en faut 18" in refusals(answer)[0][1]
    walk.do("approve", **roll(16), **proxies, item=1)
    assert len(fresh(walk).partnership.acts[0].proxies) == 2


ALTERNATE = "Un suppléant est parmi les présents, et le membre qu’il remplace n’y est pas."
GIVEN = "Un pouvoir est donné par un membre absent, une seule fois."
VOICES = "Il y a plus de voix que de membres présents et de pouvoirs."
ITEM = "Le point voté doit être à l’ordre du jour, et chaque point n’y être qu’une fois."
COMES_AND_GOES = "Un membre arrive s’il n’est pas là, et part s’il y est."


@pytest.mark.parametrize(
    ("session", "sentence"),
    [
        ({"excused": MEMBERS[:1]}, "Un membre est à la fois présent et absent."),
        ({"alternates": [{"name": "Suppléante", "sits_for": MEMBERS[20]}]}, ALTERNATE),
        ({"alternates": [{"name": MEMBERS[0], "sits_for": MEMBERS[1]}]}, ALTERNATE),
        ({"proxies": [proxy(1, 2)]}, GIVEN),
        ({"proxies": [proxy(20, 1), proxy(20, 2)]}, GIVEN),
        ({"proxies": [proxy(20, 21)]}, "Un pouvoir est porté par un membre présent."),
        ({"votes_for": 18}, VOICES),
        ({"item": 2, "movements": [moves(17, "leaves", 2)]}, VOICES),
        (roll(3, 3) | {"proxies": [proxy(4, 1)]}, "Un pouvoir est donné par un membre du conseil, parmi les absents ou les excusés."),
        (
            {"alternates": [{"name": MEMBERS[0], "sits_for": MEMBERS[20]}, {"name": MEMBERS[1], "sits_for": MEMBERS[20]}]},
            "Un suppléant remplace un seul membre, et un membre n’a qu’un suppléant.",
        ),
        (
            {"alternates": [{"name": MEMBERS[0], "sits_for": MEMBERS[20]}], "item": 1, "movements": [moves(21, "arrives", 1)]},
            "Un membre n’arrive qu’une fois parti le suppléant qui siège à sa place.",
        ),
        (
            {"item": 1, "movements": [{"name": "Un inconnu", "moves": "arrives", "before_item": 1}]},
            "Un membre qui arrive était absent ou excusé à l’appel.",
        ),
        (
            {"alternates": [{"name": MEMBERS[0], "sits_for": MEMBERS[20]}], "proxies": [proxy(21, 1)]},
            "Un membre remplacé par son suppléant ne donne pas de pouvoir.",
        ),
        (
            {
                "votes_for": None,
                "votes_against": None,
                "abstentions": None,
                "item": 2,
                "agenda": [{"number": 1, "title": "Budget", "votes_for": 99}, {"number": 2, "title": "Convention", "votes_for": 17}],
            },
            VOICES,
        ),
        ({"movements": [moves(17, "leaves", 2)]}, "Pour tenir compte des arrivées et départs, il faut le numéro du point."),
        ({"item": 1, "movements": [moves(18, "leaves", 2)]}, COMES_AND_GOES),
        ({"item": 1, "movements": [moves(1, "arrives", 2)]}, COMES_AND_GOES),
        ({"item": 1, "movements": [moves(1, "leaves", 2), moves(1, "leaves", 3)]}, COMES_AND_GOES),
        (BY_ITEM | {"agenda": AGENDA, "item": 4}, ITEM),
        (BY_ITEM | {"agenda": AGENDA}, ITEM),
        (BY_ITEM | {"agenda": [*AGENDA, AGENDA[0]], "item": 2}, ITEM),
        ({"agenda": AGENDA, "item": 2}, "Les voix se donnent avec le point de l’ordre du jour, ou sans ordre du jour."),
    ],
)
def test_a_session_that_contradicts_itself_is_told_by_one_french_sentence(session: dict[str, Any], sentence: str) -> None:
    asked = {"held_on": "2025-10-09"} | roll(17) | session
    with pytest.raises(ValidationError) as fault:
        Deliberation.model_validate({name: value for name, value in asked.items() if value is not None})
    assert sentences(Deliberation, fault.value) == (sentence,)


@pytest.mark.parametrize(("transmitted_on", "published_on"), [("2025-12-12", "2025-12-16"), ("2025-12-16", "2025-12-12")])
def test_an_act_is_executory_on_the_later_day_of_both(store: Store, transmitted_on: str, published_on: str) -> None:
    walk, _ = approval(store, VOTE)
    walk.do("transmit_act", transmitted_on=transmitted_on)
    assert Views(store).show(walk.reference)["acts"][0]["executory_on"] is None
    walk.do("publish_act", published_on=published_on)
    assert Views(store).show(walk.reference)["acts"][0]["executory_on"] == "2025-12-16"


VOTED = Act(1, "act", None, date(2025, 12, 9), *(None,) * 5, (), (), (), *(False,), *(None,) * 9)
OF_THE_SEED = VOTED._replace(transmitted_on=date(2025, 12, 12), published_on=date(2025, 12, 16))


def test_the_act_of_9_december_2025_may_be_contested_by_third_parties_until_17_february_and_by_the_prefect_until_the_13th() -> None:
    assert windows(OF_THE_SEED, (), "metropole") == Windows(date(2026, 2, 17), date(2026, 2, 13))
    assert windows(OF_THE_SEED._replace(transmitted_on=None), (), "metropole") == Windows(date(2026, 2, 17), None)


@pytest.mark.parametrize(
    ("by", "lodged_on", "decided_on", "until"),
    [
        ("third_party", "2026-01-20", "2026-02-10", ["2026-04-13", "2026-02-13"]),  # 11 April is a Saturday
        ("third_party", "2026-01-20", None, ["2026-05-21", "2026-02-13"]),  # silence until 20 March is a refusal
        ("third_party", "2026-02-17", None, ["2026-06-18", "2026-02-13"]),  # lodged on the last day
        ("third_party", "2026-02-18", None, ["2026-02-17", "2026-02-13"]),  # lodged too late
        ("prefect", "2026-02-13", "2026-02-20", ["2026-02-17", "2026-04-21"]),
        ("prefect", "2026-02-14", "2026-02-20", ["2026-02-17", "2026-02-13"]),
    ],
)
def test_an_appeal_lodged_in_time_moves_the_window_of_its_side_alone(
    store: Store, by: str, lodged_on: str, decided_on: str | None, until: list[str]
) -> None:
    walk = Walk(store).until(State.IN_TRAINING)  # the second act was transmitted on 12 December and published on the 16th
    walk.do("record_appeal", act=2, by=by, lodged_on=lodged_on)
    walk.do("record_appeal", act=2, by=by, lodged_on=lodged_on, decided_on=decided_on)  # the answer, when there is one
    partnership = fresh(walk).partnership
    assert [str(day) for day in windows(partnership.acts[1], partnership.appeals, partnership.centre.calendar or "")] == until
    assert Verifier(store).verify(walk.reference).faults == ()


days = st.dates(date(1990, 1, 1), date(2050, 12, 31))
appeals = st.lists(st.builds(Appeal, st.just(1), st.just(1), st.sampled_from(["third_party", "prefect"]), days, st.none()), max_size=3)


@given(published=st.tuples(days, days).map(sorted), transmitted=days, calendar=st.sampled_from(sorted(CALENDARS)), lodged=appeals)
def test_an_act_can_still_be_contested_when_it_becomes_executory_and_a_later_publication_closes_no_window_earlier(
    published: list[date], transmitted: date, calendar: str, lodged: list[Appeal]
) -> None:
    acts = [VOTED._replace(transmitted_on=transmitted, published_on=day) for day in published]
    for act, day in zip(acts, published, strict=True):
        third_parties, prefect = windows(act, lodged, calendar)
        assert (third_parties or day) > day
        assert (prefect or transmitted) > transmitted
        assert max(third_parties or day, prefect or day) > (act.executory_on or date.max)
    earlier, later = (windows(act, lodged, calendar) for act in acts)
    assert (earlier.third_parties_until or date.max) <= (later.third_parties_until or date.min)
    assert earlier.prefect_until == later.prefect_until


def settled(store: Store, *lacking: str, imported: bool = False) -> Walk:
    """A dossier where money could be ordered, but that steps about the act of the conditions are `lacking`."""
    walk, way = Walk(store), WAYS[State.SETTLED]
    for place, trigger in enumerate(way):
        if place < way.index("act") or trigger not in lacking:
            walk.do(trigger, **({"imported": imported} if trigger == "open" else {}))
    return walk


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("lacking", ["transmit_act", "publish_act", "transmit_act publish_act"])
def test_nothing_is_ordered_on_an_act_that_is_not_executory_whoever_asks(store: Store, lacking: str, imported: bool) -> None:
    walk = settled(store, *lacking.split(), imported=imported)
    enlist(store, "Pierre", "pierre@essai.example", [role for role in Role if role is not Role.CLOCK])
    people: list[Any] = [*PEOPLE.values(), "Pierre", CLOCK]
    for actor in people:
        assert "ACT_NOT_EXECUTORY" in [code for code, _ in refusals(walk.ask("order_payment", actor=actor))]
    assert (GUARDS["ACT_NOT_EXECUTORY"].imported, GUARDS["ACT_NOT_EXECUTORY"].weigh) == (Severity.BLOCK, None)  # no term lightens it
    for trigger in (*lacking.split(), "order_payment"):
        walk.do(trigger)
    assert Verifier(store).verify(walk.reference).faults == ()


def test_an_order_dated_before_the_act_is_executory_is_refused_and_on_that_day_is_not(store: Store) -> None:
    walk = settled(store, "publish_act")
    walk.do("publish_act", published_on="2026-06-30")
    ((code, sentence),) = refusals(walk.ask("order_payment", ordered_on="2026-06-29"))
    assert (code, "exécutoire le 30 juin 2026" in sentence) == ("ACT_NOT_EXECUTORY", True)
    walk.do("order_payment", ordered_on="2026-06-30")


def test_a_second_transmission_corrects_the_first_and_the_journal_keeps_both(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    walk.do("transmit_act", transmitted_on="2025-10-20", receipt_number="AR-2")
    (act,) = fresh(walk).partnership.acts
    assert (act.transmitted_on, act.receipt_number, act.executory_on) == (date(2025, 10, 20), "AR-2", date(2025, 10, 20))
    asked = [json.loads(entry)["request"] for _, entry, _ in journal(store, walk.reference)]
    assert [one["receipt_number"] for one in asked if "receipt_number" in one] == ["AR-1", "AR-2"]


EARLY, UNKNOWN = "SIGNED_BEFORE_EXECUTORY", "TRANSMISSION_UNKNOWN"


def irregular(store: Store, **published: str) -> tuple[Walk, dict[str, Any], dict[str, Any]]:
    """An imported dossier, signed on 18 November 2025: what is shown of it before and after the dates of the act are known."""
    walk = Walk(store)
    for trigger in ("open", "approve", "sign"):
        walk.do(trigger, **({"imported": True} if trigger == "open" else {}))
    before = Views(store).show(walk.reference)
    walk.do("transmit_act", at=LATER)
    walk.do("publish_act", at=LATER_STILL, **published)
    return walk, before, Views(store).show(walk.reference)


def test_an_irregular_past_is_a_finding_from_one_instant_to_the_one_at_which_its_cause_is_gone(store: Store) -> None:
    walk, before, after = irregular(store)
    found = {one["code"]: one for one in before["findings"]}
    assert {(one["code"], one["subject"], one["severity"]) for one in before["findings"]} == {
        (EARLY, "sign", "warn"),
        (UNKNOWN, "1", "warn"),
    }
    assert {(one["opened_at"], one["resolved_at"]) for one in before["findings"]} == {("2026-11-23T09:00:00.000000Z", None)}
    assert found[EARLY]["source"] == str(GUARDS[EARLY].source)
    assert (before["resolved_findings"], after["findings"]) == ([], [])
    assert [one["days_late"] for one in after["history"]][-2:] == [407, 405]  # dated 12 and 14 October 2025
    for code in found:
        gone = [one for one in after["resolved_findings"] if one["code"] == code]
        assert gone[0]["opened_at"] == "2026-11-23T09:00:00.000000Z"
        assert gone[-1]["resolved_at"] == "2026-11-23T11:00:00.000000Z"
    assert Verifier(store).verify(walk.reference).faults == ()


def test_an_act_that_became_executory_after_the_signature_leaves_the_finding_and_changes_its_sentence(store: Store) -> None:
    walk, before, after = irregular(store, published_on="2025-12-16")
    (was,), (now,) = ([one["reason"] for one in told["findings"] if one["code"] == EARLY] for told in (before, after))
    assert "non transmise au préfet et non publiée" in was
    assert "elle ne l’est que le 16 décembre 2025" in now
    opened = [next(one["opened_at"] for one in told["findings"] if one["code"] == EARLY) for told in (before, after)]
    assert opened[0] == opened[1]  # said otherwise, it is the same finding
    assert [one["code"] for one in after["findings"]] == [EARLY]
    assert Verifier(store).verify(walk.reference).faults == ()
