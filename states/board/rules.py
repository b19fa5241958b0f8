"""What the law demands of a board's vote and of its acts. Each guard names the truth that it demands."""

from __future__ import annotations

from collections.abc import Callable

from states.board.facts import Act
from states.board.requests import Deliberation
from states.grammar.case import Case
from states.grammar.guard import Needs, guard
from states.partnership import last_number
from states.payment.calculation import in_force
from states.values.french import counted, day, euros, listed
from states.values.law import EXECUTORY, HOUSE, MAJORITY, QUORUM_DECREE
from states.vocabulary import Role, Severity

# How many members must be present out of `seats`, by the named rule that the board has set.
QUORUM_RULES: dict[str, tuple[str, Callable[[int], int]]] = {
    "majority": ("la majorité des sièges", lambda seats: seats // 2 + 1),
    "at_least_half": ("au moins la moitié des sièges", lambda seats: (seats + 1) // 2),
    "half_plus_one": ("la moitié des sièges plus un", lambda seats: (seats + 1) // 2 + 1),
    "none_after_reconvocation": ("la majorité des sièges, sauf après une seconde convocation", lambda seats: seats // 2 + 1),
}


def voted(case: Case) -> Deliberation:
    """The deliberation that a request is, or that it carries with it (an amendment)."""
    deliberation: Deliberation = getattr(case.request, "deliberation", case.request)
    return deliberation


def sitting(deliberation: Deliberation, *, proxies_count: bool) -> int:
    """How many members count for the quorum: those who sit, and the proxies if the board's settings say so."""
    return len(deliberation.present_at_item or ()) + (len(deliberation.proxies_at_item) if proxies_count else 0)


@guard("ROLL_CALL_UNKNOWN", clears=Role.BOARD_SECRETARY, source=QUORUM_DECREE, imported=Severity.WARN)
def roll_call_is_known(case: Case) -> str | None:
    """L’appel nominal et le vote de la séance sont connus."""
    deliberation = voted(case)
    if None not in (deliberation.seats, deliberation.present, *deliberation.vote[:2]):
        return None
    session = f"la séance du {day(deliberation.held_on)}"
    return f"L’appel nominal et le vote de {session} ne sont pas connus : ni le quorum ni la majorité ne peuvent être vérifiés."


@guard("NO_QUORUM", clears=Role.BOARD_SECRETARY, source=QUORUM_DECREE, imported=Severity.WARN)
def quorum_is_met(case: Case) -> str | None:
    """Le quorum est atteint à l’ouverture du point, selon la règle du conseil (par défaut, la majorité des sièges en exercice)."""
    deliberation, terms = voted(case), case.partnership.terms_in_force
    if deliberation.seats is None or deliberation.present is None:
        return None  # ROLL_CALL_UNKNOWN says it.
    if terms.quorum_rule == "none_after_reconvocation" and deliberation.reconvened:
        return None
    name, needed_for = QUORUM_RULES[terms.quorum_rule]
    needed = needed_for(deliberation.seats)
    there = sitting(deliberation, proxies_count=terms.proxies_count)
    if there >= needed:
        return None
    proxies = ", pouvoirs compris," if terms.proxies_count else ""
    place = f" au point n° {deliberation.item}" if deliberation.movements else ""
    present = counted(there, "présent", "présents")
    return f"Le quorum n’est pas atteint{place} : {present}{proxies} pour {deliberation.seats} sièges, il en faut {needed} ({name})."


def _is_adopted(case: Case) -> bool | None:
    votes_for, votes_against, _ = voted(case).vote
    if votes_for is None or votes_against is None:
        return None
    return votes_for > votes_against


def _votes(case: Case) -> str:
    votes_for, votes_against, _ = voted(case).vote
    return f"{votes_for} voix pour, {votes_against} contre"


@guard("NOT_ADOPTED", clears=Role.BOARD_SECRETARY, source=MAJORITY)
def vote_is_adopted(case: Case) -> str | None:
    """La délibération est adoptée : plus de voix pour que de voix contre."""
    return None if _is_adopted(case) in (True, None) else f"La délibération n’est pas adoptée : {_votes(case)}."


@guard("NOT_REJECTED", clears=Role.BOARD_SECRETARY, source=MAJORITY)
def vote_is_rejected(case: Case) -> str | None:
    """La délibération est rejetée : au moins autant de voix contre que de voix pour."""
    return None if _is_adopted(case) in (False, None) else f"La délibération n’est pas rejetée : {_votes(case)}."


@guard("CONDITIONS_DIFFER", clears=Role.BOARD_SECRETARY)
def conditions_are_those_of_the_convention(case: Case) -> str | None:
    """Les conditions validées par le conseil sont celles de la convention."""
    terms, conditions = in_force(case.partnership, case.effective_on)[-1], case.request.conditions
    differences = [
        f"{label} : {theirs} voté, {ours} dans la convention"
        for label, theirs, ours in (
            ("montant par stagiaire", euros(conditions.rate), euros(terms.rate)),
            ("nombre maximal de stagiaires", conditions.cap, terms.cap),
            ("département", conditions.department, terms.department),
            ("année universitaire", conditions.academic_year, terms.academic_year),
        )
        if theirs != ours
    ]
    return f"Les conditions votées diffèrent de celles de la convention ({' ; '.join(differences)})." if differences else None


@guard("ACTED_BEFORE_SIGNATURE", clears=Role.BOARD_SECRETARY, imported=Severity.WARN)
def act_follows_signature(case: Case) -> str | None:
    """Le conseil acte la signature après qu’elle a eu lieu."""
    signed_on = case.partnership.signatures[0].signed_on  # of the convention, not of an amendment
    if case.effective_on >= signed_on:
        return None
    return f"La séance du {day(case.effective_on)} précède la signature du {day(signed_on)} qu’elle acte."


@guard("ACT_NOT_EXECUTORY", needs=Needs.DOSSIER, clears=Role.BOARD_SECRETARY, source=EXECUTORY)
def acts_are_executory(case: Case) -> str | None:
    """Les délibérations sur lesquelles repose le paiement (conditions et avenants) sont exécutoires : transmises et publiées."""
    lacking = [
        f"celle du {day(act.held_on)} ({lacks(act)})"
        for act in case.partnership.acts
        if act.matter.bears_the_payment and (act.executory_on is None or act.executory_on > case.effective_on)
    ]
    return f"Le paiement repose sur une délibération qui n’est pas exécutoire : {' ; '.join(lacking)}." if lacking else None


def lacks(act: Act) -> str:
    if act.executory_on is not None:
        return f"exécutoire le {day(act.executory_on)}"
    missing = ["non transmise au préfet"] if act.transmitted_on is None else []
    missing += ["non publiée"] if act.published_on is None else []
    return listed(missing)


@guard("UNKNOWN_ACT", clears=Role.BOARD_SECRETARY, source=HOUSE)
def act_is_of_the_dossier(case: Case) -> str | None:
    """La délibération désignée est au dossier."""
    number = case.request.act
    if case.partnership.acts and (number is None or any(act.number == number for act in case.partnership.acts)):
        return None
    return f"La délibération n° {number or 1} n’est pas au dossier, qui en compte {len(case.partnership.acts)}."


@guard("BEFORE_THE_VOTE", clears=Role.BOARD_SECRETARY, source=HOUSE)
def act_was_voted_before(case: Case) -> str | None:
    """Une délibération est transmise, publiée ou contestée après avoir été votée."""
    number = case.request.act or last_number(case.partnership.acts)
    act = next((act for act in case.partnership.acts if act.number == number), None)
    if act is None or case.effective_on >= act.held_on:
        return None
    return f"La date du {day(case.effective_on)} précède la séance du {day(act.held_on)}."


@guard("FUTURE_ANSWER", clears=Role.BOARD_SECRETARY, source=HOUSE)
def answer_has_come(case: Case) -> str | None:
    """La réponse à un recours se consigne une fois donnée."""
    decided_on = case.request.decided_on
    if decided_on is None or decided_on <= case.today:
        return None
    return f"La réponse du {day(decided_on)} est dans l’avenir : elle se consigne une fois donnée."


@guard("ACT_RELIED_ON", clears="personne : le paiement repose déjà sur cette délibération", source=EXECUTORY)
def act_is_not_relied_on(case: Case) -> str | None:
    """Les dates d’une délibération exécutoire ne changent plus une fois le paiement mandaté."""
    number = case.request.act or last_number(case.partnership.acts)
    act = next((act for act in case.partnership.acts if act.number == number), None)
    ordered = any(settlement.ordered is not None for settlement in case.partnership.settlements)
    if act is None or act.executory_on is None or not ordered or not act.matter.bears_the_payment:
        return None
    return f"Un paiement a été mandaté sur la délibération du {day(act.held_on)} : ses dates ne changent plus."
