"""What the law demands of a board's vote and of a signature. Each guard names the truth that it demands."""

from __future__ import annotations

from collections.abc import Callable

from states.facts import Role, Severity
from states.french import counted, day, euros, listed
from states.guard import Case, Source, guard
from states.requests import POINT_LABELS

QUORUM_DECREE = Source("Décret n° 85-643 du 26 juin 1985, quorum du conseil d’administration", verified=False)
MAJORITY = Source("Majorité des suffrages exprimés, règle générale des assemblées", verified=False)

# How many members must be present out of `seats`, by the named rule that the board has set.
QUORUM_RULES: dict[str, tuple[str, Callable[[int], int]]] = {
    "majority": ("la majorité des sièges", lambda seats: seats // 2 + 1),
    "at_least_half": ("au moins la moitié des sièges", lambda seats: (seats + 1) // 2),
    "half_plus_one": ("la moitié des sièges plus un", lambda seats: (seats + 1) // 2 + 1),
}


@guard("ROLL_CALL_UNKNOWN", clears=Role.BOARD_SECRETARY, source=QUORUM_DECREE, imported=Severity.WARN)
def roll_call_is_known(case: Case) -> str | None:
    """L’appel nominal et le vote de la séance sont connus."""
    asked = case.request
    if None not in (asked.seats, asked.present, asked.votes_for, asked.votes_against):
        return None
    session = f"la séance du {day(asked.held_on)}"
    return f"L’appel nominal et le vote de {session} ne sont pas connus : ni le quorum ni la majorité ne peuvent être vérifiés."


@guard("NO_QUORUM", clears=Role.BOARD_SECRETARY, source=QUORUM_DECREE, imported=Severity.WARN)
def quorum_is_met(case: Case) -> str | None:
    """Le quorum est atteint selon la règle du conseil (par défaut, la majorité des sièges en exercice)."""
    asked = case.request
    if asked.seats is None or asked.present is None:
        return None  # ROLL_CALL_UNKNOWN says it.
    name, needed_for = QUORUM_RULES[case.partnership.terms_in_force.quorum_rule]
    needed = needed_for(asked.seats)
    if len(asked.present) >= needed:
        return None
    present = counted(len(asked.present), "présent", "présents")
    return f"Le quorum n’est pas atteint : {present} pour {asked.seats} sièges, il en faut {needed} ({name})."


def _is_adopted(case: Case) -> bool | None:
    asked = case.request
    if asked.votes_for is None or asked.votes_against is None:
        return None
    return bool(asked.votes_for > asked.votes_against)


@guard("NOT_ADOPTED", clears=Role.BOARD_SECRETARY, source=MAJORITY)
def vote_is_adopted(case: Case) -> str | None:
    """La délibération est adoptée : plus de voix pour que de voix contre."""
    if _is_adopted(case) in (True, None):
        return None
    return f"La délibération n’est pas adoptée : {case.request.votes_for} voix pour, {case.request.votes_against} contre."


@guard("NOT_REJECTED", clears=Role.BOARD_SECRETARY, source=MAJORITY)
def vote_is_rejected(case: Case) -> str | None:
    """La délibération est rejetée : au moins autant de voix contre que de voix pour."""
    if _is_adopted(case) in (False, None):
        return None
    return f"La délibération n’est pas rejetée : {case.request.votes_for} voix pour, {case.request.votes_against} contre."


@guard("CONDITIONS_DIFFER", clears=Role.BOARD_SECRETARY)
def conditions_are_those_of_the_convention(case: Case) -> str | None:
    """Les conditions validées par le conseil sont celles de la convention."""
    terms, asked = case.partnership.terms_in_force, case.request.conditions
    differences = [
        f"{label} : {theirs} voté, {ours} dans la convention"
        for label, theirs, ours in (
            ("montant par stagiaire", euros(asked.rate), euros(terms.rate)),
            ("nombre maximal de stagiaires", asked.cap, terms.cap),
            ("département", asked.department, terms.department),
            ("année universitaire", asked.academic_year, terms.academic_year),
        )
        if theirs != ours
    ]
    return f"Les conditions votées diffèrent de celles de la convention ({' ; '.join(differences)})." if differences else None


@guard("ACTED_BEFORE_SIGNATURE", clears=Role.BOARD_SECRETARY, imported=Severity.WARN)
def act_follows_signature(case: Case) -> str | None:
    """Le conseil acte la signature après qu’elle a eu lieu."""
    signed_on = case.partnership.signatures[-1].signed_on
    if case.effective_on >= signed_on:
        return None
    return f"La séance du {day(case.effective_on)} précède la signature du {day(signed_on)} qu’elle acte."


@guard("SIGNED_BEFORE_APPROVAL", clears=Role.TRAINING_OFFICER, imported=Severity.WARN)
def signature_follows_approval(case: Case) -> str | None:
    """La convention est signée après l’approbation du conseil."""
    approved_on = case.partnership.acts[-1].held_on
    if case.effective_on >= approved_on:
        return None
    return f"La signature du {day(case.effective_on)} précède l’approbation du {day(approved_on)}."


@guard("SIGNATORY_MISSING", clears=Role.TRAINING_OFFICER)
def both_parties_have_signed(case: Case) -> str | None:
    """Le centre de gestion et l’université ont signé, chacun une fois."""
    sides = [signatory.party for signatory in case.request.signatories]
    wrong = [name for side, name in (("cdg", "le centre de gestion"), ("university", "l’université")) if sides.count(side) != 1]
    return f"Il faut une signature, et une seule, pour {listed(wrong)}." if wrong else None


@guard("POINT_MISSING", clears=Role.TRAINING_OFFICER, imported=Severity.WARN)
def six_points_are_there(case: Case) -> str | None:
    """La convention contient ses six points."""
    missing = [label for point, label in POINT_LABELS.items() if point not in case.request.points]
    return f"La convention ne contient pas {listed(missing)}." if missing else None
