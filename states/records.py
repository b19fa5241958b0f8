"""What each step writes into the dossier: the facts after it, from the facts before it and the request."""

from __future__ import annotations

from datetime import date
from typing import Any

from states.calculation import entitlement
from states.convention import TermsAsked
from states.facts import (
    Act,
    Committee,
    Document,
    Identity,
    Invoice,
    Partnership,
    Party,
    Settlement,
    Signature,
    Terms,
    Trainee,
    Training,
)
from states.guard import Case
from states.money_rules import normalised


def nothing(case: Case) -> Partnership:
    return case.partnership


def dossier(case: Case) -> Partnership:
    cdg, university = case.request.parties.cdg, case.request.parties.university
    parties = (
        Party(1, "cdg", cdg.name, cdg.siret, cdg.department, cdg.calendar, None, None),
        Party(
            2, "university", university.name, university.siret, None, None, university.payee.holder, university.payee.iban
        ),
    )  # fmt: skip
    return case.partnership._replace(imported=case.request.imported, parties=parties, terms=(_terms(case.request.terms),))


def _terms(asked: TermsAsked) -> Terms:
    first_year = int(asked.academic_year[:4])
    return Terms(
        number=1,
        academic_year=asked.academic_year,
        year_starts_on=asked.year_starts_on or date(first_year, 9, 1),
        year_ends_on=asked.year_ends_on or date(first_year + 1, 8, 31),
        rate=asked.rate,
        cap=asked.cap,
        department=asked.department,
        amount_mode=asked.amount_mode,
        fee_continuing=asked.fees.continuing,
        fee_initial=asked.fees.initial,
        quorum_rule=asked.quorum_rule,
        result_policy=asked.result_policy,
    )


def deliberation(case: Case) -> Partnership:
    asked, acts = case.request, case.partnership.acts
    act = Act(
        number=len(acts) + 1,
        trigger=case.trigger,
        held_on=asked.held_on,
        act_number=asked.act_number,
        seats=asked.seats,
        present=asked.present,
        absent=asked.absent,
        proxies=asked.proxies,
        chair=asked.chair,
        secretary=asked.secretary,
        votes_for=asked.votes_for,
        votes_against=asked.votes_against,
        abstentions=asked.abstentions,
    )
    return case.partnership._replace(acts=(*acts, act))


def signature(case: Case) -> Partnership:
    asked, signatures = case.request, case.partnership.signatures
    signed = {signatory.party: signatory for signatory in asked.signatories}
    return case.partnership._replace(
        signatures=(
            *signatures,
            Signature(
                number=len(signatures) + 1,
                signed_on=asked.signed_on,
                document_sha256=asked.document_sha256,
                cdg_name=signed["cdg"].name,
                cdg_title=signed["cdg"].title,
                university_name=signed["university"].name,
                university_title=signed["university"].title,
                points=asked.points,
            ),
        )
    )


def opening(case: Case) -> Partnership:
    asked = case.request
    training = Training(1, asked.starts_on, asked.ends_on, asked.hours, None, None, None, None)
    return case.partnership._replace(trainings=(training,))


def completion(case: Case) -> Partnership:
    return _training(case, ended_on=case.request.ended_on, attestation_sha256=case.request.attestation_sha256)


def result(case: Case) -> Partnership:
    return _training(case, presented_on=case.request.presented_on, result_sha256=case.request.document_sha256)


def _training(case: Case, **changes: Any) -> Partnership:
    *earlier, training = case.partnership.trainings
    return case.partnership._replace(trainings=(*earlier, training._replace(**changes)))


def trainee(case: Case) -> Partnership:
    asked, trainees = case.request, case.partnership.trainees
    retained = Trainee(
        number=_number_of(case),
        rank=asked.rank,
        fee_regime=asked.fee_regime,
        insee=asked.insee,
        retained_on=asked.retained_on,
        verified_on=None,
        verified_by=None,
        evidence_kind=None,
        commitment=case.person.commitment if case.person else "",
    )
    digests = (*case.partnership.identity_digests, case.person.digest if case.person else "")
    return case.partnership._replace(trainees=tuple(sorted((*trainees, retained))), identity_digests=digests)


