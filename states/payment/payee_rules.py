"""What a change of the university's account demands: two people, a call to a known contact, time. It is the main fraud."""

from __future__ import annotations

from datetime import timedelta

from states.grammar.case import Case
from states.grammar.guard import Needs, guard
from states.values.french import counted, day
from states.values.law import PAYEE
from states.vocabulary import Role


@guard("PAYEE_UNCONFIRMED", needs=Needs.DOSSIER, clears="une seconde personne, après avoir rappelé l’université", source=PAYEE)
def payee_is_confirmed(case: Case) -> str | None:
    """Aucun changement de compte n’attend d’être confirmé."""
    proposed = case.partnership.payee_proposed
    if proposed is None:
        return None
    return f"Le changement de compte proposé le {day(proposed.proposed_on)} par {proposed.proposed_by} n’est ni confirmé ni écarté."


@guard("NO_PAYEE_PROPOSED", needs=Needs.DOSSIER, clears=Role.FINANCE_OFFICER, source=PAYEE)
def a_payee_is_proposed(case: Case) -> str | None:
    """Un changement de compte est proposé, et attend une seconde personne."""
    return None if case.partnership.payee_proposed else "Aucun changement de compte n’attend de confirmation."


@guard("PAYEE_SAME_PERSON", needs=Needs.ACTOR, clears="une autre personne", source=PAYEE)
def another_person_confirms(case: Case) -> str | None:
    """Un changement de compte est confirmé par une autre personne que celle qui l’a proposé."""
    proposed = case.partnership.payee_proposed
    if proposed is None or case.actor is None:
        return None
    both = {case.actor.name, case.on_behalf_of} & {proposed.proposed_by, proposed.proposed_for} - {None}
    return f"{proposed.proposed_by} a proposé ce changement de compte : une autre personne doit le confirmer." if both else None


@guard("CALL_BACK_TOO_EARLY", clears="la personne qui confirme", source=PAYEE)
def call_back_follows_the_proposal(case: Case) -> str | None:
    """L’université est rappelée après la proposition du nouveau compte, et avant la confirmation."""
    proposed = case.partnership.payee_proposed
    if proposed is None or proposed.proposed_on <= case.request.called_on <= case.effective_on:
        return None
    called_on = day(case.request.called_on)
    return f"Le contre-appel du {called_on} n’a pas eu lieu entre la proposition ({day(proposed.proposed_on)}) et la confirmation."


@guard("COOLING_OFF", clears="le temps qui passe", source=PAYEE)
def cooling_off_is_over(case: Case) -> str | None:
    """Le délai de réflexion que le centre s’est donné avant de changer de compte est écoulé depuis la saisie de la proposition."""
    proposed, days = case.partnership.payee_proposed, case.partnership.terms_in_force.payee_cooling_days
    if proposed is None or case.today >= (over_on := proposed.recorded_on + timedelta(days=days)):
        return None
    return f"Un changement de compte se confirme au plus tôt le {day(over_on)} ({counted(days, 'jour', 'jours')} après sa saisie)."


@guard("PAYEE_PENDING", needs=Needs.DOSSIER, clears="une seconde personne, qui confirme ou écarte le premier", source=PAYEE)
def no_other_payee_is_proposed(case: Case) -> str | None:
    """Un seul changement de compte attend à la fois."""
    proposed = case.partnership.payee_proposed
    if proposed is None:
        return None
    return f"Le changement de compte proposé le {day(proposed.proposed_on)} par {proposed.proposed_by} attend déjà une réponse."


@guard("PAYEE_DIFFERS", clears="la personne qui confirme", source=PAYEE)
def confirmed_iban_is_the_one_proposed(case: Case) -> str | None:
    """L’IBAN confirmé au téléphone est celui qui a été proposé."""
    proposed = case.partnership.payee_proposed
    if proposed is None or case.request.iban == proposed.iban:
        return None
    return "L’IBAN confirmé au téléphone n’est pas celui qui a été proposé : écartez la proposition."
