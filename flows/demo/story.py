"""The demo's story, as data: what the resolution of 9 December 2025 says, then a labelled exercise with fictional people.

Source of the first part: the public resolution of the board of CDG 62 of 9 December 2025. What the source
does not say is left unknown, never invented; SIRET and IBAN are those of an exercise.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from states.vocabulary import Role

REFERENCE = "CDG62-ARTOIS-DUSGM-2025"

PEOPLE: dict[Role, str] = {
    Role.TRAINING_OFFICER: "Camille Fontaine",
    Role.BOARD_SECRETARY: "Sacha Lemoine",
    Role.FINANCE_OFFICER: "Andréa Moreau",
    Role.AUTHORISING_OFFICER: "Maxime Roussel",
    Role.PUBLIC_ACCOUNTANT: "Claude Girard",
    Role.UNIVERSITY_REFERENT: "Lou Perrin",
}

CDG_SIRET, UNIVERSITY_SIRET = "00000006700017", "00000007500010"
EXERCISE_IBAN = "FR7630006000011234567890189"

DOSSIER: dict[str, object] = {
    "reference": REFERENCE,
    "opened_on": "2025-10-09",
    "imported": True,
    "parties": {
        "cdg": {"name": "Centre de gestion du Pas-de-Calais (CDG 62)", "siret": CDG_SIRET, "department": "62"},
        "university": {
            "name": "Université d’Artois",
            "siret": UNIVERSITY_SIRET,
            "payee": {"holder": "Agent comptable de l’Université d’Artois", "iban": EXERCISE_IBAN},
        },
    },
    "terms": {
        "academic_year": "2025-2026",
        "rate": "2000.00",
        "cap": 20,
        "department": "62",
        "amount_mode": "flat",
        "quorum_rule": "majority",
        "result_policy": "block",
    },
}

PRESENT = [
    "M. Jean-Pierre SANSEN, Maire de RUITZ",
    "M. Nicolas PICHONNIER, Maire de RIMBOVAL",
    "M. Jacques BACQUET, Maire de QUERCAMPS",
    "Mme Véronique DUMONT-DESEIGNE, Adjointe au Maire de MARCK",
    "M. Bruno HUMETZ, Adjoint au Maire de SAINT-OMER",
    "M. Jean-Luc FAY, Maire de BONNIERES",
    "M. René HOCQ, Maire de BURBURE",
    "M. André GOUDALLE, Maire de WIRWIGNES",
    "Mme Nadine LEFEBVRE, Maire de BEUVRY",
    "M. Alain DUBREUCQ, Maire de SAINS-EN-GOHELLE",
    "M. Maurice LECONTE, Maire de HOUCHIN",
    "Mme Marie-Thérèse ROJEWSKI, Adjointe au Maire de HOUDAIN",
    "M. Ludovic IDZIAK, Maire de CALONNE-RICOUART",
    "Mme Isabelle LEMAIRE, Conseillère communautaire de la Communauté d’Agglomération du Pays de Saint-Omer",
    "M. Francis CORDONNIER, Adjoint au Maire de BETHUNE",
    "Mme Florence WOZNY, Conseillère Départementale",
    "M. André KUCHCINSKI, Conseiller Départemental",
]
ABSENT = [
    "M. Jean-Michel LEGRAND, Maire de AUCHY-LES-MINES",
    "Mme Fabienne DUPUIS, Maire de OIGNIES",
    "M. Marc BOUTROY, Maire de ESCALLES",
    "Mme Denise TETELIN, Maire de VILLERS-CHATEL",
    "M. Didier BOMY, Adjoint au Maire de CUCQ",
    "M. Cédric DELMOTTE, Maire de BOIRY-SAINT-MARTIN",
    "M. Julien DELANNOY, Maire de WAVRANS-SUR-L’AA",
    "M. Michel DASSONVAL, Adjoint au Maire de LILLERS",
    "M. Dominique DELATTRE, Vice-Président du Syndicat Mixte Artois Valorisation",
    "M. Dominique DELECOURT, Délégué du Comité syndical du SIVOM de l’Artois",
    "M. Ernest AUCHART, Conseiller communautaire de la Communauté de Communes des Campagnes de l’Artois",
    "M. Guillaume LEBLOND, Conseiller municipal de BOULOGNE-SUR-MER",
    "M. Patrice CAMBRAYE, Adjoint au Maire de Calais",
    "M. Hakim ELAZOUZI, Administrateur au CCAS de BETHUNE",
    "Mme Fabienne DUTERTE, Administratrice au CCAS de BOULOGNE-SUR-MER",
    "M. Alexandre MALFAIT, Conseiller Départemental",
]


class Scene(NamedTuple):
    """One step of the story: who asks for what. `refused` lists the codes that the step is expected to meet."""

    trigger: str
    role: Role
    request: Mapping[str, object]
    remark: str = ""
    refused: tuple[str, ...] = ()


def stand_in(what: str) -> str:
    """The fingerprint of a paper that the source does not hold: that of a sentence which says so."""
    return hashlib.sha256(f"Exercice : {what}, pièce absente de la source.".encode()).hexdigest()


PAST = (
    Scene("open", Role.TRAINING_OFFICER, DOSSIER),
    Scene("approve", Role.BOARD_SECRETARY, {"held_on": "2025-10-09", "kind": "principle"}, "l’appel nominal n’est pas dans la source"),
    Scene(
        "sign",
        Role.TRAINING_OFFICER,
        {
            "signed_on": "2025-11-18",
            "signatories": [
                {"party": "cdg", "name": "M. René HOCQ", "title": "Président du CDG 62"},
                {"party": "university", "name": "(nom absent de la source)", "title": "Présidente de l’Université d’Artois"},
            ],
            "document_sha256": stand_in("convention signée le 18 novembre 2025"),
            "points": ["audience", "objectives", "course", "steering", "commitments", "finance"],
        },
    ),
    Scene(
        "act",
        Role.BOARD_SECRETARY,
        {
            "held_on": "2025-12-09",
            "kind": "ratification",
            "seats": len(PRESENT) + len(ABSENT),
            "present": PRESENT,
            "absent": ABSENT,
            "chair": "M. René HOCQ, Président du CDG 62",
            "secretary": "M. Francis CORDONNIER, Adjoint au Maire de BETHUNE",
            "votes_for": len(PRESENT),
            "votes_against": 0,
            "abstentions": 0,
            "conditions": {"rate": "2000.00", "cap": 20, "department": "62", "academic_year": "2025-2026"},
        },
        "17 présents, 16 absents ou excusés, unanimité",
    ),
)

# Twenty-three fictional trainees in the order of their ranks; the communes are real, two of them outside the department.
NAMES = (
    "Abeille Aline", "Bouleau Basile", "Cerise Clara", "Dauphin Denis", "Églantine Élise", "Fougère Fabrice", "Genêt Gaëlle", "Houx Hugo",
    "Iris Inès", "Jonquille Jules", "Kiwi Karima", "Laurier Léon", "Muguet Maud", "Noyer Noé", "Orme Olga", "Peuplier Paul",
    "Quince Quitterie", "Roseau Rémi", "Sureau Sonia", "Tilleul Théo", "Ulmaire Ursule", "Verveine Victor", "Yucca Yasmine",
)  # fmt: skip
COMMUNES = (
    "62119", "62041", "62498", "62765", "62160", "62193", "59350", "62178", "62427", "62510", "62119", "62041",
    "62498", "62765", "80021", "62160", "62193", "62178", "62427", "62510", "62119", "62041", "62498",
)  # fmt: skip


def trainees() -> list[dict[str, object]]:
    """The requests that retain the trainees of the exercise."""
    return [
        {
            "family_name": name.split()[0],
            "given_name": name.split()[1],
            "born_on": f"{1975 + rank}-03-{rank:02}",
            "rank": rank,
            "fee_regime": "continuing",
            "insee": insee,
            "retained_on": "2025-12-15",
        }
        for rank, (name, insee) in enumerate(zip(NAMES, COMMUNES, strict=True), start=1)
    ]


def residences() -> list[dict[str, object]]:
    """The requests that verify where they live."""
    return [
        {"trainee": number, "insee": insee, "evidence_kind": "tax_notice", "verified_on": "2026-01-06"}
        for number, insee in enumerate(COMMUNES, start=1)
    ]


def _invoice(number: str, issued_on: str, amount: str) -> dict[str, object]:
    return {
        "number": number,
        "issued_on": issued_on,
        "amount": amount,
        "currency": "EUR",
        "supplier_siret": UNIVERSITY_SIRET,
        "iban": EXERCISE_IBAN,
        "document_sha256": stand_in(f"facture {number}"),
    }


ORDER = {"order_number": "EX-M-2026-0412", "slip_number": "EX-B-2026-031", "fiscal_year": 2026, "ordered_on": "2026-06-30"}
PAYMENT = {"paid_on": "2026-07-10", "amount": "40000.00", "accounting_reference": "EX-2026-0710"}

TRAINING = (
    Scene("start_training", Role.TRAINING_OFFICER, {"starts_on": "2026-01-12", "ends_on": "2026-05-29", "hours": 294}),
    Scene("hold_committee", Role.TRAINING_OFFICER, {"held_on": "2026-03-10", "minutes_sha256": stand_in("compte rendu du comité")}),
    Scene("complete_training", Role.TRAINING_OFFICER, {"ended_on": "2026-05-29", "attestation_sha256": stand_in("attestation de fin")}),
    Scene("present_result", Role.FINANCE_OFFICER, {"presented_on": "2026-06-12", "document_sha256": stand_in("résultat d’exploitation")}),
)


def secret_of(person: str) -> str:
    """The secret of the one-time codes of a person of the exercise: known to all, and enrolled in the demo's own database only."""
    return base64.b32encode(hashlib.sha256(f"jalon demo {person}".encode()).digest()[:20]).decode()


