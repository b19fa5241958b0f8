"""The law of a partnership, once: one row per step. Every other view of it is computed from here.

Rows stand in groups, in the order of a life. The groups of states that recordings may be made in are read off what each state
declares of itself; `grammar.definition` refuses a table that does not hold together.
"""

from __future__ import annotations

from states.board import records as board_records
from states.board import requests as board_requests
from states.board import rules as board
from states.board.facts import Matter
from states.convention import records as convention_records
from states.convention import requests as convention_requests
from states.convention import rules as convention
from states.convention.terms import terms_changed
from states.dossier import dates, proof
from states.dossier import records as dossier_records
from states.dossier import requests as dossier_requests
from states.dossier import rules as dossier
from states.grammar.deadlines import From, Within
from states.grammar.definition import assert_sound
from states.grammar.guard import Guard
from states.grammar.step import Step
from states.invoices import records as invoices_records
from states.invoices import requests as invoices_requests
from states.invoices import rules as invoices
from states.payment import payee_rules as payee
from states.payment import records as payment_records
from states.payment import requests as payment_requests
from states.payment import rules as payment
from states.payment.records import sum_ordered, sum_settled
from states.recovery import records as recovery_records
from states.recovery import requests as recovery_requests
from states.recovery import rules as recovery
from states.recovery.records import sum_to_recover
from states.trainees import records as trainees_records
from states.trainees import requests as trainees_requests
from states.trainees import rules as trainees
from states.training import records as training_records
from states.training import requests as training_requests
from states.training import rules as training
from states.vocabulary import OPENED, Convention, Course, Money, Role, State, states_where

S = State
TRAINING, SECRETARY, FINANCE = Role.TRAINING_OFFICER, Role.BOARD_SECRETARY, Role.FINANCE_OFFICER
AUTHORISING, ACCOUNTANT, UNIVERSITY = Role.AUTHORISING_OFFICER, Role.PUBLIC_ACCOUNTANT, Role.UNIVERSITY_REFERENT
KEEPERS = (TRAINING, SECRETARY, FINANCE, AUTHORISING, ACCOUNTANT)

UNDER_CONVENTION = (Convention.SIGNED, Convention.ACTED)
SELECTION = states_where((Convention.APPROVED, *UNDER_CONVENTION), course=(Course.BEFORE, Course.UNDER_WAY))
BEFORE_SETTLEMENT = states_where((Convention.APPROVED, *UNDER_CONVENTION), money=(Money.FREE,))
CONVENTION_IN_FORCE = states_where(UNDER_CONVENTION, money=(Money.FREE,))
PAYABLE = states_where(UNDER_CONVENTION, money=(Money.FREE, Money.CERTIFIED))
ONCE_ACTED = states_where((Convention.ACTED,))
AFTER_TRAINING = states_where((Convention.ACTED,), course=(Course.DONE,))
PAID_ONCE = states_where((Convention.ACTED, Convention.OVER), money=(Money.PAID,))

OF_EVERY_STEP: tuple[Guard, ...] = (proof.person_is_proved, proof.money_role_has_waited, dates.fact_has_happened, dates.date_is_plausible)
VOTE = (board.roll_call_is_known, board.quorum_is_met, board.vote_is_adopted)
REFUSAL = (board.roll_call_is_known, board.quorum_is_met, board.vote_is_rejected)
SELECTED = (trainees.trainee_is_new, trainees.birth_precedes_selection, trainees.commune_exists, trainees.commune_is_one)
COUNTED = (trainees.residences_are_verified, trainees.dropout_policy_is_known, trainees.hours_done_are_known,
           trainees.ranks_decide_at_the_cap)  # fmt: skip
MOTIVE, IN_ORDER = dossier.motive_is_given, dates.step_follows_the_previous

