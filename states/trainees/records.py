"""What the steps about trainees write into the dossier: a number, a rank and a commune; names go elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from states.grammar.case import Case
from states.partnership import Partnership, last_number
from states.trainees.facts import Identity, Trainee
from states.trainees.requests import TraineeRetained, residing, selected


def trainees(case: Case) -> Partnership:
    """One trainee or several, each with a number."""
    found, digests = list(case.partnership.trainees), list(case.partnership.identity_digests)
    for number, trainee, insee, person in zip(numbers(case), selected(case.request), _communes(case), case.newcomers, strict=True):
        found.append(_trainee(number, trainee, insee, person.commitment))
        digests.append((number, person.digest))
    found.sort(key=itemgetter(0))
    return case.partnership._replace(trainees=tuple(found), identity_digests=tuple(digests))


def _trainee(number: int, trainee: TraineeRetained, insee: str, commitment: str) -> Trainee:
    return Trainee(
        number=number,
        rank=trainee.rank,
        fee_regime=trainee.fee_regime,
        insee=insee,
        declared_insee=insee,
        retained_on=trainee.retained_on,
        verified_on=None,
        verified_by=None,
        evidence_kind=None,
        moved_on=None,
        moved_to=None,
        left_on=None,
        hours_done=None,
        left_because=None,
        excluded_on=None,
        commitment=commitment,
    )


def numbers(case: Case) -> list[int]:
    """The numbers of new trainees, in the order of the request: those asked for, else the next ones that are free."""
    requested = selected(case.request)
    following = last_number(case.partnership.trainees)
    if len(requested) == 1:
        return [requested[0].number or following + 1]
    taken = {trainee.number for trainee in case.partnership.trainees} | {trainee.number for trainee in requested if trainee.number}
    given = []
    for trainee in requested:
        if trainee.number:
            given.append(trainee.number)
            continue
        following += 1
        while following in taken:
            following += 1
        given.append(following)
    return given


def _communes(case: Case) -> list[str]:
    """The INSEE code of each residence that the request names: as given, or as the gazetteer found it."""
    residences = residing(case.request)
    found = case.lookups.communes or ((),) * len(residences)
    return [places[0].insee if places else residence.insee or "" for residence, places in zip(residences, found, strict=True)]


def identities(case: Case) -> tuple[Identity, ...]:
    """The values with names in them, for the one table that may hold them."""
    if not case.newcomers:
        return ()
    return tuple(
        Identity(number, trainee.family_name, trainee.given_name, trainee.born_on, person.salt, person.digest)
        for number, trainee, person in zip(numbers(case), selected(case.request), case.newcomers, strict=True)
    )


def residence(case: Case) -> Partnership:
    """The residence that counts is that of the day of the selection; another commune seen later is a move."""
    request = case.request
    trainee = _named(case)
    (insee,) = _communes(case)
    if trainee.verified_on is not None and not request.correction:
        # Seen once, the residence of the selection is verified for good.
        return case.partnership if insee == trainee.insee else _changed(case, moved_on=request.verified_on, moved_to=insee)
    seen = {"insee": insee, "verified_on": request.verified_on, "verified_by": case.actor.name if case.actor else ""}
    moved = {"moved_on": None, "moved_to": None} if request.correction else {}
    return _changed(case, **seen, **moved, evidence_kind=request.evidence_kind)


def dropout(case: Case) -> Partnership:
    request = case.request
    return _changed(case, left_on=request.left_on, hours_done=request.hours_done, left_because=request.reason)


def correction(case: Case) -> Partnership:
    request = case.request
    given = {"rank": request.rank, "fee_regime": request.fee_regime}
    return _changed(case, **{name: value for name, value in given.items() if value is not None})


def exclusion(case: Case) -> Partnership:
    return _changed(case, excluded_on=case.effective_on)


def _changed(case: Case, **changes: object) -> Partnership:
    replaced: Callable[..., Trainee] = _named(case)._replace
    partnership, changed = case.partnership, replaced(**changes)
    place = partnership.place_of(changed.number)
    assert place is not None, "it was found a moment ago"
    return partnership._replace(trainees=(*partnership.trainees[:place], changed, *partnership.trainees[place + 1 :]))


def _named(case: Case) -> Trainee:
    """The trainee whose number the request gives; a guard has seen to it that there is one."""
    named = case.partnership.trainee(case.request.trainee)
    assert named is not None, "UNKNOWN_TRAINEE stands before every record that asks for one"
    return named
