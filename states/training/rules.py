"""What the convention demands of the training."""

from __future__ import annotations

from states.grammar.case import Case
from states.grammar.guard import Needs, guard
from states.payment.calculation import in_force
from states.values.french import day
from states.vocabulary import Role, Severity


@guard("OUTSIDE_ACADEMIC_YEAR", clears=Role.TRAINING_OFFICER)
def training_is_within_the_year(case: Case) -> str | None:
    """La formation se déroule pendant l’année universitaire de la convention."""
    terms, request = in_force(case.partnership, case.effective_on)[-1], case.request
    if terms.year_starts_on <= request.starts_on and request.ends_on <= terms.year_ends_on:
        return None
    return (
        f"La formation (du {day(request.starts_on)} au {day(request.ends_on)}) sort de l’année universitaire {terms.academic_year} "
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
