"""What is demanded of the dates of any step."""

from __future__ import annotations

from datetime import date

from states.grammar.case import Case
from states.grammar.guard import guard
from states.trainees.requests import selected
from states.values.french import day
from states.values.law import HOUSE, PLAUSIBLE_YEARS
from states.vocabulary import Severity


def _days(case: Case) -> tuple[date, ...]:
    """Every date of a fact in the request: that of the step, of each trainee of a list, of the vote of an amendment."""
    vote = getattr(case.request, "deliberation", None)
    if vote is not None:
        return case.effective_on, vote.held_on
    if case.request.personal:
        return case.effective_on, *[trainee.retained_on for trainee in selected(case.request)]
    return (case.effective_on,)


@guard("FUTURE_DATE", source=HOUSE)
def fact_has_happened(case: Case) -> str | None:
    """Un fait se saisit une fois qu’il a eu lieu : sa date n’est pas dans l’avenir."""
    latest = max(_days(case))
    if latest <= case.today:
        return None
    return f"La date du {day(latest)} est dans l’avenir : un fait se saisit une fois qu’il a eu lieu."


@guard("IMPLAUSIBLE_DATE", source=HOUSE)
def date_is_plausible(case: Case) -> str | None:
    """La date d’un fait n’est pas antérieure de plus de deux ans au début de l’année universitaire."""
    if not case.partnership.terms:
        return None  # the dossier is being opened
    starts_on, oldest = case.partnership.terms[0].year_starts_on, min(_days(case))
    if oldest >= starts_on:
        return None  # nearly always
    if oldest >= starts_on.replace(year=starts_on.year - PLAUSIBLE_YEARS.value, day=min(starts_on.day, 28)):
        return None
    return f"La date du {day(oldest)} est trop ancienne pour l’année universitaire {case.partnership.terms[0].academic_year}."


@guard("OUT_OF_ORDER", source=HOUSE, imported=Severity.WARN)
def step_follows_the_previous(case: Case) -> str | None:
    """La date d’une étape ne précède pas celle de l’étape précédente."""
    entered_on = case.partnership.entered_on
    if entered_on is None or case.effective_on >= entered_on:
        return None
    since = f"depuis le {day(entered_on)}"
    return f"La date du {day(case.effective_on)} est trop tôt : {since}, le dossier est « {case.partnership.state.label} »."
