"""What the law and the convention demand of a signature and of an amendment."""

from __future__ import annotations

from datetime import date

from states.board.facts import Act, Matter
from states.board.rules import lacks, voted
from states.convention.records import amended
from states.convention.terms import differences
from states.grammar.case import Case
from states.grammar.guard import Needs, guard
from states.partnership import Partnership
from states.values.choices import POINT_LABELS
from states.values.french import day, listed
from states.values.law import SIGNING
from states.vocabulary import Role, Severity


@guard("SIGNED_BEFORE_APPROVAL", clears=Role.TRAINING_OFFICER, imported=Severity.WARN)
def signature_follows_approval(case: Case) -> str | None:
    """La convention (ou l’avenant) est signée après le vote du conseil."""
    approved_on = voted(case).held_on if case.step.deliberates else case.partnership.acts[-1].held_on
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


def authorising_act(partnership: Partnership) -> Act | None:
    """The deliberation that the signature of the convention rests on: the one that approved the partnership."""
    return next((act for act in partnership.acts if act.matter is Matter.APPROVAL), None)


@guard(
    "SIGNED_BEFORE_EXECUTORY",
    needs=Needs.DOSSIER,
    clears=Role.BOARD_SECRETARY,
    source=SIGNING,
    imported=Severity.WARN,
)
def signature_follows_the_executory_act(case: Case) -> str | None:
    """La convention est signée une fois exécutoire (transmise et publiée) la délibération qui l’autorise."""
    return signature_objection(case.partnership, case.effective_on)


def signature_objection(partnership: Partnership, on: date) -> str | None:
    """Why the convention, signed once or to be signed on a day, is signed too early; None when it is not."""
    act = authorising_act(partnership)
    if act is None:
        return None
    signed_on = partnership.signatures[0].signed_on if partnership.signatures else on
    if (act.executory_on is not None and act.executory_on <= signed_on) or signed_on < act.held_on:
        return None  # SIGNED_BEFORE_APPROVAL says the second.
    since = f"elle ne l’est que le {day(act.executory_on)}" if act.executory_on else f"{lacks(act)}, à ce que dit le dossier"
    return (
        f"Signature du {day(signed_on)} : la délibération du {day(act.held_on)} qui l’autorise n’est pas exécutoire à cette date ({since})."
    )


@guard("NOTHING_AMENDED", clears=Role.TRAINING_OFFICER)
def something_is_amended(case: Case) -> str | None:
    """L’avenant change au moins une condition."""
    return "L’avenant ne change aucune condition." if not differences(case.partnership.terms_in_force, amended(case)) else None


@guard("FEES_UNKNOWN", clears=Role.TRAINING_OFFICER)
def fees_are_known_where_they_cap(case: Case) -> str | None:
    """Pour plafonner au tarif de l’université, ses deux tarifs sont connus."""
    terms = amended(case)
    if terms.amount_mode != "capped_at_fee" or None not in (terms.fee_continuing, terms.fee_initial):
        return None
    return "Pour plafonner au tarif de l’université, il faut ses deux tarifs."


@guard("AMENDED_BACKWARDS", clears=Role.TRAINING_OFFICER)
def amendment_looks_forward(case: Case) -> str | None:
    """Un avenant prend effet au plus tôt le jour de sa signature, après le précédent, et pendant l’année universitaire."""
    terms, takes_effect_on, ends_on = case.partnership.terms_in_force, case.request.takes_effect_on, case.request.changes.year_ends_on
    if ends_on is not None and ends_on <= terms.year_starts_on:
        return f"L’année universitaire finirait le {day(ends_on)}, avant d’avoir commencé."
    if takes_effect_on < case.effective_on:
        return f"L’avenant prendrait effet le {day(takes_effect_on)}, avant d’être signé."
    if terms.takes_effect_on <= takes_effect_on <= terms.year_ends_on:
        return None
    period = f"du {day(terms.takes_effect_on)} au {day(terms.year_ends_on)}"
    return f"L’avenant prendrait effet le {day(takes_effect_on)}, hors de la période {period}."