MONEY = (
    Scene(
        "receive_invoice",
        Role.FINANCE_OFFICER,
        _invoice("EX-2026-101", "2026-05-20", "40000.00"),
        "facture datée d’avant la fin de la formation",
        ("INVOICE_BEFORE_TRAINING_END",),
    ),
    Scene(
        "receive_invoice",
        Role.FINANCE_OFFICER,
        _invoice("EX-2026-102", "2026-06-15", "42000.00"),
        "facture de 42 000 €",
        ("AMOUNT_EXCEEDS_ENTITLEMENT",),
    ),
    Scene("receive_invoice", Role.FINANCE_OFFICER, _invoice("EX-2026-103", "2026-06-15", "40000.00"), "facture de 40 000 €"),
    Scene("settle", Role.FINANCE_OFFICER, {"certified_on": "2026-06-22"}),
    Scene("order_payment", Role.AUTHORISING_OFFICER, ORDER, "délibération ni transmise ni publiée", ("ACT_NOT_EXECUTORY",)),
    Scene(
        "transmit_act",
        Role.BOARD_SECRETARY,
        {"act": 2, "transmitted_on": "2025-12-12", "receipt_number": "EX-AR-2025-1212"},
        "délibération du 9 décembre",
    ),
    Scene(
        "publish_act",
        Role.BOARD_SECRETARY,
        {"act": 2, "published_on": "2025-12-16", "address": "https://cdg.invalid/actes/2025-12-09"},
        "délibération du 9 décembre, exécutoire le 16",
    ),
    Scene("order_payment", Role.AUTHORISING_OFFICER, ORDER),
    Scene("pay", Role.AUTHORISING_OFFICER, PAYMENT, "paiement par la personne qui a mandaté", ("WRONG_ROLE", "SAME_PERSON")),
    Scene("pay", Role.PUBLIC_ACCOUNTANT, PAYMENT),
    Scene("close", Role.TRAINING_OFFICER, {"closed_on": "2026-07-15"}),
)
