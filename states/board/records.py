"""What the steps of the board write into the dossier: acts, and what becomes of them."""

from __future__ import annotations

from typing import Any

from states.board.facts import Act, Appeal
from states.board.requests import Deliberation
from states.grammar.case import Case
from states.partnership import Partnership, last_number


def deliberation(case: Case) -> Partnership:
    return with_act(case, case.request)


def with_act(case: Case, asked: Deliberation) -> Partnership:
    """The dossier with the act of a deliberation, on what the row of the step deliberates."""
    matter = case.step.deliberates
    if matter is None:
        raise TypeError(f"The row {case.step.trigger} writes an act and does not say what it deliberates.")
    acts = case.partnership.acts
    votes_for, votes_against, abstentions = asked.vote
    act = Act(
        number=last_number(acts) + 1,
        trigger=matter.value,
        kind=asked.kind or matter.kind,
        held_on=asked.held_on,
        act_number=asked.act_number,
        item=asked.item,
        seats=asked.seats,
        present=asked.present_at_item,
        absent=asked.absent_at_item,
        excused=asked.excused,
        alternates=tuple((one.name, one.sits_for) for one in asked.alternates),
        proxies=tuple((one.giver, one.holder) for one in asked.proxies_at_item),
        reconvened=asked.reconvened,
        chair=asked.chair,
        secretary=asked.secretary,
        votes_for=votes_for,
        votes_against=votes_against,
        abstentions=abstentions,
        transmitted_on=None,
        receipt_number=None,
        published_on=None,
        publication_address=None,
    )
    return case.partnership._replace(acts=(*acts, act))


def transmission(case: Case) -> Partnership:
    return _act(case, transmitted_on=case.request.transmitted_on, receipt_number=case.request.receipt_number)


def publication(case: Case) -> Partnership:
    return _act(case, published_on=case.request.published_on, publication_address=case.request.address)


def _act(case: Case, **changes: Any) -> Partnership:
    number = case.request.act or last_number(case.partnership.acts)
    acts = tuple(act._replace(**changes) if act.number == number else act for act in case.partnership.acts)
    return case.partnership._replace(acts=acts)


def quorum_rule(case: Case) -> Partnership:
    *earlier, terms = case.partnership.terms
    return case.partnership._replace(terms=(*earlier, terms._replace(quorum_verified=True)))


def appeal(case: Case) -> Partnership:
    """A new appeal, or the answer to one that was lodged on the same day by the same side."""
    asked, appeals = case.request, case.partnership.appeals
    act = asked.act or last_number(case.partnership.acts)
    same = next((one for one in appeals if (one.act, one.by, one.lodged_on) == (act, asked.by, asked.lodged_on)), None)
    told = Appeal(same.number if same else last_number(appeals) + 1, act, asked.by, asked.lodged_on, asked.decided_on)
    kept = tuple(told if one is same else one for one in appeals)
    return case.partnership._replace(appeals=kept if same else (*kept, told))
