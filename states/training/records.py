"""What the steps of the training write into the dossier."""

from __future__ import annotations

from collections.abc import Callable

from states.grammar.case import Case
from states.partnership import Partnership, last_number
from states.training.facts import Committee, Training


def opening(case: Case) -> Partnership:
    request = case.request
    training = Training(1, request.starts_on, request.ends_on, request.hours, None, None, None, None)
    return case.partnership._replace(trainings=(training,))


def completion(case: Case) -> Partnership:
    return _training(case, ended_on=case.request.ended_on, attestation_sha256=case.request.attestation_sha256)


def result(case: Case) -> Partnership:
    return _training(case, presented_on=case.request.presented_on, result_sha256=case.request.document_sha256)


def _training(case: Case, **changes: object) -> Partnership:
    *earlier, training = case.partnership.trainings
    changed: Callable[..., Training] = training._replace
    return case.partnership._replace(trainings=(*earlier, changed(**changes)))


def committee(case: Case) -> Partnership:
    held = case.partnership.committees
    meeting = Committee(last_number(held) + 1, case.request.held_on, case.request.minutes_sha256)
    return case.partnership._replace(committees=(*held, meeting))
