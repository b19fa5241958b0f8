"""The law of a partnership, once: one row per step. Every other view of it is computed from here.

A row with no `dest` is a recording: it adds facts and leaves the state where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from states import board_rules as board
from states import money_rules as money
from states import records, requests
from states import training_rules as training
from states.delays import From, Within
from states.facts import FINAL_STATES, Partnership, Role, State
from states.guard import Case, Guard

S, R = State, Role


class Step(NamedTuple):
    """One row: from which states, to which, by whom, what it asks, what refuses it, who is told, by when."""

    trigger: str
    source: tuple[State, ...]
    dest: State | None
    by: tuple[Role, ...]
    label: str
    asks: type[requests.Request]
    guards: tuple[Guard, ...] = ()
    records: Callable[[Case], Partnership] = records.nothing
    tells: tuple[Role, ...] = ()
    within: Within | None = None

    @property
    def is_recording(self) -> bool:
        return self.dest is None


OF_EVERY_STEP: tuple[Guard, ...] = (training.fact_has_happened,)
VOTE = (board.roll_call_is_known, board.quorum_is_met, board.vote_is_adopted)
SELECTION = (S.APPROVED, S.SIGNED, S.ACTED, S.IN_TRAINING)
BEFORE_SETTLEMENT = (*SELECTION, S.TRAINED, S.INVOICED, S.INVOICE_SUSPENDED)
AFTER_TRAINING = (S.TRAINED, S.INVOICED, S.INVOICE_SUSPENDED, S.SETTLED, S.ORDERED, S.PAID)
OPENED = tuple(state for state in S if state is not S.UNOPENED)

ROWS: tuple[Step, ...] = (
    Step("open", (S.UNOPENED,), S.PROPOSED, (R.TRAINING_OFFICER, R.BOARD_SECRETARY), "Ouvrir le dossier", requests.DossierFile,
         (), records.dossier, (R.BOARD_SECRETARY,)),
    Step("approve", (S.PROPOSED,), S.APPROVED, (R.BOARD_SECRETARY,), "Approuver le partenariat", requests.Deliberation,
         VOTE, records.deliberation, (R.TRAINING_OFFICER,), Within(60)),
    Step("reject", (S.PROPOSED,), S.REJECTED, (R.BOARD_SECRETARY,), "Rejeter le partenariat", requests.Deliberation,
         (board.roll_call_is_known, board.quorum_is_met, board.vote_is_rejected), records.deliberation, (R.TRAINING_OFFICER,)),
    Step("sign", (S.APPROVED,), S.SIGNED, (R.TRAINING_OFFICER,), "Signer la convention", requests.SignatureAsked,
         (board.both_parties_have_signed, board.six_points_are_there, board.signature_follows_approval),
         records.signature, (R.BOARD_SECRETARY, R.UNIVERSITY_REFERENT), Within(60)),
    Step("act", (S.SIGNED,), S.ACTED, (R.BOARD_SECRETARY,), "Acter la signature", requests.ConditionsValidated,
         (*VOTE, board.conditions_are_those_of_the_convention, board.act_follows_signature),
         records.deliberation, (R.TRAINING_OFFICER, R.FINANCE_OFFICER), Within(60)),
    Step("start_training", (S.ACTED,), S.IN_TRAINING, (R.TRAINING_OFFICER,), "Ouvrir la formation", requests.Opening,
         (training.training_is_within_the_year, training.someone_is_retained, training.step_follows_the_previous),
         records.opening, (R.FINANCE_OFFICER,), Within(0, From.YEAR_END)),
    Step("complete_training", (S.IN_TRAINING,), S.TRAINED, (R.TRAINING_OFFICER,), "Constater la fin de la formation", requests.Completion,
         (training.training_has_ended,), records.completion, (R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT),
         Within(15, From.TRAINING_END)),
    Step("receive_invoice", (S.TRAINED,), S.INVOICED, (R.FINANCE_OFFICER, R.CLOCK), "Recevoir la facture", requests.InvoiceReceived,
         (money.paper_is_an_invoice, money.currency_is_euro, money.supplier_is_the_university, money.iban_is_that_of_the_convention,
          money.invoice_follows_the_training, money.invoice_is_new, money.amount_is_not_nil, money.amount_is_within_entitlement),
         records.invoice, (R.FINANCE_OFFICER, R.TRAINING_OFFICER), Within(90)),
    Step("reject_invoice", (S.INVOICED, S.INVOICE_SUSPENDED), S.TRAINED, (R.FINANCE_OFFICER,), "Rejeter la facture", requests.Motive,
         (money.motive_is_given, training.step_follows_the_previous), records.invoice_rejected, (R.UNIVERSITY_REFERENT,)),
    Step("suspend_invoice", (S.INVOICED,), S.INVOICE_SUSPENDED, (R.FINANCE_OFFICER,), "Suspendre la facture", requests.Motive,
         (money.motive_is_given, training.step_follows_the_previous), records.invoice_suspended, (R.UNIVERSITY_REFERENT,)),
    Step("resume_invoice", (S.INVOICE_SUSPENDED,), S.INVOICED, (R.FINANCE_OFFICER,), "Reprendre la facture", requests.Resumption,
         (training.step_follows_the_previous,), records.invoice_resumed, (R.UNIVERSITY_REFERENT,), Within(30)),
    Step("settle", (S.INVOICED,), S.SETTLED, (R.FINANCE_OFFICER,), "Certifier le service fait et liquider", requests.Certification,
         (money.residences_are_verified, money.ranks_decide_at_the_cap, money.result_is_presented,
          money.invoice_is_still_within_entitlement, training.step_follows_the_previous),
         records.settlement, (R.AUTHORISING_OFFICER,), Within(15)),
    Step("order_payment", (S.SETTLED,), S.ORDERED, (R.AUTHORISING_OFFICER,), "Mandater la subvention", requests.PaymentOrder,
         (money.right_is_not_prescribed, money.fiscal_year_is_that_of_the_order, money.certifier_orderer_and_payer_differ,
          training.step_follows_the_previous),
         records.order, (R.PUBLIC_ACCOUNTANT,), Within(15)),
    Step("refuse_payment", (S.ORDERED,), S.SETTLED, (R.PUBLIC_ACCOUNTANT,), "Refuser le paiement", requests.Motive,
         (money.motive_is_given, training.step_follows_the_previous), records.order_refused, (R.AUTHORISING_OFFICER, R.FINANCE_OFFICER)),
    Step("pay", (S.ORDERED,), S.PAID, (R.PUBLIC_ACCOUNTANT,), "Payer la subvention", requests.Payment,
         (money.payment_is_the_amount_ordered, money.payment_follows_the_order, money.certifier_orderer_and_payer_differ),
         records.payment, (R.FINANCE_OFFICER, R.TRAINING_OFFICER, R.UNIVERSITY_REFERENT), Within(30)),
    Step("close", (S.PAID,), S.CLOSED, (R.TRAINING_OFFICER,), "Clore le dossier", requests.Closing,
         (training.step_follows_the_previous,), tells=(R.FINANCE_OFFICER,), within=Within(30)),
    Step("close_nil", (S.TRAINED,), S.CLOSED, (R.TRAINING_OFFICER,), "Clore sans subvention due", requests.Closing,
         (money.residences_are_verified, money.entitlement_is_nil, training.step_follows_the_previous),
         tells=(R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT)),
    Step("terminate", (S.APPROVED, S.SIGNED, S.ACTED, S.IN_TRAINING), S.TERMINATED, (R.BOARD_SECRETARY,), "Résilier le partenariat",
         requests.Termination, (*VOTE, money.motive_is_given, training.step_follows_the_previous), records.deliberation,
         (R.TRAINING_OFFICER, R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT)),
    Step("retain_trainee", SELECTION, None, (R.TRAINING_OFFICER,), "Retenir un stagiaire", requests.TraineeRetained,
         (training.trainee_is_new, training.birth_precedes_selection), records.trainee),
    Step("verify_residence", BEFORE_SETTLEMENT, None, (R.TRAINING_OFFICER,), "Vérifier la résidence d’un stagiaire",
         requests.ResidenceVerified, (training.trainee_is_of_the_dossier,), records.residence),
    Step("hold_committee", (S.ACTED, S.IN_TRAINING, *AFTER_TRAINING), None, (R.TRAINING_OFFICER,), "Consigner un comité de pilotage",
         requests.CommitteeHeld, (), records.committee),
    Step("present_result", AFTER_TRAINING, None, (R.TRAINING_OFFICER, R.FINANCE_OFFICER), "Consigner le résultat d’exploitation",
         requests.ResultPresented, (), records.result, (R.FINANCE_OFFICER,)),
    Step("attach", OPENED, None, (R.TRAINING_OFFICER, R.BOARD_SECRETARY, R.FINANCE_OFFICER), "Joindre un document",
         requests.Attachment, (), records.attachment),
    Step("review_findings", OPENED, None, (R.CLOCK, R.OPERATOR), "Revoir les constats", requests.Review),
)  # fmt: skip

STEPS: dict[str, Step] = {row.trigger: row for row in ROWS}
GUARDS: dict[str, Guard] = {one.code: one for row in ROWS for one in (*OF_EVERY_STEP, *row.guards)}


def steps_from(state: State) -> tuple[Step, ...]:
    """The steps that the table allows from `state`, in the table's order."""
    return tuple(row for row in ROWS if state in row.source)


def waits(state: State) -> bool:
    """Whether somebody still has to do something in this state."""
    return state not in FINAL_STATES
