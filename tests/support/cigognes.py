"""Another centre, invented, with terms of its own: its people, its dossier, its steps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from states.vocabulary import Role

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
REFERENCE = "CDG-DES-CIGOGNES-2025"
CENTRE_SIRET, UNIVERSITY_SIRET = "00000091900019", "00000093500015"
FIRST_IBAN, SECOND_IBAN = "FR7610278030000002012340151", "FR7630087330000001020304521"
SHA = {name: f"{number:x}" * 64 for number, name in enumerate(("convention", "facture", "résultat", "attestation", "RIB"), start=1)}
PEOPLE = {
    Role.TRAINING_OFFICER: "Thea",
    Role.BOARD_SECRETARY: "Sven",
    Role.FINANCE_OFFICER: "Frida",
    Role.AUTHORISING_OFFICER: "Otto",
    Role.PUBLIC_ACCOUNTANT: "Cleo",
}
DOSSIER: dict[str, Any] = {
    "reference": REFERENCE,
    "opened_on": "2025-09-15",
    "parties": {
        "cdg": {"name": "Centre de gestion des Cigognes", "siret": CENTRE_SIRET, "department": "68", "calendar": "alsace-moselle"},
        "university": {
            "name": "Université des Cigognes",
            "siret": UNIVERSITY_SIRET,
            "payee": {"holder": "Agent comptable des Cigognes", "iban": FIRST_IBAN},
        },
    },
    "terms": {
        "academic_year": "2025-2026",
        "rate": "1500.00",
        "cap": 12,
        "department": "68",
        "amount_mode": "capped_at_fee",
        "fees": {"continuing": "1400.00", "initial": "900.00"},
        "dropout_policy": "prorata",
        "quorum_rule": "half_plus_one",
        "proxies_count": True,
        "nature": "service",
        "payment_days": 45,
        "payee_cooling_days": 0,
    },
}
# Of 20 seats, half plus one is 11: nine members are there, and carry two proxies.
BOARD = [f"Élu {number}" for number in range(1, 21)]
SESSION = {
    "seats": 20,
    "present": BOARD[:9],
    "absent": BOARD[9:],
    "proxies": [{"giver": BOARD[9], "holder": BOARD[0]}, {"giver": BOARD[10], "holder": BOARD[1]}],
    "votes_for": 10,
    "votes_against": 1,
}
SIGNED = {
    "signed_on": "2025-11-03",
    "signatories": [
        {"party": "cdg", "name": "É. Klein", "title": "Président"},
        {"party": "university", "name": "M. Roth", "title": "Vice-présidente"},
    ],
    "document_sha256": SHA["convention"],
    "points": ["audience", "objectives", "course", "steering", "commitments", "finance"],
}
CONDITIONS = {"rate": "1500.00", "cap": 12, "department": "68", "academic_year": "2025-2026"}
# Ranks 1 to 8 are paid for in continuing training, the others in initial training. The ninth lives in another department.
HOMES = ["68224"] * 8 + ["67482"] + ["68066"] * 6
TRAINEES = [
    {
        "family_name": f"Storch-{rank}",
        "given_name": "Lise",
        "born_on": "1992-02-29",
        "rank": rank,
        "fee_regime": "continuing" if rank <= 8 else "initial",
        "insee": insee,
        "retained_on": "2026-01-30",
    }
    for rank, insee in enumerate(HOMES, start=1)
]
BEFORE_THE_MONEY: list[tuple[str, dict[str, Any]]] = [
    ("open", DOSSIER),
    ("approve", {"held_on": "2025-09-25", **SESSION}),
    ("transmit_act", {"transmitted_on": "2025-09-29", "receipt_number": "AR-68-1"}),
    ("publish_act", {"published_on": "2025-09-30", "address": "https://cigognes.example/actes/1"}),
    ("sign", SIGNED),
    ("act", {"held_on": "2026-01-29", **SESSION, "conditions": CONDITIONS}),
    ("transmit_act", {"transmitted_on": "2026-01-30", "receipt_number": "AR-68-2"}),
    ("publish_act", {"published_on": "2026-02-02", "address": "https://cigognes.example/actes/2"}),
    ("retain_trainees", {"trainees": TRAINEES}),
    *(
        ("verify_residence", {"trainee": number, "insee": insee, "evidence_kind": "utility_bill", "verified_on": "2026-02-03"})
        for number, insee in enumerate(HOMES, start=1)
    ),
    ("record_dropout", {"trainee": 10, "left_on": "2026-02-06", "reason": "employer"}),  # before the start
    ("start_training", {"starts_on": "2026-02-09", "ends_on": "2026-06-26", "hours": 200}),
    ("record_dropout", {"trainee": 3, "left_on": "2026-04-20", "hours_done": 75, "reason": "resignation"}),
    ("complete_training", {"ended_on": "2026-06-26", "attestation_sha256": SHA["attestation"]}),
    ("present_result", {"presented_on": "2026-07-02", "document_sha256": SHA["résultat"]}),
]
# Eight in continuing training at 1,400, but one of them for 75 of 200 hours; four in initial training at 900: the cap of 12 is
# reached, and the fifteenth waits. 7 x 1,400 + 1,400 x 75 / 200 + 4 x 900 = 9,800 + 525 + 3,600.
DUE = "13925.00"
MONEY: list[tuple[str, dict[str, Any]]] = [
    ("propose_payee", {"holder": "Agence comptable", "iban": SECOND_IBAN, "document_sha256": SHA["RIB"], "proposed_on": "2026-07-02"}),
    (
        "confirm_payee",
        {"called_on": "2026-07-03", "contact": "Agence comptable", "iban": SECOND_IBAN, "confirmed_on": "2026-07-06", "as": "Otto"},
    ),
    (
        "receive_invoice",
        {
            "number": "2026/68",
            "issued_on": "2026-07-06",
            "amount": DUE,
            "supplier_siret": UNIVERSITY_SIRET,
            "iban": SECOND_IBAN,
            "document_sha256": SHA["facture"],
        },
    ),
    ("settle", {"certified_on": "2026-07-08"}),
    ("order_payment", {"order_number": "68-1", "slip_number": "68", "fiscal_year": 2026, "ordered_on": "2026-07-15"}),
    ("pay", {"paid_on": "2026-07-20", "amount": DUE, "accounting_reference": "C-68"}),
    ("close", {"closed_on": "2026-07-31"}),
]
