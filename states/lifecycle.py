"""The law of a partnership, once: one row per step. Every other view of it is computed from here.

A row with no `dest` is a recording: it adds facts and leaves the state where it is. The one row that goes `back`
takes a named entry back, which only the journal knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from states import board_records, board_requests, money_records, money_requests, proof, records, requests, trainee_records, trainee_requests
from states import board_rules as board
from states import house_rules as house
from states import invoice_rules as invoice
from states import money_rules as money
from states import payee_rules as payee
from states import recovery_rules as recovery
from states import trainee_rules as trainee
from states import training_rules as training
from states.convention import differences
from states.delays import From, Within
from states.facts import Partnership
from states.french import day, euros
from states.guard import Case, Guard
from states.words import FINAL_STATES, Role, State

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
    notes: Callable[[Partnership, Partnership], tuple[str, ...]] | None = None  # what the step changed, told in French
    back: bool = False
    moves_money: bool = False  # a one-time code is asked for on the command line too

    @property
    def is_recording(self) -> bool:
        return self.dest is None and not self.back

    @property
    def of_the_house(self) -> bool:
        """Whether jalon does it by itself, or its operator in its place: nobody who keeps the dossier is asked for it."""
        return set(self.by) == {Role.CLOCK, Role.OPERATOR}

    @property
    def anywhere(self) -> bool:
        """Whether it is done in every state of an open dossier."""
        return self.source == OPENED

    @property
    def can_be_undone(self) -> bool:
        """Whether taking back means this step: an undoing is never undone, and jalon's own reviews are no step of anybody."""
        return not self.back and self.trigger != "review_findings"

    def role_of(self, roles: frozenset[Role]) -> Role | None:
        """The first role of the row that is among `roles`."""
        for role in self.by:
            if role in roles:
                return role
        return None


def terms_changed(before: Partnership, after: Partnership) -> tuple[str, ...]:
    """What an amendment changes, term by term."""
    changed = differences(before.terms_in_force, after.terms_in_force)
    return tuple(f"À partir du {day(after.terms_in_force.takes_effect_on)}, {one}." for one in changed)


def sum_settled(_before: Partnership, after: Partnership) -> tuple[str, ...]:
    """The sum that the calculation and the invoice give."""
    last = after.settlements[-1]
    return (
        f"Somme liquidée : {euros(last.settled)}, pour une facture de {euros(last.invoiced)} et un droit de {euros(last.entitlement)}.",
    )


def sum_ordered(_before: Partnership, after: Partnership) -> tuple[str, ...]:
    """The sum that the public accountant is to pay, and to whom."""
    holder, iban = after.payee
    return (
        f"Somme mandatée : {euros(after.settlements[-1].ordered or after.settlements[-1].settled)}, à payer à {holder}, compte {iban}.",
    )


def sum_to_recover(_before: Partnership, after: Partnership) -> tuple[str, ...]:
    """The sum that the facts give."""
    last = after.recoveries[-1]
    return (f"Somme à récupérer : {euros(last.amount)} (titre {last.order_number}).",)


OF_EVERY_STEP: tuple[Guard, ...] = (proof.person_is_proved, training.fact_has_happened, training.date_is_plausible)
VOTE = (board.roll_call_is_known, board.quorum_is_met, board.vote_is_adopted)
SELECTED = (trainee.trainee_is_new, trainee.birth_precedes_selection, trainee.commune_exists, trainee.commune_is_one)
COUNTED = (trainee.residences_are_verified, trainee.dropout_policy_is_known, trainee.hours_done_are_known, trainee.ranks_decide_at_the_cap)
SELECTION = (S.APPROVED, S.SIGNED, S.ACTED, S.IN_TRAINING)
BEFORE_SETTLEMENT = (*SELECTION, S.TRAINED, S.INVOICED, S.INVOICE_SUSPENDED)
AFTER_TRAINING = (S.TRAINED, S.INVOICED, S.INVOICE_SUSPENDED, S.SETTLED, S.ORDERED, S.PAID)
CONVENTION_IN_FORCE = (S.SIGNED, S.ACTED, S.IN_TRAINING, S.TRAINED, S.INVOICED, S.INVOICE_SUSPENDED)
PAYABLE = (*CONVENTION_IN_FORCE, S.SETTLED)
LENDING = (R.TRAINING_OFFICER, R.BOARD_SECRETARY, R.FINANCE_OFFICER, R.AUTHORISING_OFFICER, R.PUBLIC_ACCOUNTANT)
OPENED = tuple(state for state in S if state is not S.UNOPENED)