def _number_of(case: Case) -> int:
    """The number of a new trainee: the one asked for, or the next."""
    number: int = case.request.number or max((one.number for one in case.partnership.trainees), default=0) + 1
    return number


def identity(case: Case) -> Identity | None:
    """The one value with names in it, for the one table that may hold them; None for a step that names nobody."""
    if case.person is None:
        return None
    asked, person = case.request, case.person
    return Identity(_number_of(case), asked.family_name, asked.given_name, asked.born_on, person.salt, person.digest)


def residence(case: Case) -> Partnership:
    asked, trainees = case.request, list(case.partnership.trainees)
    place = next(place for place, one in enumerate(trainees) if one.number == asked.trainee)
    trainees[place] = trainees[place]._replace(
        insee=asked.insee, verified_on=asked.verified_on, verified_by=_name(case), evidence_kind=asked.evidence_kind
    )
    return case.partnership._replace(trainees=tuple(trainees))


def committee(case: Case) -> Partnership:
    held = case.partnership.committees
    meeting = Committee(len(held) + 1, case.request.held_on, case.request.minutes_sha256)
    return case.partnership._replace(committees=(*held, meeting))


def attachment(case: Case) -> Partnership:
    documents = case.partnership.documents
    paper = Document(len(documents) + 1, case.request.title, case.request.sha256, case.effective_on)
    return case.partnership._replace(documents=(*documents, paper))


def invoice(case: Case) -> Partnership:
    asked, invoices = case.request, case.partnership.invoices
    received = Invoice(
        number=len(invoices) + 1,
        invoice_number=asked.number,
        normalised_number=normalised(asked.number),
        issued_on=asked.issued_on,
        amount=asked.amount,
        currency=asked.currency,
        supplier_siret=asked.supplier_siret,
        iban=asked.iban,
        document_sha256=asked.document_sha256,
        status="received",
    )
    return case.partnership._replace(invoices=(*invoices, received))


def invoice_rejected(case: Case) -> Partnership:
    return _invoice(case, "rejected")


def invoice_suspended(case: Case) -> Partnership:
    return _invoice(case, "suspended")


def invoice_resumed(case: Case) -> Partnership:
    return _invoice(case, "received")


def _invoice(case: Case, status: str) -> Partnership:
    *earlier, last = case.partnership.invoices
    return case.partnership._replace(invoices=(*earlier, last._replace(status=status)))


def settlement(case: Case) -> Partnership:
    settled = case.partnership.invoices[-1]
    due = entitlement(case.partnership)
    chain = Settlement(
        number=len(case.partnership.settlements) + 1,
        invoice=settled.number,
        ceiling=case.partnership.terms_in_force.ceiling,
        entitlement=due.amount,
        invoiced=settled.amount,
        settled=min(settled.amount, due.amount),
        certified_on=case.effective_on,
        certified_by=_name(case),
        **dict.fromkeys(Settlement._fields[8:]),
    )
    return case.partnership._replace(settlements=(*case.partnership.settlements, chain))


def order(case: Case) -> Partnership:
    asked, last = case.request, case.partnership.settlements[-1]
    return _settlement(
        case,
        order_number=asked.order_number,
        slip_number=asked.slip_number,
        fiscal_year=asked.fiscal_year,
        ordered=last.settled,
        ordered_on=case.effective_on,
        ordered_by=_name(case),
    )


def order_refused(case: Case) -> Partnership:
    """The mandat is withdrawn; the journal remembers it."""
    return _settlement(case, order_number=None, slip_number=None, fiscal_year=None, ordered=None, ordered_on=None, ordered_by=None)


def payment(case: Case) -> Partnership:
    asked = case.request
    return _settlement(
        case,
        paid=asked.amount,
        paid_on=asked.paid_on,
        paid_by=_name(case),
        accounting_reference=asked.accounting_reference,
    )


def _settlement(case: Case, **changes: Any) -> Partnership:
    *earlier, last = case.partnership.settlements
    return case.partnership._replace(settlements=(*earlier, last._replace(**changes)))


def _name(case: Case) -> str:
    return case.actor.name if case.actor else ""
