"""What a trainee must be to enter the dossier and to count: new, with a known commune, verified, with a rank that decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from states.grammar.case import Case, Commune
from states.grammar.guard import Needs, guard
from states.payment.calculation import entitlement, tied_at_cap
from states.trainees.requests import residing, selected
from states.values.french import counted, day, listed
from states.values.law import COMMUNES, CONVENTION, HOUSE
from states.vocabulary import Role

SHOWN_AT_MOST = 12


def numbered(numbers: Sequence[int]) -> str:
    """« le stagiaire n° 3 », « les stagiaires n° 3 et n° 5 »; a long list is cut."""
    shown = [f"n° {number}" for number in numbers[:SHOWN_AT_MOST]]
    rest = len(numbers) - len(shown)
    several = f"{', '.join(shown)} et {counted(rest, 'autre', 'autres')}" if rest > 0 else listed(shown)
    return f"{'le stagiaire' if len(numbers) == 1 else 'les stagiaires'} {several}"


@guard("TRAINEE_ALREADY_RETAINED", clears=Role.TRAINING_OFFICER, source=HOUSE)
def trainee_is_new(case: Case) -> str | None:
    """Une même personne n’est retenue qu’une fois dans un dossier, et un numéro n’est donné qu’une fois."""
    sentences = list(_taken(case))
    return " ".join(sentences) if sentences else None


def _taken(case: Case) -> Iterator[str]:
    taken = {trainee.number for trainee in case.partnership.trainees}
    digests = {digest for _, digest in case.partnership.identity_digests}
    for place, trainee in enumerate(selected(case.request)):
        where = f" (ligne {place + 1} de la demande)" if len(selected(case.request)) > 1 else ""
        if trainee.number in taken:
            yield f"Le stagiaire n° {trainee.number}{where} existe déjà dans ce dossier."
        digest = case.newcomers[place].digest if case.newcomers else ""
        if digest in digests:
            yield f"Cette personne{where}, mêmes nom, prénom et date de naissance, est déjà retenue dans ce dossier."
        taken |= {trainee.number} if trainee.number is not None else set()
        digests |= {digest} if digest else set()


@guard("BORN_AFTER_SELECTION", clears=Role.TRAINING_OFFICER, source=HOUSE)
def birth_precedes_selection(case: Case) -> str | None:
    """La date de naissance précède la date à laquelle le stagiaire est retenu."""
    if all(trainee.born_on < trainee.retained_on for trainee in selected(case.request)):
        return None
    return "La date de naissance du stagiaire ne précède pas la date à laquelle il est retenu."


def _sought(case: Case) -> tuple[tuple[Commune, ...], ...]:
    """The candidates of each commune. When nobody looked, a code is taken as it is and a name is none."""
    if case.lookups.communes is not None:
        return case.lookups.communes
    return tuple(() for residence in residing(case.request) if residence.insee is None)


@guard("COMMUNE_UNKNOWN", clears=Role.TRAINING_OFFICER, source=COMMUNES)
def commune_exists(case: Case) -> str | None:
    """La commune existe : son code INSEE ou son nom est au code officiel géographique."""
    # What was typed is not repeated: it may be a whole address.
    unknown = [place for place, places in enumerate(_sought(case), start=1) if not places]
    if not unknown:
        return None
    lines = listed([f"ligne {place} de la demande" for place in unknown[:SHOWN_AT_MOST]])
    where = f" ({lines})" if len(residing(case.request)) > 1 else ""
    return f"Aucune commune ne correspond{where} : vérifiez le nom ou le code INSEE."


@guard("AMBIGUOUS_COMMUNE", clears=Role.TRAINING_OFFICER, source=COMMUNES)
def commune_is_one(case: Case) -> str | None:
    """Un nom de commune que plusieurs portent ne suffit pas : le code INSEE décide."""
    for places in _sought(case):
        if len(places) > 1:
            candidates = [f"{place.name} ({place.insee}, département {place.department})" for place in places[:SHOWN_AT_MOST]]
            hint = "Donnez le code INSEE, ou le département entre parenthèses après le nom."
            return f"Plusieurs communes portent ce nom : {listed(candidates)}. {hint}"
    return None


@guard("UNKNOWN_TRAINEE", clears=Role.TRAINING_OFFICER, source=HOUSE)
def trainee_is_of_the_dossier(case: Case) -> str | None:
    """Le stagiaire désigné fait partie du dossier."""
    if case.partnership.trainee(case.request.trainee) is not None:
        return None
    return f"Le stagiaire n° {case.request.trainee} n’existe pas dans ce dossier."


@guard("MOVED_BEFORE_SELECTION", clears=Role.TRAINING_OFFICER, source=CONVENTION)
def move_follows_selection(case: Case) -> str | None:
    """Une autre commune constatée avant la sélection n’est pas un déménagement : elle corrige la résidence, ou rien."""
    trainee = case.partnership.trainee(case.request.trainee)
    if trainee is None or trainee.verified_on is None or case.request.correction or case.effective_on >= trainee.retained_on:
        return None
    seen = case.lookups.communes[0][0].insee if case.lookups.communes and case.lookups.communes[0] else case.request.insee
    if seen == trainee.insee:
        return None
    return f"La résidence du stagiaire n° {trainee.number} est déjà vérifiée : celle d’avant la sélection se saisit comme une correction."


@guard("LEFT_BEFORE_SELECTION", clears=Role.TRAINING_OFFICER, source=HOUSE)
def dropout_follows_selection(case: Case) -> str | None:
    """Un stagiaire ne part qu’après avoir été retenu."""
    trainee = case.partnership.trainee(case.request.trainee)
    if trainee is None or case.effective_on >= trainee.retained_on:
        return None
    return f"Le stagiaire n° {trainee.number} n’était pas encore retenu à cette date."


@guard("LEFT_AFTER_THE_END", clears=Role.TRAINING_OFFICER, source=HOUSE)
def dropout_precedes_the_end(case: Case) -> str | None:
    """Un stagiaire ne quitte pas une formation terminée."""
    training = case.partnership.training
    ended_on = training.ended_on or training.ends_on if training is not None else None
    if ended_on is None or case.effective_on < ended_on:
        return None
    return f"La formation est terminée depuis le {day(ended_on)} : personne ne l’a quittée le {day(case.effective_on)}."


@guard("HOURS_EXCEED_PLAN", clears=Role.TRAINING_OFFICER)
def hours_are_within_the_plan(case: Case) -> str | None:
    """Les heures suivies ne dépassent pas les heures prévues."""
    training, done = case.partnership.training, case.request.hours_done
    if done is None or training is None or done <= training.hours:
        return None
    return f"Les heures suivies ({done}) dépassent les heures prévues ({training.hours})."


@guard("RESIDENCE_UNVERIFIED", needs=Needs.DOSSIER, clears=Role.TRAINING_OFFICER)
def residences_are_verified(case: Case) -> str | None:
    """La résidence de chaque stagiaire retenu est vérifiée à la date de l’étape, sauf désistement."""
    later = {
        trainee.number
        for trainee in case.partnership.trainees
        if trainee.verified_on is not None and trainee.verified_on > case.effective_on
    }
    lines = case.once(entitlement).lines
    missing = [line.trainee for line in lines if line.status == "RESIDENCE_UNVERIFIED" or line.trainee in later]
    return f"La résidence n’est pas vérifiée pour {numbered(missing)}." if missing else None


@guard("POLICY_REQUIRED", needs=Needs.DOSSIER, clears=Role.BOARD_SECRETARY, source=CONVENTION)
def dropout_policy_is_known(case: Case) -> str | None:
    """Si un stagiaire a quitté la formation après son début, la convention dit ce qui est dû."""
    left = _with_status(case, "POLICY_REQUIRED")
    return (
        f"La convention ne dit pas ce qui est dû pour {numbered(left)} : un avenant doit le préciser (abandon en cours de formation)."
        if left
        else None
    )


@guard("HOURS_REQUIRED", needs=Needs.DOSSIER, clears=Role.TRAINING_OFFICER)
def hours_done_are_known(case: Case) -> str | None:
    """Si la convention paie selon les heures suivies, elles sont connues pour chaque stagiaire qui a quitté la formation."""
    left = _with_status(case, "HOURS_REQUIRED")
    return f"Les heures suivies ne sont pas connues pour {numbered(left)}." if left else None


@guard("RANK_TIE", needs=Needs.DOSSIER, clears=Role.TRAINING_OFFICER)
def ranks_decide_at_the_cap(case: Case) -> str | None:
    """Au plafond, les rangs départagent les stagiaires."""
    tied = tied_at_cap(case.once(entitlement))
    if not tied:
        return None
    return f"{numbered(tied)[0].upper()}{numbered(tied)[1:]} ont le même rang au plafond : la sélection doit les départager."


def _with_status(case: Case, status: str) -> list[int]:
    return [line.trainee for line in case.once(entitlement).lines if line.status == status]
