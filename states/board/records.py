"""What the steps of the board write into the dossier: acts, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable

from states.board.facts import Act, Appeal
from states.board.requests import Deliberation
from states.grammar.case import Case
from states.partnership import Partnership, last_number


def deliberation(case: Case) -> Partnership:
    return with_act(case, case.request)


def with_act(case: Case, deliberation: Deliberation) -> Partnership:
    """The dossier with the act of a deliberation, on what the row of the step deliberates."""
    matter = case.step.deliberates
    if matter is None:
        raise TypeError(f"The row {case.step.trigger} writes an act and does not say what it deliberates.")
    acts = case.partnership.acts
    votes_for, votes_against, abstentions = deliberation.vote
    act = Act(
        number=last_number(acts) + 1,
        trigger=matter.value,
        kind=deliberation.kind or matter.kind,
        held_on=deliberation.held_on,
        act_number=deliberation.act_number,
        item=deliberation.item,
        seats=deliberation.seats,
        present=deliberation.present_at_item,
        absent=deliberation.absent_at_item,
        excused=deliberation.excused,
        alternates=tuple((alternate.name, alternate.sits_for) for alternate in deliberation.alternates),
        proxies=tuple((proxy.giver, proxy.holder) for proxy in deliberation.proxies_at_item),
        reconvened=deliberation.reconvened,
        chair=deliberation.chair,
        secretary=deliberation.secretary,
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


def _act(case: Case, **changes: object) -> Partnership:
    number = case.request.act or last_number(case.partnership.acts)
    changed: Callable[..., Act] = Act._replace
    acts = tuple(changed(act, **changes) if act.number == number else act for act in case.partnership.acts)
    return case.partnership._replace(acts=acts)


def quorum_rule(case: Case) -> Partnership:
    *earlier, terms = case.partnership.terms
    return case.partnership._replace(terms=(*earlier, terms._replace(quorum_verified=True)))


def appeal(case: Case) -> Partnership:
    """A new appeal, or the answer to one that was lodged on the same day by the same side."""
    request, appeals = case.request, case.partnership.appeals
    act = request.act or last_number(case.partnership.acts)
    same = next((appeal for appeal in appeals if (appeal.act, appeal.by, appeal.lodged_on) == (act, request.by, request.lodged_on)), None)
    new = Appeal(same.number if same else last_number(appeals) + 1, act, request.by, request.lodged_on, request.decided_on)
    collection = tuple(new if appeal is same else appeal for appeal in appeals)
    return case.partnership._replace(appeals=collection if same else (*collection, new))
