"""What the law says in figures and where it says it: data with a reference, shown by `why`, the findings and the documents.

`verified` tells whether somebody has read the text itself; a figure whose text was not read is still only a setting.
"""

from __future__ import annotations

from typing import NamedTuple

# The number of the law in force: it stands in every entry that is decided. It goes up by one when what a step demands, decides or
# writes changes; `tests/law/test_fingerprints.py` knows when that is so, and says what to do. See docs/decisions/018-law-numbers.md.
FIRST_LAW, LAW = 1, 1


class Source(NamedTuple):
    """Where a rule comes from. `verified` says whether somebody has read the text itself."""

    reference: str
    verified: bool

    def __str__(self) -> str:
        return self.reference if self.verified else f"{self.reference} (texte non vérifié)"


class Figure(NamedTuple):
    """A number that a text sets: what it counts, in French, and the text."""

    value: int
    meaning: str
    source: Source


CONVENTION = Source("Convention de partenariat", verified=True)
HOUSE = Source("Règle de tenue des dossiers de jalon", verified=True)

QUORUM_DECREE = Source("Décret n° 85-643 du 26 juin 1985, quorum du conseil d’administration", verified=False)
MAJORITY = Source("Majorité des suffrages exprimés, règle générale des assemblées", verified=False)
EXECUTORY = Source("CGCT art. L2131-1 : un acte est exécutoire une fois publié et transmis au préfet", verified=True)
SIGNING = Source(
    "CE, avis du 10 juin 1996 et CE, 28 décembre 2009, n° 304802 : signer avant l’acte exécutoire est irrégulier", verified=True
)
APPEAL = Source("Code de justice administrative, art. R421-1 : recours des tiers", verified=False)
DEFERRAL = Source("CGCT art. L2131-6 : déféré préfectoral", verified=False)
SILENCE = Source("Code des relations entre le public et l’administration, art. L231-4 : silence valant rejet", verified=False)

SEPARATION = Source("Séparation de l’ordonnateur et du comptable, décret n° 2012-1246 du 7 novembre 2012, art. 9", verified=False)
PRESCRIPTION = Source("Prescription quadriennale, loi n° 68-1250 du 31 décembre 1968, art. 1er", verified=True)
YEARLY = Source("Annualité budgétaire et journée complémentaire, CGCT art. L1612-11", verified=False)
PAYEE = Source("Compte fixé par la convention ; un changement d’IBAN demande deux personnes", verified=True)
RECOVERY = Source("CRPA art. L242-2, 2° : une subvention dont les conditions ne sont pas respectées peut être retirée", verified=True)
COMMUNES = Source("Code officiel géographique de l’INSEE", verified=True)

APPEAL_MONTHS = Figure(2, "mois francs pour le recours des tiers, à compter de la publication", APPEAL)
DEFERRAL_MONTHS = Figure(2, "mois francs pour le déféré préfectoral, à compter de la transmission", DEFERRAL)
SILENCE_MONTHS = Figure(2, "mois de silence qui valent rejet d’un recours gracieux", SILENCE)
PRESCRIPTION_YEARS = Figure(4, "années pleines après celle du droit, avant la prescription", PRESCRIPTION)
EXTRA_MONTHS = Figure(1, "mois de journée complémentaire après l’exercice", YEARLY)
PLAUSIBLE_YEARS = Figure(2, "ans avant l’année universitaire, en deçà desquels une date est tenue pour une faute de frappe", HOUSE)
FIGURES = (APPEAL_MONTHS, DEFERRAL_MONTHS, SILENCE_MONTHS, PRESCRIPTION_YEARS, EXTRA_MONTHS, PLAUSIBLE_YEARS)
