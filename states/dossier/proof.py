"""Whether the person who asks is the one of the name: what became of a one-time code, and the rule that demands it."""

from __future__ import annotations

from enum import StrEnum

from states.grammar.case import Case
from states.grammar.guard import Needs, guard
from states.values.law import HOUSE


class Proof(StrEnum):
    """What became of the one-time code that was asked for."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    USED = "used"
    LATE = "late"
    BLOCKED = "blocked"
    NOT_ENROLLED = "not_enrolled"


SENTENCES = {
    Proof.MISSING: "Il manque le code à usage unique ({name}).",
    Proof.WRONG: "Ce code n’est pas le bon pour {name} à cet instant.",
    Proof.USED: "Ce code a déjà servi, ou un plus récent depuis : attendez le suivant (30 secondes au plus).",
    Proof.LATE: "Cette demande a attendu plus de quinze minutes : refaites-la, avec un nouveau code.",
    Proof.BLOCKED: "Trop de codes faux pour {name} : l’exploitant doit lui en donner un nouveau (jalon people enrol).",
    Proof.NOT_ENROLLED: "{name} n’a pas encore de code : l’exploitant lui en donne un (jalon people enrol).",
}


@guard("PERSON_UNPROVED", needs=Needs.ACTOR, clears="la personne elle-même, avec le code qui s’affiche maintenant", source=HOUSE)
def person_is_proved(case: Case) -> str | None:
    """La personne prouve qui elle est par un code à usage unique, dans tout formulaire et pour toute étape qui touche à l’argent."""
    proof = case.lookups.proof
    if proof is None or proof == Proof.RIGHT or case.actor is None:
        return None
    return SENTENCES[Proof(proof)].format(name=case.actor.name)
