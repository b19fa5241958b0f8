"""What the steps about money write into the dossier: the invoice, its settlement, order and payment, the account, recoveries."""

from __future__ import annotations

from typing import Any

from states.calculation import ceiling, entitlement, open_recoveries, overpaid, without
from states.facts import Partnership, last_number
from states.guard import Case
from states.invoice_rules import normalised
from states.money_facts import Invoice, PayeeChange, Recovery, Settlement


def invoice(case: Case) -> Partnership:
    asked, invoices = case.request, case.partnership.invoices
    received = Invoice(
        number=last_number(invoices) + 1,
        invoice_number=asked.number,
        normalised_number=normalised(asked.number),
        issued_on=asked.issued_on,
        received_on=asked.received_on or asked.issued_on,
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
    """The invoice certified, with the calculation as it stands on that day."""
    settled = case.partnership.invoices[-1]
    due = entitlement(case.partnership, case.effective_on)
    chain = Settlement(
        number=last_number(case.partnership.settlements) + 1,
        invoice=settled.number,
        ceiling=ceiling(case.partnership, case.effective_on),
        entitlement=due.amount,
        invoiced=settled.amount,
        settled=min(settled.amount, due.amount),
        lines=tuple((line.trainee, line.rank, line.status, str(line.unit)) for line in due.lines),
        certified_on=case.effective_on,
        certified_by=_name(case),
        certified_for=case.on_behalf_of,
        **dict.fromkeys(Settlement._fields[Settlement._fields.index("order_number") :]),
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
        ordered_for=case.on_behalf_of,
    )


def order_refused(case: Case) -> Partnership:
    """The mandat is withdrawn; the journal remembers it."""
    return _settlement(
        case, order_number=None, slip_number=None, fiscal_year=None, ordered=None, ordered_on=None, ordered_by=None, ordered_for=None
    )


def payment(case: Case) -> Partnership:
    asked = case.request
    return _settlement(
        case,
        paid=asked.amount,
        paid_on=asked.paid_on,
        paid_by=_name(case),
        paid_for=case.on_behalf_of,
        accounting_reference=asked.accounting_reference,
    )


def _settlement(case: Case, **changes: Any) -> Partnership:
    *earlier, last = case.partnership.settlements
    return case.partnership._replace(settlements=(*earlier, last._replace(**changes)))


def payee_proposed(case: Case) -> Partnership:
    asked, changes = case.request, case.partnership.payee_changes
    proposed = PayeeChange(
        number=last_number(changes) + 1,
        holder=asked.holder,
        iban=asked.iban,
        proposed_on=case.effective_on,
        proposed_by=_name(case),
        proposed_for=case.on_behalf_of,
        recorded_on=case.today,
        **dict.fromkeys(PayeeChange._fields[PayeeChange._fields.index("called_on") :]),
    )
    return case.partnership._replace(payee_changes=(*changes, proposed))


def payee_confirmed(case: Case) -> Partnership:
    asked = case.request
    return _payee(case, called_on=asked.called_on, contact=asked.contact, confirmed_on=case.effective_on, confirmed_by=_name(case))


def payee_rejected(case: Case) -> Partnership:
    return _payee(case, rejected_on=case.effective_on)


def _payee(case: Case, **changes: Any) -> Partnership:
    *earlier, last = case.partnership.payee_changes
    return case.partnership._replace(payee_changes=(*earlier, last._replace(**changes)))


def recovery_ordered(case: Case) -> Partnership:
    """The trainee counts no more; what was paid too much is the sum to give back."""
    asked, recoveries = case.request, case.partnership.recoveries
    order = Recovery(
        number=last_number(recoveries) + 1,
        trainee=asked.trainee,
        amount=overpaid(without(case.partnership, asked.trainee, case.effective_on)),
        motive=asked.motive,
        order_number=asked.order_number,
        ordered_on=case.effective_on,
        ordered_by=_name(case),
        ordered_for=case.on_behalf_of,
        **dict.fromkeys(Recovery._fields[Recovery._fields.index("recovered_on") :]),
    )
    excluded = without(case.partnership, asked.trainee, case.effective_on)
    return excluded._replace(recoveries=(*recoveries, order))


def recovery_recorded(case: Case) -> Partnership:
    asked, open_ones = case.request, open_recoveries(case.partnership)
    number = asked.recovery or open_ones[0].number
    back = {"recovered_on": asked.recovered_on, "recovered_by": _name(case), "accounting_reference": asked.accounting_reference}
    found = tuple(one._replace(**back) if one.number == number else one for one in case.partnership.recoveries)
    return case.partnership._replace(recoveries=found)


def _name(case: Case) -> str:
    return case.actor.name if case.actor else ""
