"""What the keeping of the dossier itself demands: who may take a step back, and who may lend a role."""

from __future__ import annotations

from states.dossier.delegation import lent_roles, would_join
from states.grammar.case import Case
from states.grammar.guard import Needs, guard
from states.values.french import counted
from states.values.law import HOUSE, SEPARATION
from states.vocabulary import Role

OBSTACLES_AT_MOST = 8  # named in one refusal
SUPERIOR = Role.AUTHORISING_OFFICER  # the president of the centre, or whoever stands for the president


@guard("NOTHING_TO_UNDO", needs=Needs.DOSSIER, clears="personne : il n’y a là rien à reprendre", source=HOUSE)
def a_step_was_done(case: Case) -> str | None:
    """L’entrée que l’on veut annuler est une étape ou un fait consigné, qui tient encore ; l’ouverture du dossier ne s’annule pas."""
    if case.request is None:  # before, the past is not read
        return None if case.partnership.version > 1 else "Il n’y a rien à annuler : seule l’ouverture du dossier reste."
    past = case.lookups.past
    never = "le journal n’a pas été lu" if past is None else past.never
    return f"Il n’y a rien à annuler là : {never}." if never else None


@guard("MONEY_MOVED", clears="personne : ce qui est mandaté se corrige par un rejet, un titre ou une récupération", source=HOUSE)
def no_payment_was_ordered(case: Case) -> str | None:
    """Une fois le paiement mandaté, aucune étape ne s’annule, ni un fait qui touche à l’argent."""
    past = case.lookups.past
    return "Un paiement a été mandaté : cette étape ne s’annule plus." if past is not None and past.money_moved else None


@guard("STILL_RELIED_ON", clears="la personne qui a fait l’entrée citée, en l’annulant d’abord si elle peut l’être", source=HOUSE)
def nothing_relies_on_it(case: Case) -> str | None:
    """Rien de ce qui a suivi et tient encore n’a changé les mêmes données, ni ne s’appuie sur elles."""
    past = case.lookups.past
    if past is None or not past.obstacles:
        return None
    named = [f"l’entrée {obstacle.n} (« {obstacle.label} », par {obstacle.actor}) {obstacle.because}" for obstacle in past.obstacles]
    more = len(named) - OBSTACLES_AT_MOST
    rest = [counted(more, "autre entrée", "autres entrées")] if more > 0 else []
    return f"L’entrée {past.n} (« {past.label} ») ne peut plus être annulée : {' ; '.join([*named[:OBSTACLES_AT_MOST], *rest])}."


@guard("NOT_YOURS_TO_UNDO", needs=Needs.ACTOR, clears=SUPERIOR, source=HOUSE)
def undone_by_who_did_it(case: Case) -> str | None:
    """Une étape est annulée par la personne qui l’a faite, ou par l’ordonnateur."""
    past, actor = case.lookups.past, case.actor
    if past is None or past.never or actor is None or actor.name == past.actor or SUPERIOR in actor.roles:
        return None
    if any(role is SUPERIOR for role, _ in lent_roles(case.partnership, actor, case.today, case.lookups)):
        return None
    return f"{past.actor} a fait cette étape : {past.actor} ou l’ordonnateur peut l’annuler."


@guard("ROLE_NOT_HELD", clears="une personne qui a ce rôle", source=HOUSE)
def role_is_held_by_who_lends_it(case: Case) -> str | None:
    """On ne délègue qu’un rôle que l’on a."""
    role = Role(case.request.role)
    if case.actor is None or role in case.actor.roles:
        return None
    return f"{case.actor.name} n’a pas le rôle « {role.label} » et ne peut pas le déléguer."


@guard("DELEGATED_TO_ONESELF", source=HOUSE)
def role_is_lent_to_somebody_else(case: Case) -> str | None:
    """Un rôle se délègue à une autre personne que soi."""
    return "On ne délègue pas un rôle à soi-même." if case.actor is not None and case.request.to == case.actor.name else None


@guard("ROLES_KEPT_APART", clears="une autre personne, qui n’a pas l’autre rôle", source=SEPARATION)
def lent_role_joins_nothing_kept_apart(case: Case) -> str | None:
    """L’ordonnateur et le comptable public ne se réunissent jamais dans les mêmes mains, délégations comprises."""
    request = case.request
    if not would_join(case.partnership, request.to, Role(request.role), (request.starts_on, request.ends_on), case.lookups):
        return None
    return f"{request.to} réunirait les rôles d’ordonnateur et de comptable public, que la loi sépare."


@guard("MOTIVE_REQUIRED", source=HOUSE)
def motive_is_given(case: Case) -> str | None:
    """Une décision défavorable porte son motif."""
    return None if case.request.motive else "Un motif est obligatoire."
