"""The words of the lifecycle: its states, who may act, how much a rule weighs; each with its French label."""

from __future__ import annotations

import re
from collections.abc import Container
from enum import IntEnum, StrEnum
from typing import Self

NAME = "[a-z][a-z0-9_]*"  # of a state or a step: it stands in commands, addresses, diagrams and databases


class UnsoundTable(Exception):
    """States or rows that cannot be the law of anything: why, as one French sentence that names what is wrong."""


class Convention(IntEnum):
    """How far the convention has come. `OVER`: the partnership has ended, well or not."""

    NONE = 0
    APPROVED = 1
    SIGNED = 2
    ACTED = 3
    OVER = 4


class Course(IntEnum):
    """How far the training has come."""

    BEFORE = 0
    UNDER_WAY = 1
    DONE = 2


class Money(IntEnum):
    """How far the money has come: nothing yet, a sum certified (liquidée), ordered (mandatée), paid."""

    FREE = 0
    CERTIFIED = 1
    COMMITTED = 2
    PAID = 3


class State(StrEnum):
    """Where a partnership stands, with how far its convention, its training and its money have come.

    Every group of states is read off these three (`states_where`): a new state belongs where it says, and cannot be forgotten.
    `UNOPENED` is the place before the dossier exists; no row holds it.

    A final state is come to from several places. Of every dossier in it only `Convention.OVER` is true; its course and money say
    which facts may still be recorded there, as far as any of them may have come: `CLOSED` takes those of a dossier that was paid,
    and the rules of these facts ask the dossier whether it was.
    """

    label: str
    convention: Convention
    course: Course
    money: Money

    def __new__(cls, value: str, *declared: object) -> Self:
        state = str.__new__(cls, value)
        state._value_ = value
        if [type(part) for part in declared] == [str, Convention, Course, Money]:
            state.label, state.convention, state.course, state.money = declared  # type: ignore[assignment]
        return state

    UNOPENED = "unopened", "pas encore ouvert", Convention.NONE, Course.BEFORE, Money.FREE
    PROPOSED = "proposed", "proposé", Convention.NONE, Course.BEFORE, Money.FREE
    APPROVED = "approved", "approuvé", Convention.APPROVED, Course.BEFORE, Money.FREE
    SIGNED = "signed", "signé", Convention.SIGNED, Course.BEFORE, Money.FREE
    ACTED = "acted", "acté", Convention.ACTED, Course.BEFORE, Money.FREE
    IN_TRAINING = "in_training", "en formation", Convention.ACTED, Course.UNDER_WAY, Money.FREE
    TRAINED = "trained", "formation terminée", Convention.ACTED, Course.DONE, Money.FREE
    INVOICED = "invoiced", "facturé", Convention.ACTED, Course.DONE, Money.FREE
    SETTLED = "settled", "liquidé", Convention.ACTED, Course.DONE, Money.CERTIFIED
    ORDERED = "ordered", "mandaté", Convention.ACTED, Course.DONE, Money.COMMITTED
    PAID = "paid", "payé", Convention.ACTED, Course.DONE, Money.PAID
    CLOSED = "closed", "clos", Convention.OVER, Course.DONE, Money.PAID
    REJECTED = "rejected", "rejeté", Convention.OVER, Course.BEFORE, Money.FREE
    TERMINATED = "terminated", "résilié", Convention.OVER, Course.BEFORE, Money.FREE
    INVOICE_SUSPENDED = "invoice_suspended", "facture suspendue", Convention.ACTED, Course.DONE, Money.FREE

    @property
    def is_final(self) -> bool:
        """Whether nobody has to do anything any more."""
        return self.convention is Convention.OVER


for _name, _state in State.__members__.items():
    if _name != _state.name:  # Python would take the second for another name of the first
        raise UnsoundTable(f"Les états {_state.name} et {_name} ont la même valeur, '{_state.value}'.")
    if not re.fullmatch(NAME, _state.value):
        raise UnsoundTable(f"L’état '{_state.value}' : sa valeur s’écrit en minuscules sans accent, chiffres et « _ » (in_training).")
    if not hasattr(_state, "money"):
        raise UnsoundTable(f"L’état '{_state.value}' ne déclare pas son libellé, et où en sont sa convention, sa formation et son argent.")
    if not _state.label.strip():
        raise UnsoundTable(f"L’état '{_state.value}' n’a pas de libellé.")


def states_where(
    convention: Container[Convention], course: Container[Course] = tuple(Course), money: Container[Money] = tuple(Money)
) -> tuple[State, ...]:
    """The states in which the three stand so, in the order of the enumeration."""
    return tuple(state for state in State if state.convention in convention and state.course in course and state.money in money)


OPENED = tuple(state for state in State if state is not State.UNOPENED)
# The convention binds the centre from its signature until the money is paid; nothing is owed before, or after another end.
ENGAGING = states_where((Convention.SIGNED, Convention.ACTED), money=(Money.FREE, Money.CERTIFIED, Money.COMMITTED))


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
for _name, _role in Role.__members__.items():
    if _name != _role.name:
        raise UnsoundTable(f"Les rôles {_role.name} et {_name} ont la même valeur, '{_role.value}'.")
    if not ROLE_LABELS.get(_role, "").strip():
        raise UnsoundTable(f"Le rôle '{_role.value}' n’a pas de libellé (ROLE_LABELS).")


class Severity(StrEnum):
    """`BLOCK` refuses the step; `WARN` lets it pass and leaves a finding; `IGNORE` says nothing."""

    BLOCK = "block"
    WARN = "warn"
    IGNORE = "ignore"
