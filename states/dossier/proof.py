"""Whether the person who asks is the one of the name, and whether the role has been theirs long enough to move money."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from states.grammar.case import Actor, Case
from states.grammar.deadlines import paris_day
from states.grammar.guard import Needs, guard
from states.grammar.step import Step
from states.partnership import Partnership
from states.values.calendars import add_working_days
from states.values.french import day
from states.values.law import HOUSE
from states.vocabulary import Role

LATELY = timedelta(days=60)  # no house waits longer


class Proof(StrEnum):
    """What became of the one-time code that was asked for."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    USED = "used"
    LATE = "late"
    SLOWED = "slowed"
    BLOCKED = "blocked"
    NOT_ENROLLED = "not_enrolled"


SENTENCES = {
    Proof.MISSING: "Il manque le code à usage unique ({name}).",
    Proof.WRONG: "Ce code n’est pas le bon pour {name} à cet instant.",
    Proof.USED: "Ce code a déjà servi, ou un plus récent depuis : attendez le suivant (30 secondes au plus).",
    Proof.LATE: "Cette demande a attendu plus de quinze minutes : refaites-la, avec un nouveau code.",
    Proof.SLOWED: "Trop de codes faux ont été donnés d’ici : attendez un peu avant le suivant. Ailleurs, {name} n’attend pas.",
    Proof.BLOCKED: "Trop de codes faux à la suite pour {name} : aucun n’est lu pendant quelques minutes. Réessayez ensuite.",
    Proof.NOT_ENROLLED: "{name} n’a pas encore de codes : l’exploitant envoie une invitation (jalon people invite).",
}


@guard("PERSON_UNPROVED", needs=Needs.ACTOR, clears="la personne elle-même, avec le code qui s’affiche maintenant", source=HOUSE)
def person_is_proved(case: Case) -> str | None:
    """La personne prouve qui elle est par un code à usage unique, dans tout formulaire et pour toute étape qui touche à l’argent."""
    proof = case.lookups.proof
    if proof is None or proof == Proof.RIGHT or case.actor is None:
        return None
    return SENTENCES[Proof(proof)].format(name=case.actor.name)


def lately_given(step: Step, actor: Actor, at: datetime) -> tuple[tuple[Role, str], ...]:
    """The roles of an actor that the rule below could make wait, each with the ISO instant of its giving: what an entry keeps of them."""
    if not step.asks_code:
        return ()
    return tuple((role, since) for role, since in actor.since if at - datetime.fromisoformat(since) < LATELY)


def first_day(since: str, partnership: Partnership, waits: int) -> date:
    """The day from which a role held since an ISO instant serves in a dossier, in working days of the centre's calendar."""
    calendar = next((party.calendar for party in partnership.parties if party.calendar), "metropole")
    return add_working_days(paris_day(datetime.fromisoformat(since)), waits, calendar)


@guard("ROLE_TOO_NEW", needs=Needs.ACTOR, clears="personne : le délai passe de lui-même", source=HOUSE)
def money_role_has_waited(case: Case) -> str | None:
    """Un rôle donné ou enrôlé depuis peu ne touche pas à l’argent, et ne se délègue pas, avant le délai de la maison."""
    if case.actor is None or not case.step.asks_code or not case.actor.since:
        return None
    since = dict(case.actor.since)
    lent = getattr(case.request, "role", None)
    serving = [Role(lent)] if isinstance(lent, str) else [role for role in case.step.by if role in case.actor.roles]
    if not serving or any(role not in since for role in serving):
        return None  # a role that was always theirs, or one that is lent: its giver has had to wait
    first = min(first_day(since[role], case.partnership, case.lookups.waits) for role in serving)
    if case.today >= first:
        return None
    return f"{case.actor.name} a ce rôle, ou ses codes, depuis trop peu de temps : il sert à partir du {day(first)}."
