"""A dossier to walk through: real ledger, real database, requests that are right unless a test changes them."""

from __future__ import annotations

import itertools
import time
from base64 import b32encode
from datetime import UTC, datetime
from typing import Any

from enlisting import TEST_VAULT, Enlisted, enlist_all

from flows.ports.clock import now
from models.answers import Answer, Done
from models.database.store import Store
from models.ledger.history import History
from models.ledger.ledger import Ledger
from models.people.codes import PERIOD, Shown, code_at
from models.people.register import CLOCK, Register
from states.journal.undoing import candidates
from states.lifecycle import STEPS
from states.vocabulary import Role, State

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHA = "0123456789abcdef" * 4
CDG_SIRET, UNIVERSITY_SIRET, OTHER_SIRET = "00000006700017", "00000007500010", "00000008300014"
IBAN, OTHER_IBAN = "FR7630006000011234567890189", "FR1420041010050500013M02606"

PEOPLE = {
    Role.TRAINING_OFFICER: "Tania",
    Role.BOARD_SECRETARY: "Bruno",
    Role.FINANCE_OFFICER: "Farida",
    Role.AUTHORISING_OFFICER: "Omar",
    Role.PUBLIC_ACCOUNTANT: "Paola",
    Role.UNIVERSITY_REFERENT: "Ulysse",
    Role.OPERATOR: "Olga",
    Role.AUDITOR: "Aude",
}
SECRETS = {name: b32encode(name.encode().ljust(20)).decode() for name in PEOPLE.values()}  # of their one-time codes
SEATS = 33
VOTE: dict[str, Any] = {
    "seats": SEATS,
    "present": [f"Membre {number}" for number in range(1, 18)],
    "absent": [f"Membre {number}" for number in range(18, 34)],
    "votes_for": 17,
    "votes_against": 0,
    "abstentions": 0,
}
AGAINST = VOTE | {"votes_for": 0, "votes_against": 17}
CONDITIONS = {"rate": "2000.00", "cap": 20, "department": "62", "academic_year": "2025-2026"}
SIGNATORIES = [
    {"party": "cdg", "name": "R. Dupont", "title": "Président"},
    {"party": "university", "name": "A. Durand", "title": "Présidente"},
]
POINTS = ["audience", "objectives", "course", "steering", "commitments", "finance"]

