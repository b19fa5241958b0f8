"""The seed's story reads like the public resolution of 9 December 2025, and ends as it must."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from flows.demo import story
from states.board.rules import QUORUM_RULES
from states.engine.decide import Decision, decide
from states.grammar.case import Actor, Lookups
from states.grammar.guard import Refused
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.payment.calculation import Entitlement, ceiling, entitlement
from states.vocabulary import Role, Severity, State

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ACT = story.PAST[-1].request
NAMED = [story.Scene("retain_trainee", Role.TRAINING_OFFICER, request) for request in story.trainees()]
VERIFIED = [story.Scene("verify_residence", Role.TRAINING_OFFICER, request) for request in story.residences()]
WHOLE = (*story.PAST, *NAMED, *VERIFIED, *story.TRAINING, *story.MONEY)


def told(partnership: Partnership, scene: story.Scene) -> Decision | Refused:
    """What `decide` answers when the person of the scene asks."""
    actor = Actor(story.PEOPLE[scene.role], frozenset({scene.role}))
    request = STEPS[scene.trigger].asks.model_validate(scene.request)
    return decide(partnership, scene.trigger, request, actor=actor, at=AT, lookups=Lookups(salt="00" * 16))


def walked(scenes: Iterable[story.Scene]) -> Partnership:
    """The dossier after the scenes: a refused one leaves it as it was."""
    partnership = Partnership(story.REFERENCE, imported=False, state=State.UNOPENED, version=0, entered_on=None, pepper="00" * 32)
    for scene in scenes:
        answer = told(partnership, scene)
        codes = tuple(reason.code for reason in answer.reasons) if isinstance(answer, Refused) else ()
        assert codes == scene.refused, scene
        partnership = answer.after if isinstance(answer, Decision) else partnership
    return partnership


def past_under(rule: str) -> Partnership:
    """The past, had the board set that quorum rule."""
    opening, *rest = story.PAST
    terms = {**opening.request["terms"], "quorum_rule": rule}
    return walked([opening._replace(request={**opening.request, "terms": terms}), *rest])


@pytest.fixture(scope="module")
def past() -> Partnership:
    return walked(story.PAST)


@pytest.fixture(scope="module")
def end() -> Partnership:
    return walked(WHOLE)


def found(partnership: Partnership) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in partnership.findings]


def test_seventeen_members_sit_and_sixteen_do_not_on_thirty_three_seats() -> None:
    assert (len(set(ACT["present"])), len(set(ACT["absent"])), ACT["seats"]) == (17, 16, 33)
    assert set(ACT["present"]).isdisjoint(ACT["absent"])


def test_the_vote_of_december_is_unanimous(past: Partnership) -> None:
    act = past.acts[-1]
    assert (act.votes_for, act.votes_against, act.abstentions, act.proxies) == (17, 0, 0, ())


def test_the_president_of_the_centre_chairs_and_is_present(past: Partnership) -> None:
    act = past.acts[-1]
    assert act.chair == "M. René HOCQ, Président du CDG 62"
    assert "M. René HOCQ, Maire de BURBURE" in (act.present or ())


def test_the_secretary_of_the_session_is_present(past: Partnership) -> None:
    act = past.acts[-1]
    assert act.secretary == "M. Francis CORDONNIER, Adjoint au Maire de BETHUNE"
    assert act.secretary in (act.present or ())


@pytest.mark.parametrize(
    "member",
    [
        "M. Jean-Pierre SANSEN, Maire de RUITZ",
        "Mme Véronique DUMONT-DESEIGNE, Adjointe au Maire de MARCK",
        "Mme Isabelle LEMAIRE, Conseillère communautaire de la Communauté d’Agglomération du Pays de Saint-Omer",
        "Mme Florence WOZNY, Conseillère Départementale",
        "M. André KUCHCINSKI, Conseiller Départemental",
    ],
)
def test_a_member_is_present_under_the_name_and_office_of_the_source(member: str) -> None:
    assert member in ACT["present"]


@pytest.mark.parametrize(
    "member",
    [
        "M. Jean-Michel LEGRAND, Maire de AUCHY-LES-MINES",
        "M. Julien DELANNOY, Maire de WAVRANS-SUR-L’AA",
        "M. Dominique DELATTRE, Vice-Président du Syndicat Mixte Artois Valorisation",
        "M. Hakim ELAZOUZI, Administrateur au CCAS de BETHUNE",
        "M. Alexandre MALFAIT, Conseiller Départemental",
    ],
)
def test_a_member_is_absent_under_the_name_and_office_of_the_source(member: str) -> None:
    assert member in ACT["absent"]


@pytest.mark.parametrize(("rule", "needed"), [("majority", 17), ("at_least_half", 17), ("half_plus_one", 18)])
def test_each_quorum_rule_asks_a_number_of_thirty_three_seats(rule: str, needed: int) -> None:
    assert QUORUM_RULES[rule][1](33) == needed


@pytest.mark.parametrize("rule", ["majority", "at_least_half"])
def test_seventeen_of_thirty_three_is_a_quorum(rule: str) -> None:
    assert ("NO_QUORUM", "act") not in found(past_under(rule))


def test_seventeen_of_thirty_three_is_one_short_of_half_plus_one() -> None:
    lacking = {(finding.code, finding.subject): finding for finding in past_under("half_plus_one").findings}["NO_QUORUM", "act"]
    assert lacking.severity == Severity.WARN
    assert "17 présents pour 33 sièges, il en faut 18" in lacking.reason


def test_the_conditions_are_twenty_times_two_thousand_euros_in_one_department_and_year(past: Partnership) -> None:
    terms = past.terms_in_force
    assert (terms.rate, terms.cap, terms.department, terms.academic_year) == (Decimal("2000.00"), 20, "62", "2025-2026")
    assert ceiling(past) == Decimal("40000.00")


def test_the_dates_are_those_of_the_resolution(past: Partnership) -> None:
    assert [act.held_on for act in past.acts] == [date(2025, 10, 9), date(2025, 12, 9)]
    assert past.signatures[0].signed_on == date(2025, 11, 18)


def test_the_convention_holds_its_six_points(past: Partnership) -> None:
    assert set(past.signatures[0].points) == {"audience", "objectives", "course", "steering", "commitments", "finance"}


def test_the_presidents_sign_and_the_name_that_the_source_lacks_is_not_invented(past: Partnership) -> None:
    signature = past.signatures[0]
    assert signature.cdg_name == "M. René HOCQ"
    assert signature.university_name == "(nom absent de la source)"
    assert "Présidente" in (signature.university_title or "")


def test_the_roll_call_of_october_is_unknown_and_never_invented(end: Partnership) -> None:
    act = end.acts[0]
    roll_call = (act.seats, act.present, act.absent, act.chair, act.secretary, act.votes_for, act.votes_against, act.abstentions)
    assert roll_call == (None,) * 8


OF_ITS_OWN_HISTORY = [
    ("ROLL_CALL_UNKNOWN", "approve"),
    ("SIGNED_BEFORE_EXECUTORY", "sign"),
    ("QUORUM_RULE_UNVERIFIED", ""),
    ("TRANSMISSION_UNKNOWN", "1"),
]


def test_the_findings_of_the_history_stay_visible_to_the_end(past: Partnership, end: Partnership) -> None:
    assert found(past) == [*OF_ITS_OWN_HISTORY, ("TRANSMISSION_UNKNOWN", "2")]
    assert found(end) == OF_ITS_OWN_HISTORY  # the act of December was transmitted and published, in the exercise
    assert "9 octobre 2025" in end.findings[0].reason


def test_the_signature_before_an_executory_act_is_told_with_its_source(past: Partnership) -> None:
    finding = next(one for one in past.findings if one.code == "SIGNED_BEFORE_EXECUTORY")
    assert finding.severity == Severity.WARN
    assert finding.reason.startswith(
        "Signature du 18 novembre 2025 : la délibération du 9 octobre 2025 qui l’autorise n’est pas exécutoire"
    )
    assert "CE, avis du 10 juin 1996" in finding.source


def test_the_text_of_the_quorum_rule_is_told_as_unverified(past: Partnership) -> None:
    finding = next(one for one in past.findings if one.code == "QUORUM_RULE_UNVERIFIED")
    assert finding.source.endswith("(texte non vérifié)")


def test_a_paper_that_the_source_does_not_hold_is_known_by_a_stand_in(past: Partnership) -> None:
    assert past.signatures[0].document_sha256 == story.stand_in("convention signée le 18 novembre 2025")
    assert re.fullmatch("[0-9a-f]{64}", past.signatures[0].document_sha256)


def test_the_story_ends_closed_with_forty_thousand_euros_paid(end: Partnership) -> None:
    settlement = end.settlement
    assert end.state is State.CLOSED
    assert settlement is not None
    assert (settlement.settled, settlement.ordered, settlement.paid) == (Decimal("40000.00"),) * 3


def test_twenty_trainees_are_subsidised_one_is_over_the_cap_two_live_elsewhere(end: Partnership) -> None:
    calculated: Entitlement = entitlement(end)
    assert (calculated.subsidised, calculated.eligible, calculated.amount) == (20, 21, Decimal("40000.00"))
    left_out = {line.trainee: line.status for line in calculated.lines if line.status != "COUNTED"}
    assert left_out == {23: "OVER_CAP", 7: "OUTSIDE_DEPARTMENT", 15: "OUTSIDE_DEPARTMENT"}


def test_three_people_certify_order_and_pay(end: Partnership) -> None:
    settlement = end.settlement
    assert settlement is not None
    assert len({settlement.certified_by, settlement.ordered_by, settlement.paid_by}) == 3


REFUSED = [(place, scene) for place, scene in enumerate(WHOLE) if scene.refused]


@pytest.mark.parametrize(("place", "scene"), REFUSED, ids=[scene.remark for _, scene in REFUSED])
def test_a_scene_told_as_refused_is_refused_for_the_announced_reasons_alone(place: int, scene: story.Scene) -> None:
    answer = told(walked(WHOLE[:place]), scene)
    assert isinstance(answer, Refused)
    assert tuple(reason.code for reason in answer.reasons) == scene.refused


def test_the_story_shows_a_refusal_for_each_of_date_amount_act_and_person() -> None:
    assert [scene.refused for _, scene in REFUSED] == [
        ("INVOICE_BEFORE_TRAINING_END",),
        ("AMOUNT_EXCEEDS_ENTITLEMENT",),
        ("ACT_NOT_EXECUTORY",),
        ("WRONG_ROLE", "SAME_PERSON"),
    ]


@pytest.mark.parametrize("request_", story.trainees(), ids=[f"trainee {number}" for number in range(1, 24)])
def test_no_trainee_is_named_in_the_dossier_itself(end: Partnership, request_: dict[str, Any]) -> None:
    dossier = repr(end)
    for name in (request_["family_name"], request_["given_name"]):
        assert not re.search(rf"\b{name}\b", dossier)
    assert repr(date.fromisoformat(request_["born_on"])) not in dossier