ROWS: tuple[Step, ...] = (
    # The board and the convention
    Step("open", "Ouvrir le dossier", source=(S.UNOPENED,), dest=S.PROPOSED, by=(TRAINING, SECRETARY), opens=True,
         asks=dossier_requests.DossierFile, records=dossier_records.dossier, tells=(SECRETARY,)),
    Step("approve", "Approuver le partenariat", source=(S.PROPOSED,), dest=S.APPROVED, by=(SECRETARY,), within=Within(60),
         asks=board_requests.Deliberation, deliberates=Matter.APPROVAL, guards=VOTE, records=board_records.deliberation, tells=(TRAINING,)),
    Step("reject", "Rejeter le partenariat", source=(S.PROPOSED,), dest=S.REJECTED, by=(SECRETARY,),
         asks=board_requests.Deliberation, deliberates=Matter.REJECTION, guards=REFUSAL, records=board_records.deliberation,
         tells=(TRAINING,)),
    Step("sign", "Signer la convention", source=(S.APPROVED,), dest=S.SIGNED, by=(TRAINING,), within=Within(60),
         asks=convention_requests.SignatureAsked, records=convention_records.signature, tells=(SECRETARY, UNIVERSITY),
         guards=(convention.both_parties_have_signed, convention.six_points_are_there, convention.signature_follows_approval,
                 convention.signature_follows_the_executory_act)),
    Step("act", "Acter la signature", source=(S.SIGNED,), dest=S.ACTED, by=(SECRETARY,), within=Within(60),
         asks=board_requests.ConditionsValidated, deliberates=Matter.RATIFICATION, records=board_records.deliberation,
         guards=(*VOTE, board.conditions_are_those_of_the_convention, board.act_follows_signature), tells=(TRAINING, FINANCE)),
    # The training
    Step("start_training", "Ouvrir la formation", source=(S.ACTED,), dest=S.IN_TRAINING, by=(TRAINING,), within=Within(0, From.YEAR_END),
         asks=training_requests.Opening, records=training_records.opening, tells=(FINANCE,),
         guards=(training.training_is_within_the_year, training.someone_is_retained, IN_ORDER)),
    Step("complete_training", "Constater la fin de la formation", source=(S.IN_TRAINING,), dest=S.TRAINED, by=(TRAINING,),
         within=Within(15, From.TRAINING_END), asks=training_requests.Completion, guards=(training.training_has_ended,),
         records=training_records.completion, tells=(FINANCE, UNIVERSITY)),
    # The invoice
    Step("receive_invoice", "Recevoir la facture", source=(S.TRAINED,), dest=S.INVOICED, by=(FINANCE, Role.CLOCK), within=Within(90),
         asks=invoices_requests.InvoiceReceived, records=invoices_records.invoice, tells=(FINANCE, TRAINING),
         guards=(invoices.paper_is_an_invoice, invoices.currency_is_euro, invoices.supplier_is_the_university,
                 invoices.iban_is_that_of_the_convention, invoices.invoice_follows_the_training, invoices.invoice_is_new,
                 invoices.amount_is_not_nil, invoices.amount_is_within_entitlement)),
    Step("reject_invoice", "Rejeter la facture", source=(S.INVOICED, S.INVOICE_SUSPENDED), dest=S.TRAINED, by=(FINANCE,),
         asks=dossier_requests.Motive, guards=(MOTIVE, IN_ORDER), records=invoices_records.invoice_rejected, tells=(UNIVERSITY,)),
    Step("suspend_invoice", "Suspendre la facture", source=(S.INVOICED,), dest=S.INVOICE_SUSPENDED, by=(FINANCE,),
         asks=dossier_requests.Motive, guards=(MOTIVE, IN_ORDER), records=invoices_records.invoice_suspended, tells=(UNIVERSITY,)),
    Step("resume_invoice", "Reprendre la facture", source=(S.INVOICE_SUSPENDED,), dest=S.INVOICED, by=(FINANCE,), within=Within(30),
         asks=invoices_requests.Resumption, guards=(IN_ORDER,), records=invoices_records.invoice_resumed, tells=(UNIVERSITY,)),
    # The money
    Step("settle", "Certifier le service fait et liquider", source=(S.INVOICED,), dest=S.SETTLED, by=(FINANCE,), within=Within(15),
         asks=payment_requests.Certification, about_money=True, records=payment_records.settlement, notes=sum_settled, tells=(AUTHORISING,),
         guards=(*COUNTED, payment.result_is_presented, payment.invoice_is_still_within_entitlement, IN_ORDER)),
    Step("order_payment", "Mandater la subvention", source=(S.SETTLED,), dest=S.ORDERED, by=(AUTHORISING,), within=Within(15),
         asks=payment_requests.PaymentOrder, about_money=True, commits_money=True, records=payment_records.order, notes=sum_ordered,
         guards=(board.acts_are_executory, payee.payee_is_confirmed, payment.right_is_not_prescribed,
                 payment.fiscal_year_is_that_of_the_order, payment.certifier_orderer_and_payer_differ, IN_ORDER), tells=(ACCOUNTANT,)),
    Step("refuse_payment", "Refuser le paiement", source=(S.ORDERED,), dest=S.SETTLED, by=(ACCOUNTANT,), asks=dossier_requests.Motive,
         about_money=True, guards=(MOTIVE, IN_ORDER), records=payment_records.order_refused, tells=(AUTHORISING, FINANCE)),
    Step("pay", "Payer la subvention", source=(S.ORDERED,), dest=S.PAID, by=(ACCOUNTANT,), within=Within(0, From.PAYMENT_TARGET),
         asks=payment_requests.Payment, about_money=True, records=payment_records.payment, tells=(FINANCE, TRAINING, UNIVERSITY),
         guards=(payment.payment_is_the_amount_ordered, payment.payment_follows_the_order, payment.certifier_orderer_and_payer_differ)),
    # The end
    Step("close", "Clore le dossier", source=(S.PAID,), dest=S.CLOSED, by=(TRAINING,), within=Within(30),
         asks=dossier_requests.Closing, guards=(recovery.nothing_is_left_to_recover, IN_ORDER), tells=(FINANCE,)),
    Step("close_nil", "Clore sans subvention due", source=(S.TRAINED,), dest=S.CLOSED, by=(TRAINING,),
         asks=dossier_requests.Closing, guards=(*COUNTED, payment.entitlement_is_nil, IN_ORDER), tells=(FINANCE, UNIVERSITY)),
    Step("terminate", "Résilier le partenariat", source=SELECTION, dest=S.TERMINATED, by=(SECRETARY,),
         asks=board_requests.Termination, deliberates=Matter.TERMINATION, guards=(*VOTE, MOTIVE, IN_ORDER),
         records=board_records.deliberation, tells=(TRAINING, FINANCE, UNIVERSITY)),
    Step("undo", "Annuler une étape ou un fait", source=OPENED, by=KEEPERS, takes_back=True,
         asks=dossier_requests.Undoing, records=dossier_records.undone,
         guards=(dossier.a_step_was_done, dossier.no_payment_was_ordered, dossier.nothing_relies_on_it, dossier.undone_by_who_did_it,
                 MOTIVE)),
    # Recorded: what becomes of an act of the board, what the convention becomes
    Step("transmit_act", "Consigner la transmission au préfet", source=OPENED, by=(SECRETARY,), asks=board_requests.Transmission,
         guards=(board.act_is_of_the_dossier, board.act_was_voted_before, board.act_is_not_relied_on), records=board_records.transmission),
    Step("publish_act", "Consigner la publication", source=OPENED, by=(SECRETARY,), asks=board_requests.Publication,
         guards=(board.act_is_of_the_dossier, board.act_was_voted_before, board.act_is_not_relied_on), records=board_records.publication),
    Step("verify_quorum_rule", "Consigner la vérification de la règle de quorum", source=OPENED, by=(SECRETARY,),
         asks=board_requests.QuorumRuleVerified, records=board_records.quorum_rule),
    Step("record_appeal", "Consigner un recours gracieux", source=OPENED, by=(SECRETARY,), asks=board_requests.AppealRecorded,
         guards=(board.act_is_of_the_dossier, board.act_was_voted_before, board.answer_has_come), records=board_records.appeal,
         tells=(TRAINING, AUTHORISING)),
    Step("amend", "Signer un avenant", source=CONVENTION_IN_FORCE, by=(TRAINING, SECRETARY), asks=convention_requests.Amendment,
         deliberates=Matter.AMENDMENT, records=convention_records.amendment, notes=terms_changed, tells=(FINANCE, AUTHORISING, UNIVERSITY),
         guards=(*VOTE, convention.both_parties_have_signed, convention.signature_follows_approval, convention.something_is_amended,
                 convention.fees_are_known_where_they_cap, convention.amendment_looks_forward)),
    # Recorded: the trainees, the steering committee, the operating result
    Step("retain_trainee", "Retenir un stagiaire", source=SELECTION, by=(TRAINING,), asks=trainees_requests.TraineeRetained,
         guards=SELECTED, records=trainees_records.trainees),
    Step("retain_trainees", "Retenir des stagiaires", source=SELECTION, by=(TRAINING,), asks=trainees_requests.TraineesRetained,
         guards=SELECTED, records=trainees_records.trainees),
    Step("verify_residence", "Vérifier la résidence d’un stagiaire", source=BEFORE_SETTLEMENT, by=(TRAINING,),
         asks=trainees_requests.ResidenceVerified, records=trainees_records.residence,
         guards=(trainees.trainee_is_of_the_dossier, trainees.commune_exists, trainees.commune_is_one, trainees.move_follows_selection)),
    Step("correct_trainee", "Corriger le rang ou le régime d’un stagiaire", source=BEFORE_SETTLEMENT, by=(TRAINING,),
         asks=trainees_requests.TraineeCorrected, guards=(trainees.trainee_is_of_the_dossier, MOTIVE), records=trainees_records.correction),
    Step("record_dropout", "Consigner un abandon", source=BEFORE_SETTLEMENT, by=(TRAINING,), asks=trainees_requests.DropoutRecorded,
         guards=(trainees.trainee_is_of_the_dossier, trainees.dropout_follows_selection, trainees.dropout_precedes_the_end,
                 trainees.hours_are_within_the_plan), records=trainees_records.dropout, tells=(FINANCE,)),
    Step("hold_committee", "Consigner un comité de pilotage", source=ONCE_ACTED, by=(TRAINING,),
         asks=training_requests.CommitteeHeld, records=training_records.committee),
    Step("present_result", "Consigner le résultat d’exploitation", source=AFTER_TRAINING, by=(TRAINING, FINANCE),
         asks=training_requests.ResultPresented, guards=(training.result_follows_the_training,), records=training_records.result,
         tells=(FINANCE,)),
    # Recorded: the account that is paid, what is taken back
    Step("propose_payee", "Proposer un changement de compte", source=PAYABLE, by=(FINANCE, TRAINING), asks=payment_requests.PayeeProposed,
         about_money=True, guards=(payee.no_other_payee_is_proposed,), records=payment_records.payee_proposed,
         tells=(FINANCE, AUTHORISING)),
    Step("confirm_payee", "Confirmer un changement de compte", source=PAYABLE, by=(FINANCE, AUTHORISING, ACCOUNTANT),
         asks=payment_requests.PayeeConfirmed, about_money=True, records=payment_records.payee_confirmed, tells=(FINANCE, UNIVERSITY),
         guards=(payee.a_payee_is_proposed, payee.another_person_confirms, payee.confirmed_iban_is_the_one_proposed,
                 payee.call_back_follows_the_proposal, payee.cooling_off_is_over)),
    Step("reject_payee", "Écarter un changement de compte", source=PAYABLE, by=(FINANCE, AUTHORISING, ACCOUNTANT),
         asks=dossier_requests.Motive, about_money=True, guards=(payee.a_payee_is_proposed, MOTIVE), records=payment_records.payee_rejected,
         tells=(FINANCE, AUTHORISING)),
    Step("exclude_trainee", "Reconnaître un stagiaire inéligible", source=PAID_ONCE, by=(TRAINING, FINANCE),
         asks=trainees_requests.Exclusion, records=trainees_records.exclusion, tells=(FINANCE, AUTHORISING),
         guards=(recovery.something_was_paid, trainees.trainee_is_of_the_dossier, MOTIVE)),
    Step("order_recovery", "Ordonner une récupération", source=PAID_ONCE, by=(AUTHORISING,), asks=recovery_requests.RecoveryOrdered,
         about_money=True, records=recovery_records.recovery_ordered, notes=sum_to_recover, tells=(ACCOUNTANT, FINANCE, UNIVERSITY),
         guards=(recovery.something_was_paid, trainees.trainee_is_of_the_dossier, recovery.recovery_follows_the_payment,
                 recovery.something_was_overpaid, MOTIVE)),
    Step("record_recovery", "Constater l’encaissement d’une récupération", source=PAID_ONCE, by=(ACCOUNTANT,),
         asks=recovery_requests.RecoveryRecorded, about_money=True, records=recovery_records.recovery_recorded,
         guards=(recovery.a_recovery_is_open, recovery.recovered_is_the_amount_ordered, recovery.recovery_follows_its_order,
                 recovery.another_person_records_the_recovery), tells=(FINANCE, AUTHORISING)),
    # Recorded: the keeping of the dossier
    Step("delegate", "Déléguer un rôle", source=OPENED, by=KEEPERS, asks=dossier_requests.DelegationGiven, lends_role=True,
         guards=(dossier.role_is_held_by_who_lends_it, dossier.role_is_lent_to_somebody_else, dossier.lent_role_joins_nothing_kept_apart),
         records=dossier_records.delegation),
    Step("attach", "Joindre un document", source=OPENED, by=(TRAINING, SECRETARY, FINANCE), asks=dossier_requests.Attachment,
         records=dossier_records.attachment),
    Step("review_findings", "Revoir les constats", source=OPENED, by=(Role.CLOCK, Role.OPERATOR), asks=dossier_requests.Review,
         reviews=True),
)  # fmt: skip
assert_sound(ROWS, OF_EVERY_STEP, board_requests.Deliberation)
STEPS: dict[str, Step] = {row.trigger: row for row in ROWS}
GUARDS: dict[str, Guard] = {guard.code: guard for row in ROWS for guard in (*OF_EVERY_STEP, *row.guards)}
OPENING = next(row for row in ROWS if row.opens)
UNDOING = next(row for row in ROWS if row.takes_back)
REVIEW = next(row for row in ROWS if row.reviews)
# The hands through which money goes: whoever moves a dossier by a step that asks for a code.
MONEY_ROLES = frozenset(role for row in ROWS if row.asks_code and not row.is_recording for role in row.by)


def steps_from(state: State) -> tuple[Step, ...]:
    """The steps that the table allows from `state`, in the table's order."""
    return tuple(row for row in ROWS if state in row.source)