# One right request for each step of the table.
RIGHT: dict[str, dict[str, Any]] = {
    "open": {
        "opened_on": "2025-10-01",
        "imported": False,
        "parties": {
            "cdg": {"name": "CDG d’essai", "siret": CDG_SIRET, "department": "62"},
            "university": {
                "name": "Université d’essai",
                "siret": UNIVERSITY_SIRET,
                "payee": {"holder": "Agent comptable", "iban": IBAN},
            },
        },
        "terms": {
            "academic_year": "2025-2026",
            "rate": "2000.00",
            "cap": 20,
            "department": "62",
            "quorum_verified": True,
            "payee_cooling_days": 0,  # these tests record everything on one day
        },
    },
    "approve": {"held_on": "2025-10-09", **VOTE},
    "reject": {"held_on": "2025-10-09", **AGAINST},
    "sign": {"signed_on": "2025-11-18", "signatories": SIGNATORIES, "document_sha256": SHA, "points": POINTS},
    "act": {"held_on": "2025-12-09", **VOTE, "conditions": CONDITIONS},
    "start_training": {"starts_on": "2026-01-12", "ends_on": "2026-05-29", "hours": 294},
    "complete_training": {"ended_on": "2026-05-29", "attestation_sha256": SHA},
    "receive_invoice": {
        "number": "F-2026-1",
        "issued_on": "2026-06-15",
        "amount": "2000.00",
        "supplier_siret": UNIVERSITY_SIRET,
        "iban": IBAN,
        "document_sha256": SHA,
    },
    "reject_invoice": {"motive": "Montant erroné", "decided_on": "2026-06-16"},
    "suspend_invoice": {"motive": "Pièce manquante", "decided_on": "2026-06-16"},
    "resume_invoice": {"resumed_on": "2026-06-17"},
    "settle": {"certified_on": "2026-06-22"},
    "order_payment": {"order_number": "M1", "slip_number": "B1", "fiscal_year": 2026, "ordered_on": "2026-06-30"},
    "refuse_payment": {"motive": "Pièce illisible", "decided_on": "2026-07-01"},
    "pay": {"paid_on": "2026-07-10", "amount": "2000.00", "accounting_reference": "C1"},
    "close": {"closed_on": "2026-07-15"},
    "close_nil": {"closed_on": "2026-07-15"},
    "terminate": {"held_on": "2026-02-01", **VOTE, "motive": "Désistement"},
    "retain_trainee": {
        "family_name": "Martin",
        "given_name": "Zoé",
        "born_on": "1990-05-04",
        "rank": 1,
        "insee": "62119",
        "retained_on": "2025-12-15",
    },
    "verify_residence": {"trainee": 1, "insee": "62119", "evidence_kind": "tax_notice", "verified_on": "2026-01-06"},
    "hold_committee": {"held_on": "2026-03-10", "minutes_sha256": SHA},
    "present_result": {"presented_on": "2026-06-12", "document_sha256": SHA},
    "retain_trainees": {
        "trainees": [
            {
                "family_name": family_name,
                "given_name": "Alix",
                "born_on": "1988-02-03",
                "rank": rank,
                "insee": "62041",
                "retained_on": "2025-12-15",
            }
            for rank, family_name in enumerate(("Durand", "Petit"), start=2)
        ]
    },
    "record_dropout": {"trainee": 1, "left_on": "2026-03-01", "hours_done": 100, "reason": "resignation"},
    "undo": {"motive": "Saisie par erreur", "entry": 2, "decided_on": "2026-11-23"},
    "transmit_act": {"transmitted_on": "2025-10-12", "receipt_number": "AR-1"},
    "publish_act": {"published_on": "2025-10-14", "address": "https://cdg.example/actes"},
    "record_appeal": {"act": 1, "by": "third_party", "lodged_on": "2025-12-20"},
    "amend": {
        "signed_on": "2026-02-20",
        "takes_effect_on": "2026-03-01",
        "signatories": SIGNATORIES,
        "document_sha256": SHA,
        "deliberation": {"held_on": "2026-02-10", **VOTE},
        "changes": {"cap": 22},
    },
    "propose_payee": {"holder": "Agent comptable", "iban": OTHER_IBAN, "document_sha256": SHA, "proposed_on": "2026-06-17"},
    "confirm_payee": {"called_on": "2026-06-18", "contact": "Service financier", "iban": OTHER_IBAN, "confirmed_on": "2026-06-19"},
    "reject_payee": {"motive": "Fraude", "decided_on": "2026-06-18"},
    "correct_trainee": {"trainee": 1, "rank": 2, "motive": "Rang mal saisi"},
    "exclude_trainee": {"trainee": 1, "motive": "Résidence inexacte", "excluded_on": "2026-08-31"},
    "verify_quorum_rule": {"verified_on": "2026-01-15", "text": "Décret n° 85-643, version en vigueur"},
    "order_recovery": {"trainee": 1, "motive": "Résidence inexacte", "order_number": "T1", "ordered_on": "2026-09-01"},
    "record_recovery": {"recovered_on": "2026-10-01", "amount": "2000.00", "accounting_reference": "R1"},
    "delegate": {"role": "training_officer", "to": "Bruno", "starts_on": "2026-01-01", "ends_on": "2026-12-31"},
    "attach": {"title": "Note", "sha256": SHA, "attached_on": "2026-01-01"},
    "review_findings": {},
}
EXECUTORY = ["transmit_act", "publish_act"]
# What is made executory once the signature is acted: the second deliberation.
LATER = {"transmit_act": {"transmitted_on": "2025-12-12"}, "publish_act": {"published_on": "2025-12-16"}}
# The shortest way into each state, as triggers; `retain_trainee` and `verify_residence` make one trainee count.
_TRUNK = ["open", "approve", *EXECUTORY, "sign", "act", *EXECUTORY, "retain_trainee", "verify_residence", "start_training"]
_TRUNK += ["complete_training", "present_result", "receive_invoice", "settle", "order_payment", "pay", "close"]
WAYS: dict[State, list[str]] = {State.UNOPENED: []}
for _place, _trigger in enumerate(_TRUNK, start=1):
    if STEPS[_trigger].dest is not None:
        WAYS[STEPS[_trigger].dest] = _TRUNK[:_place]
    elif WAYS:
        WAYS[list(WAYS)[-1]] = _TRUNK[:_place]  # a recording belongs to the state it is made in
