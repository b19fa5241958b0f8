"""What a person may choose from: each code that requests keep, with the words that a form shows for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args, get_origin

from states.vocabulary import ROLE_LABELS, Role

POINT_LABELS = {
    "audience": "la présentation de la formation et le public visé",
    "objectives": "les objectifs de la formation",
    "course": "le déroulement de la formation",
    "steering": "le pilotage et le suivi administratif",
    "commitments": "les engagements respectifs",
    "finance": "les dispositions financières",
}
LABELS: dict[str, str] = POINT_LABELS | {
    "cdg": "centre de gestion",
    "university": "université",
    "third_party": "un tiers",
    "prefect": "le préfet",
    "arrives": "arrivée",
    "leaves": "départ",
    "principle": "délibération de principe",
    "authorisation": "autorisation de signer",
    "ratification": "ratification",
    "amendment": "avenant",
    "subsidy": "subvention",
    "service": "prestation de service",
    "invoice": "facture",
    "credit_note": "avoir",
    "continuing": "formation continue",
    "initial": "formation initiale",
    "tax_notice": "avis d’imposition",
    "utility_bill": "facture d’énergie ou d’eau",
    "rent_receipt": "quittance de loyer",
    "employer_statement": "attestation de l’employeur",
    "resignation": "abandon",
    "employer": "retrait par l’employeur",
    "exclusion": "exclusion",
    "other": "autre",
    "majority": "majorité des membres",
    "at_least_half": "la moitié des membres au moins",
    "half_plus_one": "la moitié des membres plus un",
    "none_after_reconvocation": "aucun après une seconde convocation",
    "flat": "forfait",
    "capped_at_fee": "forfait plafonné au tarif de l’université",
    "full": "payé en entier",
    "prorata": "payé selon les heures suivies",
    "none": "rien n’est payé",
    "block": "blocage",
    "warn": "alerte",
    "ignore": "rien",
    **{role.value: ROLE_LABELS[role] for role in Role},
}
CODES = {label: code for code, label in LABELS.items()}


def choices(annotation: object) -> Iterator[str]:
    """The codes that a field may hold, also inside a list or beside None."""
    for inside in get_args(annotation):
        if get_origin(annotation) is Literal:
            yield str(inside)
        else:
            yield from choices(inside)


def coded(value: object, allowed: frozenset[str]) -> object:
    """The code for the words of a form, alone or in a list; anything else as it is."""
    if isinstance(value, list | tuple):
        return [coded(item, allowed) for item in value]
    code = CODES.get(value) if isinstance(value, str) and value not in allowed else None
    return code if code in allowed else value
