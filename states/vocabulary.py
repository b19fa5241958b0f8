"""The words of the lifecycle: its states, who may act, how much a rule weighs; each with its French label."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a partnership stands. `UNOPENED` is the place before the dossier exists; no row holds it."""

    UNOPENED = "unopened"
    PROPOSED = "proposed"
    APPROVED = "approved"
    SIGNED = "signed"
    ACTED = "acted"
    IN_TRAINING = "in_training"
    TRAINED = "trained"
    INVOICED = "invoiced"
    SETTLED = "settled"
    ORDERED = "ordered"
    PAID = "paid"
    CLOSED = "closed"
    REJECTED = "rejected"
    TERMINATED = "terminated"
    INVOICE_SUSPENDED = "invoice_suspended"

    @property
    def label(self) -> str:
        return STATE_LABELS[self]


STATE_LABELS = {
    State.UNOPENED: "pas encore ouvert",
    State.PROPOSED: "proposé",
    State.APPROVED: "approuvé",
    State.SIGNED: "signé",
    State.ACTED: "acté",
    State.IN_TRAINING: "en formation",
    State.TRAINED: "formation terminée",
    State.INVOICED: "facturé",
    State.SETTLED: "liquidé",
    State.ORDERED: "mandaté",
    State.PAID: "payé",
    State.CLOSED: "clos",
    State.REJECTED: "rejeté",
    State.TERMINATED: "résilié",
    State.INVOICE_SUSPENDED: "facture suspendue",
}
FINAL_STATES = frozenset({State.CLOSED, State.REJECTED, State.TERMINATED})
OPENED = tuple(state for state in State if state is not State.UNOPENED)


class Role(StrEnum):
    """What a person of the register may be. `CLOCK` is jalon itself, acting by date."""

    TRAINING_OFFICER = "training_officer"
    BOARD_SECRETARY = "board_secretary"
    FINANCE_OFFICER = "finance_officer"
    AUTHORISING_OFFICER = "authorising_officer"
    PUBLIC_ACCOUNTANT = "public_accountant"
    UNIVERSITY_REFERENT = "university_referent"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    CLOCK = "clock"

    @property
    def label(self) -> str:
        return ROLE_LABELS[self]


ROLE_LABELS = {
    Role.TRAINING_OFFICER: "responsable formation",
    Role.BOARD_SECRETARY: "secrétariat du conseil",
    Role.FINANCE_OFFICER: "responsable finances",
    Role.AUTHORISING_OFFICER: "ordonnateur",
    Role.PUBLIC_ACCOUNTANT: "comptable public",
    Role.UNIVERSITY_REFERENT: "référent de l’université",
    Role.OPERATOR: "exploitant",
    Role.AUDITOR: "auditeur",
    Role.CLOCK: "horloge",
}


class Severity(StrEnum):
    """`BLOCK` refuses the step; `WARN` lets it pass and leaves a finding; `IGNORE` says nothing."""

    BLOCK = "block"
    WARN = "warn"
    IGNORE = "ignore"