WAYS[State.REJECTED] = ["open", "reject"]
WAYS[State.TERMINATED] = ["open", "approve", "terminate"]
WAYS[State.INVOICE_SUSPENDED] = [*WAYS[State.INVOICED], "suspend_invoice"]


def right(trigger: str, acts: int) -> dict[str, Any]:
    """The right request for a step, in a dossier that holds so many acts."""
    return RIGHT[trigger] | (LATER.get(trigger, {}) if acts > 1 else {})


def role_for(trigger: str) -> Role:
    """The first role that the table lets do it."""
    return STEPS[trigger].by[0]


def right_code(person: str) -> str:
    """The one-time code that somebody's telephone shows now."""
    return code_at(SECRETS[person], now())


_shown: dict[str, int] = {}


def fresh_code(person: str) -> str:
    """A code that was not shown yet: of this period or the next; whoever wants more of them waits, as a person would."""
    period = max(int(now().timestamp()) // PERIOD, _shown.get(person, 0) + 1)
    while period > int(now().timestamp()) // PERIOD + 1:
        time.sleep(0.2)
    _shown[person] = period
    return code_at(SECRETS[person], datetime.fromtimestamp(period * PERIOD, UTC))


class Walk:
    """One dossier on one store, walked by the right people unless told otherwise."""

    _keys = itertools.count(1)

    def __init__(self, store: Store, reference: str = "ESSAI-1") -> None:
        self.store = store
        self.ledger = Ledger(store, vault=TEST_VAULT)
        self.reference = reference
        self.acts = 0
        register = Register(store)
        if not register.everyone():
            enlist_all(store, [Enlisted(name, f"{name.lower()}@essai.example", [role], SECRETS[name]) for role, name in PEOPLE.items()])

    def ask(
        self,
        trigger: str,
        *,
        actor: str | None = None,
        key: str | None = None,
        at: datetime = AT,
        seen: int | None = None,
        shown: Shown | None = None,
        **changes: Any,
    ) -> Answer:
        """Fire `trigger` with the right request, changed by `changes` (a value of None takes the field away)."""
        if trigger == "undo" and "entry" not in changes:
            changes = changes | {"entry": self.last_standing()}
        content = {name: value for name, value in (right(trigger, self.acts) | changes).items() if value is not None}
        if trigger == "open":
            content = {"reference": self.reference} | content
        request = STEPS[trigger].asks.model_validate(content)
        by = actor or (CLOCK if trigger == "review_findings" else PEOPLE[role_for(trigger)])
        key = key or f"test-{next(self._keys)}"
        answer = self.ledger.fire(
            self.reference, trigger, request, actor=by, at=at, key=key, via="test", expected_version=seen, shown=shown
        )
        self.acts += isinstance(answer, Done) and trigger in ("approve", "act", "terminate", "reject", "amend")
        return answer

    def last_standing(self) -> int:
        """The entry that somebody who has just made a mistake would name: the last that may be taken back, the opening if there is none."""
        with self.store.transaction(write=False) as cursor:
            loaded = self.ledger.dossiers.load(cursor, self.reference)
            entries = History(self.store).entries(cursor, loaded.id) if loaded else []
        return next((entry.n for entry in candidates(entries)), 1)

    def do(self, trigger: str, **how: Any) -> Done:
        """Fire and insist that it is done."""
        answer = self.ask(trigger, **how)
        assert isinstance(answer, Done), answer
        return answer

    def until(self, state: State, **opening: Any) -> Walk:
        """Walk the shortest way into `state`; `opening` changes the dossier file."""
        for trigger in WAYS[state]:
            self.do(trigger, **(opening if trigger == "open" else {}))
        return self
