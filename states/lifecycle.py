"""The law of a partnership, once: one row per step. Every other view of it is computed from here.

A row with no `dest` is a recording: it adds facts and leaves the state where it is. The one row that goes `back`
takes a named entry back, which only the journal knows.
"""

from __future__ import annotations

from states.board import records as board_records
from states.board import requests as board_requests
from states.board import rules as board
from states.convention import records as convention_records
from states.convention import requests as convention_requests
from states.convention import rules as convention
from states.convention.terms import differences
from states.dossier import dates, proof
from states.dossier import records as dossier_records
from states.dossier import requests as dossier_requests
from states.dossier import rules as dossier
from states.grammar.deadlines import From, Within
from states.grammar.guard import Guard
from states.grammar.step import Step
from states.invoices import records as invoices_records
from states.invoices import requests as invoices_requests
from states.invoices import rules as invoices
from states.partnership import Partnership
from states.payment import payee_rules
from states.payment import records as payment_records
from states.payment import requests as payment_requests
from states.payment import rules as payment
from states.recovery import records as recovery_records
from states.recovery import requests as recovery_requests
from states.recovery import rules as recovery
from states.trainees import records as trainees_records
from states.trainees import requests as trainees_requests
from states.trainees import rules as trainees
from states.training import records as training_records
from states.training import requests as training_requests
from states.training import rules as training
from states.values.french import day, euros
from states.vocabulary import FINAL_STATES, OPENED, Role, State

S, R = State, Role


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


