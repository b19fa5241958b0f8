"""What the keeping of the dossier itself demands: who may take a step back, and who may lend a role."""

from __future__ import annotations

from states.guard import Case, Needs, guard
from states.hands import lent_roles, would_join
from states.law import HOUSE, SEPARATION
from states.words import Role

SUPERIOR = Role.AUTHORISING_OFFICER  # the president of the centre, or whoever stands for the president


@guard("NOTHING_TO_UNDO", needs=Needs.DOSSIER, clears="personne : il n’y a pas d’étape à reprendre", source=HOUSE)
def a_step_was_done(case: Case) -> str | None:
    """Une étape a été faite depuis l’ouverture du dossier, et n’a pas déjà été annulée."""
    asked = case.request is not None  # before, the past is not read
    if case.known.past is not None or (not asked and case.partnership.version > 1):
        return None
    return "Il n’y a rien à annuler : seule l’ouverture du dossier reste."


@guard("MONEY_MOVED", clears="personne : ce qui est mandaté se corrige par un rejet, un titre ou une récupération", source=HOUSE)
def no_payment_was_ordered(case: Case) -> str | None:
    """Rien ne s’annule une fois le paiement mandaté."""
    past = case.known.past
    return "Un paiement a été mandaté : plus rien ne s’annule dans ce dossier." if past is not None and past.money_moved else None


@guard("ANOTHER_ENTRY", source=HOUSE)
def undone_entry_is_the_last(case: Case) -> str | None:
    """L’entrée que l’on veut annuler, si on la nomme, est la dernière qui tienne."""
    past, asked = case.known.past, case.request.entry
    if past is None or asked in (None, past.n):
        return None
    return f"La dernière étape qui tienne est l’entrée {past.n} du journal, par {past.actor} ; l’entrée {asked} n’est pas celle-là."


@guard("NOT_YOURS_TO_UNDO", needs=Needs.ACTOR, clears=SUPERIOR, source=HOUSE)
def undone_by_who_did_it(case: Case) -> str | None:
    """Une étape est annulée par la personne qui l’a faite, ou par l’ordonnateur."""
    past, actor = case.known.past, case.actor
    if past is None or actor is None or actor.name == past.actor or SUPERIOR in actor.roles:
        return None
    if any(role is SUPERIOR for role, _ in lent_roles(case.partnership, actor, case.today, case.known)):
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
    asked = case.request
    if not would_join(case.partnership, asked.to, Role(asked.role), (asked.starts_on, asked.ends_on), case.known):
        return None
    return f"{asked.to} réunirait les rôles d’ordonnateur et de comptable public, que la loi sépare."