ROWS: tuple[Step, ...] = (
    Step("open", (S.UNOPENED,), S.PROPOSED, (R.TRAINING_OFFICER, R.BOARD_SECRETARY), "Ouvrir le dossier", requests.DossierFile,
         (), records.dossier, (R.BOARD_SECRETARY,)),
    Step("approve", (S.PROPOSED,), S.APPROVED, (R.BOARD_SECRETARY,), "Approuver le partenariat", board_requests.Deliberation,
         VOTE, board_records.deliberation, (R.TRAINING_OFFICER,), Within(60)),
    Step("reject", (S.PROPOSED,), S.REJECTED, (R.BOARD_SECRETARY,), "Rejeter le partenariat", board_requests.Deliberation,
         (board.roll_call_is_known, board.quorum_is_met, board.vote_is_rejected), board_records.deliberation, (R.TRAINING_OFFICER,)),
    Step("sign", (S.APPROVED,), S.SIGNED, (R.TRAINING_OFFICER,), "Signer la convention", requests.SignatureAsked,
         (board.both_parties_have_signed, board.six_points_are_there, board.signature_follows_approval,
          board.signature_follows_the_executory_act),
         board_records.signature, (R.BOARD_SECRETARY, R.UNIVERSITY_REFERENT), Within(60)),
    Step("act", (S.SIGNED,), S.ACTED, (R.BOARD_SECRETARY,), "Acter la signature", board_requests.ConditionsValidated,
         (*VOTE, board.conditions_are_those_of_the_convention, board.act_follows_signature),
         board_records.deliberation, (R.TRAINING_OFFICER, R.FINANCE_OFFICER), Within(60)),
    Step("start_training", (S.ACTED,), S.IN_TRAINING, (R.TRAINING_OFFICER,), "Ouvrir la formation", requests.Opening,
         (training.training_is_within_the_year, training.someone_is_retained, training.step_follows_the_previous),
         records.opening, (R.FINANCE_OFFICER,), Within(0, From.YEAR_END)),
    Step("complete_training", (S.IN_TRAINING,), S.TRAINED, (R.TRAINING_OFFICER,), "Constater la fin de la formation", requests.Completion,
         (training.training_has_ended,), records.completion, (R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT),
         Within(15, From.TRAINING_END)),
    Step("receive_invoice", (S.TRAINED,), S.INVOICED, (R.FINANCE_OFFICER, R.CLOCK), "Recevoir la facture", money_requests.InvoiceReceived,
         (invoice.paper_is_an_invoice, invoice.currency_is_euro, invoice.supplier_is_the_university, invoice.iban_is_that_of_the_convention,
          invoice.invoice_follows_the_training, invoice.invoice_is_new, invoice.amount_is_not_nil, invoice.amount_is_within_entitlement),
         money_records.invoice, (R.FINANCE_OFFICER, R.TRAINING_OFFICER), Within(90)),
    Step("reject_invoice", (S.INVOICED, S.INVOICE_SUSPENDED), S.TRAINED, (R.FINANCE_OFFICER,), "Rejeter la facture", money_requests.Motive,
         (money.motive_is_given, training.step_follows_the_previous), money_records.invoice_rejected, (R.UNIVERSITY_REFERENT,)),
    Step("suspend_invoice", (S.INVOICED,), S.INVOICE_SUSPENDED, (R.FINANCE_OFFICER,), "Suspendre la facture", money_requests.Motive,
         (money.motive_is_given, training.step_follows_the_previous), money_records.invoice_suspended, (R.UNIVERSITY_REFERENT,)),
    Step("resume_invoice", (S.INVOICE_SUSPENDED,), S.INVOICED, (R.FINANCE_OFFICER,), "Reprendre la facture", money_requests.Resumption,
         (training.step_follows_the_previous,), money_records.invoice_resumed, (R.UNIVERSITY_REFERENT,), Within(30)),
    Step("settle", (S.INVOICED,), S.SETTLED, (R.FINANCE_OFFICER,), "Certifier le service fait et liquider", money_requests.Certification,
         (*COUNTED, money.result_is_presented, money.invoice_is_still_within_entitlement, training.step_follows_the_previous),
         money_records.settlement, (R.AUTHORISING_OFFICER,), Within(15), sum_settled, moves_money=True),
    Step("order_payment", (S.SETTLED,), S.ORDERED, (R.AUTHORISING_OFFICER,), "Mandater la subvention", money_requests.PaymentOrder,
         (board.acts_are_executory, payee.payee_is_confirmed, money.right_is_not_prescribed, money.fiscal_year_is_that_of_the_order,
          money.certifier_orderer_and_payer_differ, training.step_follows_the_previous),
         money_records.order, (R.PUBLIC_ACCOUNTANT,), Within(15), sum_ordered, moves_money=True),
    Step("refuse_payment", (S.ORDERED,), S.SETTLED, (R.PUBLIC_ACCOUNTANT,), "Refuser le paiement", money_requests.Motive,
         (money.motive_is_given, training.step_follows_the_previous), money_records.order_refused,
         (R.AUTHORISING_OFFICER, R.FINANCE_OFFICER), moves_money=True),
    Step("pay", (S.ORDERED,), S.PAID, (R.PUBLIC_ACCOUNTANT,), "Payer la subvention", money_requests.Payment,
         (money.payment_is_the_amount_ordered, money.payment_follows_the_order, money.certifier_orderer_and_payer_differ),
         money_records.payment, (R.FINANCE_OFFICER, R.TRAINING_OFFICER, R.UNIVERSITY_REFERENT), Within(0, From.PAYMENT_TARGET),
         moves_money=True),
    Step("close", (S.PAID,), S.CLOSED, (R.TRAINING_OFFICER,), "Clore le dossier", requests.Closing,
         (recovery.nothing_is_left_to_recover, training.step_follows_the_previous), tells=(R.FINANCE_OFFICER,), within=Within(30)),
    Step("close_nil", (S.TRAINED,), S.CLOSED, (R.TRAINING_OFFICER,), "Clore sans subvention due", requests.Closing,
         (*COUNTED, money.entitlement_is_nil, training.step_follows_the_previous),
         tells=(R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT)),
    Step("terminate", (S.APPROVED, S.SIGNED, S.ACTED, S.IN_TRAINING), S.TERMINATED, (R.BOARD_SECRETARY,), "Résilier le partenariat",
         board_requests.Termination, (*VOTE, money.motive_is_given, training.step_follows_the_previous), board_records.deliberation,
         (R.TRAINING_OFFICER, R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT)),
    Step("undo", OPENED, None, LENDING, "Annuler une étape ou un fait", requests.Undoing,
         (house.a_step_was_done, house.no_payment_was_ordered, house.nothing_relies_on_it, house.undone_by_who_did_it,
          money.motive_is_given), records.undone,
         back=True),
    Step("transmit_act", OPENED, None, (R.BOARD_SECRETARY,), "Consigner la transmission au préfet", board_requests.Transmission,
         (board.act_is_of_the_dossier, board.act_was_voted_before, board.act_is_not_relied_on), board_records.transmission),
    Step("publish_act", OPENED, None, (R.BOARD_SECRETARY,), "Consigner la publication", board_requests.Publication,
         (board.act_is_of_the_dossier, board.act_was_voted_before, board.act_is_not_relied_on), board_records.publication),
    Step("verify_quorum_rule", OPENED, None, (R.BOARD_SECRETARY,), "Consigner la vérification de la règle de quorum",
         board_requests.QuorumRuleVerified, (), board_records.quorum_rule),
    Step("record_appeal", OPENED, None, (R.BOARD_SECRETARY,), "Consigner un recours gracieux", board_requests.AppealRecorded,
         (board.act_is_of_the_dossier, board.act_was_voted_before, board.answer_has_come), board_records.appeal,
         (R.TRAINING_OFFICER, R.AUTHORISING_OFFICER)),
    Step("amend", CONVENTION_IN_FORCE, None, (R.TRAINING_OFFICER, R.BOARD_SECRETARY), "Signer un avenant", board_requests.Amendment,
         (*VOTE, board.both_parties_have_signed, board.signature_follows_approval, board.something_is_amended,
          board.fees_are_known_where_they_cap, board.amendment_looks_forward),
         board_records.amendment, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER, R.UNIVERSITY_REFERENT), notes=terms_changed),
    Step("retain_trainee", SELECTION, None, (R.TRAINING_OFFICER,), "Retenir un stagiaire", trainee_requests.TraineeRetained,
         SELECTED, trainee_records.trainees),
    Step("retain_trainees", SELECTION, None, (R.TRAINING_OFFICER,), "Retenir des stagiaires", trainee_requests.TraineesRetained,
         SELECTED, trainee_records.trainees),
    Step("verify_residence", BEFORE_SETTLEMENT, None, (R.TRAINING_OFFICER,), "Vérifier la résidence d’un stagiaire",
         trainee_requests.ResidenceVerified,
         (trainee.trainee_is_of_the_dossier, trainee.commune_exists, trainee.commune_is_one,
          trainee.move_follows_selection),
         trainee_records.residence),
    Step("correct_trainee", BEFORE_SETTLEMENT, None, (R.TRAINING_OFFICER,), "Corriger le rang ou le régime d’un stagiaire",
         trainee_requests.TraineeCorrected, (trainee.trainee_is_of_the_dossier, money.motive_is_given), trainee_records.correction),
    Step("record_dropout", BEFORE_SETTLEMENT, None, (R.TRAINING_OFFICER,), "Consigner un abandon", trainee_requests.DropoutRecorded,
         (trainee.trainee_is_of_the_dossier, trainee.dropout_follows_selection, trainee.dropout_precedes_the_end,
          trainee.hours_are_within_the_plan),
         trainee_records.dropout, (R.FINANCE_OFFICER,)),
    Step("hold_committee", (S.ACTED, S.IN_TRAINING, *AFTER_TRAINING), None, (R.TRAINING_OFFICER,), "Consigner un comité de pilotage",
         requests.CommitteeHeld, (), records.committee),
    Step("present_result", AFTER_TRAINING, None, (R.TRAINING_OFFICER, R.FINANCE_OFFICER), "Consigner le résultat d’exploitation",
         requests.ResultPresented, (training.result_follows_the_training,), records.result, (R.FINANCE_OFFICER,)),
    Step("propose_payee", PAYABLE, None, (R.FINANCE_OFFICER, R.TRAINING_OFFICER), "Proposer un changement de compte",
         money_requests.PayeeProposed, (payee.no_other_payee_is_proposed,), money_records.payee_proposed,
         (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER), moves_money=True),
    Step("confirm_payee", PAYABLE, None, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER, R.PUBLIC_ACCOUNTANT),
         "Confirmer un changement de compte", money_requests.PayeeConfirmed,
         (payee.a_payee_is_proposed, payee.another_person_confirms, payee.confirmed_iban_is_the_one_proposed,
          payee.call_back_follows_the_proposal, payee.cooling_off_is_over),
         money_records.payee_confirmed, (R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT), moves_money=True),
    Step("reject_payee", PAYABLE, None, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER, R.PUBLIC_ACCOUNTANT),
         "Écarter un changement de compte", money_requests.Motive, (payee.a_payee_is_proposed, money.motive_is_given),
         money_records.payee_rejected, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER), moves_money=True),
    Step("exclude_trainee", (S.PAID, S.CLOSED), None, (R.TRAINING_OFFICER, R.FINANCE_OFFICER), "Reconnaître un stagiaire inéligible",
         trainee_requests.Exclusion, (trainee.trainee_is_of_the_dossier, money.motive_is_given), trainee_records.exclusion,
         (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER)),
    Step("order_recovery", (S.PAID, S.CLOSED), None, (R.AUTHORISING_OFFICER,), "Ordonner une récupération", money_requests.RecoveryOrdered,
         (trainee.trainee_is_of_the_dossier, recovery.recovery_follows_the_payment, recovery.something_was_overpaid,
          money.motive_is_given), money_records.recovery_ordered,
         (R.PUBLIC_ACCOUNTANT, R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT), notes=sum_to_recover, moves_money=True),
    Step("record_recovery", (S.PAID, S.CLOSED), None, (R.PUBLIC_ACCOUNTANT,), "Constater l’encaissement d’une récupération",
         money_requests.RecoveryRecorded,
         (recovery.a_recovery_is_open, recovery.recovered_is_the_amount_ordered, recovery.recovery_follows_its_order,
          recovery.another_person_records_the_recovery),
         money_records.recovery_recorded, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER), moves_money=True),
    Step("delegate", OPENED, None, LENDING, "Déléguer un rôle", requests.DelegationGiven,
         (house.role_is_held_by_who_lends_it, house.role_is_lent_to_somebody_else, house.lent_role_joins_nothing_kept_apart),
         records.delegation, moves_money=True),
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