OF_EVERY_STEP: tuple[Guard, ...] = (proof.person_is_proved, dates.fact_has_happened, dates.date_is_plausible)
VOTE = (board.roll_call_is_known, board.quorum_is_met, board.vote_is_adopted)
SELECTED = (trainees.trainee_is_new, trainees.birth_precedes_selection, trainees.commune_exists, trainees.commune_is_one)
COUNTED = (
    trainees.residences_are_verified,
    trainees.dropout_policy_is_known,
    trainees.hours_done_are_known,
    trainees.ranks_decide_at_the_cap,
)
SELECTION = (S.APPROVED, S.SIGNED, S.ACTED, S.IN_TRAINING)
BEFORE_SETTLEMENT = (*SELECTION, S.TRAINED, S.INVOICED, S.INVOICE_SUSPENDED)
AFTER_TRAINING = (S.TRAINED, S.INVOICED, S.INVOICE_SUSPENDED, S.SETTLED, S.ORDERED, S.PAID)
CONVENTION_IN_FORCE = (S.SIGNED, S.ACTED, S.IN_TRAINING, S.TRAINED, S.INVOICED, S.INVOICE_SUSPENDED)
PAYABLE = (*CONVENTION_IN_FORCE, S.SETTLED)
LENDING = (R.TRAINING_OFFICER, R.BOARD_SECRETARY, R.FINANCE_OFFICER, R.AUTHORISING_OFFICER, R.PUBLIC_ACCOUNTANT)
ROWS: tuple[Step, ...] = (
    Step("open", (S.UNOPENED,), S.PROPOSED, (R.TRAINING_OFFICER, R.BOARD_SECRETARY), "Ouvrir le dossier", dossier_requests.DossierFile,
         (), dossier_records.dossier, (R.BOARD_SECRETARY,)),
    Step("approve", (S.PROPOSED,), S.APPROVED, (R.BOARD_SECRETARY,), "Approuver le partenariat", board_requests.Deliberation,
         VOTE, board_records.deliberation, (R.TRAINING_OFFICER,), Within(60)),
    Step("reject", (S.PROPOSED,), S.REJECTED, (R.BOARD_SECRETARY,), "Rejeter le partenariat", board_requests.Deliberation,
         (board.roll_call_is_known, board.quorum_is_met, board.vote_is_rejected), board_records.deliberation, (R.TRAINING_OFFICER,)),
    Step("sign", (S.APPROVED,), S.SIGNED, (R.TRAINING_OFFICER,), "Signer la convention", convention_requests.SignatureAsked,
         (convention.both_parties_have_signed, convention.six_points_are_there, convention.signature_follows_approval,
          convention.signature_follows_the_executory_act),
         convention_records.signature, (R.BOARD_SECRETARY, R.UNIVERSITY_REFERENT), Within(60)),
    Step("act", (S.SIGNED,), S.ACTED, (R.BOARD_SECRETARY,), "Acter la signature", board_requests.ConditionsValidated,
         (*VOTE, board.conditions_are_those_of_the_convention, board.act_follows_signature),
         board_records.deliberation, (R.TRAINING_OFFICER, R.FINANCE_OFFICER), Within(60)),
    Step("start_training", (S.ACTED,), S.IN_TRAINING, (R.TRAINING_OFFICER,), "Ouvrir la formation", training_requests.Opening,
         (training.training_is_within_the_year, training.someone_is_retained, dates.step_follows_the_previous),
         training_records.opening, (R.FINANCE_OFFICER,), Within(0, From.YEAR_END)),
    Step("complete_training", (S.IN_TRAINING,), S.TRAINED, (R.TRAINING_OFFICER,), "Constater la fin de la formation", training_requests.Completion,
         (training.training_has_ended,), training_records.completion, (R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT),
         Within(15, From.TRAINING_END)),
    Step("receive_invoice", (S.TRAINED,), S.INVOICED, (R.FINANCE_OFFICER, R.CLOCK), "Recevoir la facture", invoices_requests.InvoiceReceived,
         (invoices.paper_is_an_invoice, invoices.currency_is_euro, invoices.supplier_is_the_university, invoices.iban_is_that_of_the_convention,
          invoices.invoice_follows_the_training, invoices.invoice_is_new, invoices.amount_is_not_nil, invoices.amount_is_within_entitlement),
         invoices_records.invoice, (R.FINANCE_OFFICER, R.TRAINING_OFFICER), Within(90)),
    Step("reject_invoice", (S.INVOICED, S.INVOICE_SUSPENDED), S.TRAINED, (R.FINANCE_OFFICER,), "Rejeter la facture", dossier_requests.Motive,
         (dossier.motive_is_given, dates.step_follows_the_previous), invoices_records.invoice_rejected, (R.UNIVERSITY_REFERENT,)),
    Step("suspend_invoice", (S.INVOICED,), S.INVOICE_SUSPENDED, (R.FINANCE_OFFICER,), "Suspendre la facture", dossier_requests.Motive,
         (dossier.motive_is_given, dates.step_follows_the_previous), invoices_records.invoice_suspended, (R.UNIVERSITY_REFERENT,)),
    Step("resume_invoice", (S.INVOICE_SUSPENDED,), S.INVOICED, (R.FINANCE_OFFICER,), "Reprendre la facture", invoices_requests.Resumption,
         (dates.step_follows_the_previous,), invoices_records.invoice_resumed, (R.UNIVERSITY_REFERENT,), Within(30)),
    Step("settle", (S.INVOICED,), S.SETTLED, (R.FINANCE_OFFICER,), "Certifier le service fait et liquider", payment_requests.Certification,
         (*COUNTED, payment.result_is_presented, payment.invoice_is_still_within_entitlement, dates.step_follows_the_previous),
         payment_records.settlement, (R.AUTHORISING_OFFICER,), Within(15), sum_settled, moves_money=True),
    Step("order_payment", (S.SETTLED,), S.ORDERED, (R.AUTHORISING_OFFICER,), "Mandater la subvention", payment_requests.PaymentOrder,
         (board.acts_are_executory, payee_rules.payee_is_confirmed, payment.right_is_not_prescribed, payment.fiscal_year_is_that_of_the_order,
          payment.certifier_orderer_and_payer_differ, dates.step_follows_the_previous),
         payment_records.order, (R.PUBLIC_ACCOUNTANT,), Within(15), sum_ordered, moves_money=True),
    Step("refuse_payment", (S.ORDERED,), S.SETTLED, (R.PUBLIC_ACCOUNTANT,), "Refuser le paiement", dossier_requests.Motive,
         (dossier.motive_is_given, dates.step_follows_the_previous), payment_records.order_refused,
         (R.AUTHORISING_OFFICER, R.FINANCE_OFFICER), moves_money=True),
    Step("pay", (S.ORDERED,), S.PAID, (R.PUBLIC_ACCOUNTANT,), "Payer la subvention", payment_requests.Payment,
         (payment.payment_is_the_amount_ordered, payment.payment_follows_the_order, payment.certifier_orderer_and_payer_differ),
         payment_records.payment, (R.FINANCE_OFFICER, R.TRAINING_OFFICER, R.UNIVERSITY_REFERENT), Within(0, From.PAYMENT_TARGET),
         moves_money=True),
    Step("close", (S.PAID,), S.CLOSED, (R.TRAINING_OFFICER,), "Clore le dossier", dossier_requests.Closing,
         (recovery.nothing_is_left_to_recover, dates.step_follows_the_previous), tells=(R.FINANCE_OFFICER,), within=Within(30)),
    Step("close_nil", (S.TRAINED,), S.CLOSED, (R.TRAINING_OFFICER,), "Clore sans subvention due", dossier_requests.Closing,
         (*COUNTED, payment.entitlement_is_nil, dates.step_follows_the_previous),
         tells=(R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT)),
    Step("terminate", (S.APPROVED, S.SIGNED, S.ACTED, S.IN_TRAINING), S.TERMINATED, (R.BOARD_SECRETARY,), "Résilier le partenariat",
         board_requests.Termination, (*VOTE, dossier.motive_is_given, dates.step_follows_the_previous), board_records.deliberation,
         (R.TRAINING_OFFICER, R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT)),
    Step("undo", OPENED, None, LENDING, "Annuler une étape ou un fait", dossier_requests.Undoing,
         (dossier.a_step_was_done, dossier.no_payment_was_ordered, dossier.nothing_relies_on_it, dossier.undone_by_who_did_it,
          dossier.motive_is_given), dossier_records.undone,
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
    Step("amend", CONVENTION_IN_FORCE, None, (R.TRAINING_OFFICER, R.BOARD_SECRETARY), "Signer un avenant", convention_requests.Amendment,
         (*VOTE, convention.both_parties_have_signed, convention.signature_follows_approval, convention.something_is_amended,
          convention.fees_are_known_where_they_cap, convention.amendment_looks_forward),
         convention_records.amendment, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER, R.UNIVERSITY_REFERENT), notes=terms_changed),
    Step("retain_trainee", SELECTION, None, (R.TRAINING_OFFICER,), "Retenir un stagiaire", trainees_requests.TraineeRetained,
         SELECTED, trainees_records.trainees),
    Step("retain_trainees", SELECTION, None, (R.TRAINING_OFFICER,), "Retenir des stagiaires", trainees_requests.TraineesRetained,
         SELECTED, trainees_records.trainees),
    Step("verify_residence", BEFORE_SETTLEMENT, None, (R.TRAINING_OFFICER,), "Vérifier la résidence d’un stagiaire",
         trainees_requests.ResidenceVerified,
         (trainees.trainee_is_of_the_dossier, trainees.commune_exists, trainees.commune_is_one,
          trainees.move_follows_selection),
         trainees_records.residence),
    Step("correct_trainee", BEFORE_SETTLEMENT, None, (R.TRAINING_OFFICER,), "Corriger le rang ou le régime d’un stagiaire",
         trainees_requests.TraineeCorrected, (trainees.trainee_is_of_the_dossier, dossier.motive_is_given), trainees_records.correction),
    Step("record_dropout", BEFORE_SETTLEMENT, None, (R.TRAINING_OFFICER,), "Consigner un abandon", trainees_requests.DropoutRecorded,
         (trainees.trainee_is_of_the_dossier, trainees.dropout_follows_selection, trainees.dropout_precedes_the_end,
          trainees.hours_are_within_the_plan),
         trainees_records.dropout, (R.FINANCE_OFFICER,)),
    Step("hold_committee", (S.ACTED, S.IN_TRAINING, *AFTER_TRAINING), None, (R.TRAINING_OFFICER,), "Consigner un comité de pilotage",
         training_requests.CommitteeHeld, (), training_records.committee),
    Step("present_result", AFTER_TRAINING, None, (R.TRAINING_OFFICER, R.FINANCE_OFFICER), "Consigner le résultat d’exploitation",
         training_requests.ResultPresented, (training.result_follows_the_training,), training_records.result, (R.FINANCE_OFFICER,)),
    Step("propose_payee", PAYABLE, None, (R.FINANCE_OFFICER, R.TRAINING_OFFICER), "Proposer un changement de compte",
         payment_requests.PayeeProposed, (payee_rules.no_other_payee_is_proposed,), payment_records.payee_proposed,
         (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER), moves_money=True),
    Step("confirm_payee", PAYABLE, None, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER, R.PUBLIC_ACCOUNTANT),
         "Confirmer un changement de compte", payment_requests.PayeeConfirmed,
         (payee_rules.a_payee_is_proposed, payee_rules.another_person_confirms, payee_rules.confirmed_iban_is_the_one_proposed,
          payee_rules.call_back_follows_the_proposal, payee_rules.cooling_off_is_over),
         payment_records.payee_confirmed, (R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT), moves_money=True),
    Step("reject_payee", PAYABLE, None, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER, R.PUBLIC_ACCOUNTANT),
         "Écarter un changement de compte", dossier_requests.Motive, (payee_rules.a_payee_is_proposed, dossier.motive_is_given),
         payment_records.payee_rejected, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER), moves_money=True),
    Step("exclude_trainee", (S.PAID, S.CLOSED), None, (R.TRAINING_OFFICER, R.FINANCE_OFFICER), "Reconnaître un stagiaire inéligible",
         trainees_requests.Exclusion, (trainees.trainee_is_of_the_dossier, dossier.motive_is_given), trainees_records.exclusion,
         (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER)),
    Step("order_recovery", (S.PAID, S.CLOSED), None, (R.AUTHORISING_OFFICER,), "Ordonner une récupération", recovery_requests.RecoveryOrdered,
         (trainees.trainee_is_of_the_dossier, recovery.recovery_follows_the_payment, recovery.something_was_overpaid,
          dossier.motive_is_given), recovery_records.recovery_ordered,
         (R.PUBLIC_ACCOUNTANT, R.FINANCE_OFFICER, R.UNIVERSITY_REFERENT), notes=sum_to_recover, moves_money=True),
    Step("record_recovery", (S.PAID, S.CLOSED), None, (R.PUBLIC_ACCOUNTANT,), "Constater l’encaissement d’une récupération",
         recovery_requests.RecoveryRecorded,
         (recovery.a_recovery_is_open, recovery.recovered_is_the_amount_ordered, recovery.recovery_follows_its_order,
          recovery.another_person_records_the_recovery),
         recovery_records.recovery_recorded, (R.FINANCE_OFFICER, R.AUTHORISING_OFFICER), moves_money=True),
    Step("delegate", OPENED, None, LENDING, "Déléguer un rôle", dossier_requests.DelegationGiven,
         (dossier.role_is_held_by_who_lends_it, dossier.role_is_lent_to_somebody_else, dossier.lent_role_joins_nothing_kept_apart),
         dossier_records.delegation, moves_money=True),
    Step("attach", OPENED, None, (R.TRAINING_OFFICER, R.BOARD_SECRETARY, R.FINANCE_OFFICER), "Joindre un document",
         dossier_requests.Attachment, (), dossier_records.attachment),
    Step("review_findings", OPENED, None, (R.CLOCK, R.OPERATOR), "Revoir les constats", dossier_requests.Review),
)  # fmt: skip
STEPS: dict[str, Step] = {row.trigger: row for row in ROWS}
GUARDS: dict[str, Guard] = {one.code: one for row in ROWS for one in (*OF_EVERY_STEP, *row.guards)}


def steps_from(state: State) -> tuple[Step, ...]:
    """The steps that the table allows from `state`, in the table's order."""
    return tuple(row for row in ROWS if state in row.source)


def waits(state: State) -> bool:
    """Whether somebody still has to do something in this state."""
    return state not in FINAL_STATES
