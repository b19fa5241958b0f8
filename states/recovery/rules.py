"""What taking back a subsidy demands, when a trainee who was paid for turns out not to be eligible."""

from __future__ import annotations

from states.grammar.case import Case
from states.grammar.guard import Needs, guard
from states.payment.calculation import NOTHING, open_recoveries, overpaid, without
from states.recovery.facts import Recovery
from states.values.french import day, euros, listed
from states.values.law import RECOVERY, SEPARATION
from states.vocabulary import Role


@guard("NOTHING_PAID", needs=Needs.DOSSIER, clears="personne : le dossier est clos sans subvention", source=RECOVERY)
def something_was_paid(case: Case) -> str | None:
    """Une somme a été payée."""
    settlement = case.partnership.settlement
    if settlement is not None and settlement.paid is not None:
        return None
    return "Aucune subvention n’a été payée dans ce dossier : il n’y a rien à reprendre."


@guard("RECOVERY_BEFORE_PAYMENT", clears=Role.AUTHORISING_OFFICER, source=RECOVERY)
def recovery_follows_the_payment(case: Case) -> str | None:
    """Une récupération s’ordonne après le paiement."""
    settlement = case.partnership.settlement
    if settlement is None or settlement.paid_on is None or case.effective_on >= settlement.paid_on:
        return None
    return f"Le titre du {day(case.effective_on)} précède le paiement du {day(settlement.paid_on)}."


@guard("NOTHING_TO_RECOVER", clears=Role.FINANCE_OFFICER, source=RECOVERY)
def something_was_overpaid(case: Case) -> str | None:
    """La somme payée dépasse ce qui est dû sans le stagiaire reconnu inéligible."""
    settlement = case.partnership.settlement
    if settlement is None or settlement.paid is None:
        return None  # NOTHING_PAID says so
    if overpaid(without(case.partnership, case.request.trainee, case.effective_on)) > NOTHING:
        return None
    return f"Sans le stagiaire n° {case.request.trainee}, la somme payée reste due : il n’y a rien à récupérer."


@guard("RECOVERY_OPEN", needs=Needs.DOSSIER, clears=Role.PUBLIC_ACCOUNTANT, source=RECOVERY)
def nothing_is_left_to_recover(case: Case) -> str | None:
    """Toute somme à récupérer est rentrée."""
    waiting = open_recoveries(case.partnership)
    if not waiting:
        return None
    rest = euros(sum((recovery.amount for recovery in waiting), NOTHING))
    return f"Il reste {rest} à récupérer (titre {listed([recovery.order_number for recovery in waiting])})."


@guard("NO_OPEN_RECOVERY", clears=Role.PUBLIC_ACCOUNTANT, source=RECOVERY)
def a_recovery_is_open(case: Case) -> str | None:
    """Une récupération est en cours : celle qui est désignée, ou la seule."""
    waiting, number = open_recoveries(case.partnership), case.request.recovery
    if number is None and len(waiting) > 1:
        return f"Plusieurs récupérations sont en cours ({listed([f'n° {recovery.number}' for recovery in waiting])}) : dites laquelle."
    if waiting and number in (None, *(recovery.number for recovery in waiting)):
        return None
    return "Cette récupération n’est pas en cours."


@guard("RECOVERED_AMOUNT_DIFFERS", clears=Role.PUBLIC_ACCOUNTANT, source=RECOVERY)
def recovered_is_the_amount_ordered(case: Case) -> str | None:
    """La somme récupérée est celle du titre de recettes."""
    recovery = _meant(case)
    if recovery is None or recovery.amount == case.request.amount:
        return None
    return f"L’encaissement de {euros(case.request.amount)} diffère du titre de {euros(recovery.amount)}."


@guard("RECOVERED_BEFORE_ORDER", clears=Role.PUBLIC_ACCOUNTANT, source=RECOVERY)
def recovery_follows_its_order(case: Case) -> str | None:
    """L’encaissement suit le titre de recettes."""
    recovery = _meant(case)
    if recovery is None or case.effective_on >= recovery.ordered_on:
        return None
    return f"L’encaissement du {day(case.effective_on)} précède le titre du {day(recovery.ordered_on)}."


@guard("RECOVERY_SAME_PERSON", needs=Needs.ACTOR, clears="une autre personne du même rôle", source=SEPARATION)
def another_person_records_the_recovery(case: Case) -> str | None:
    """Ordonner une récupération et constater l’encaissement sont le fait de deux personnes différentes."""
    recovery = _meant(case)
    if (
        recovery is None
        or case.actor is None
        or not {case.actor.name, case.on_behalf_of} & {recovery.ordered_by, recovery.ordered_for} - {None}
    ):
        return None
    return f"{recovery.ordered_by} a ordonné cette récupération : une autre personne doit constater l’encaissement."


def _meant(case: Case) -> Recovery | None:
    """The open recovery that the request is about."""
    number = case.request.recovery if case.request is not None else None
    return next((recovery for recovery in open_recoveries(case.partnership) if number in (None, recovery.number)), None)
