"""What the convention demands of the training, its trainees and the dates of any step."""

from __future__ import annotations

from datetime import date

from states.calculation import in_force
from states.french import day
from states.guard import Case, Needs, guard
from states.law import HOUSE, PLAUSIBLE_YEARS
from states.trainee_requests import selected
from states.words import Role, Severity


def _days(case: Case) -> tuple[date, ...]:
    """Every date of a fact in the request: that of the step, of each trainee of a list, of the vote of an amendment."""
    if case.trigger == "amend":
        return case.effective_on, case.request.deliberation.held_on
    if case.request.personal:
        return case.effective_on, *[one.retained_on for one in selected(case.request)]
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


@guard("OUTSIDE_ACADEMIC_YEAR", clears=Role.TRAINING_OFFICER)
def training_is_within_the_year(case: Case) -> str | None:
    """La formation se déroule pendant l’année universitaire de la convention."""
    terms, asked = in_force(case.partnership, case.effective_on)[-1], case.request
    if terms.year_starts_on <= asked.starts_on and asked.ends_on <= terms.year_ends_on:
        return None
    return (
        f"La formation (du {day(asked.starts_on)} au {day(asked.ends_on)}) sort de l’année universitaire {terms.academic_year} "
        f"(du {day(terms.year_starts_on)} au {day(terms.year_ends_on)})."
    )


@guard("NO_TRAINEE", needs=Needs.DOSSIER, clears=Role.TRAINING_OFFICER)
def someone_is_retained(case: Case) -> str | None:
    """Au moins un stagiaire est retenu."""
    return None if case.partnership.trainees else "Aucun stagiaire n’est encore retenu."


@guard("TRAINING_NOT_ENDED", clears=Role.TRAINING_OFFICER)
def training_has_ended(case: Case) -> str | None:
    """La formation a atteint sa date de fin prévue."""
    training = case.partnership.training
    if training is None or case.effective_on >= training.ends_on:
        return None
    return f"La formation dure jusqu’au {day(training.ends_on)} : elle n’est pas terminée le {day(case.effective_on)}."


@guard("RESULT_BEFORE_TRAINING_END", clears=Role.FINANCE_OFFICER, imported=Severity.WARN)
def result_follows_the_training(case: Case) -> str | None:
    """Le résultat d’exploitation est présenté au terme de la formation."""
    training = case.partnership.training
    if training is None or training.ended_on is None or case.effective_on >= training.ended_on:
        return None
    return f"Le résultat d’exploitation du {day(case.effective_on)} précède la fin de la formation ({day(training.ended_on)})."
