"""What the money chain writes into the dossier: settlement, order, payment, the account."""

from __future__ import annotations

from collections.abc import Callable

from states.grammar.case import Case
from states.partnership import Partnership, last_number
from states.payment.calculation import ceiling, entitlement
from states.payment.facts import PayeeChange, Settlement
from states.values.french import euros


def settlement(case: Case) -> Partnership:
    """The invoice certified, with the calculation as it stands on that day."""
    settled = case.partnership.invoices[-1]
    due = case.once(entitlement)
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
    request, last = case.request, case.partnership.settlements[-1]
    return _settlement(
        case,
        order_number=request.order_number,
        slip_number=request.slip_number,
        fiscal_year=request.fiscal_year,
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
    request = case.request
    return _settlement(
        case,
        paid=request.amount,
        paid_on=request.paid_on,
        paid_by=_name(case),
        paid_for=case.on_behalf_of,
        accounting_reference=request.accounting_reference,
    )


def _settlement(case: Case, **changes: object) -> Partnership:
    *earlier, last = case.partnership.settlements
    changed: Callable[..., Settlement] = last._replace
    return case.partnership._replace(settlements=(*earlier, changed(**changes)))


def payee_proposed(case: Case) -> Partnership:
    request, changes = case.request, case.partnership.payee_changes
    proposed = PayeeChange(
        number=last_number(changes) + 1,
        holder=request.holder,
        iban=request.iban,
        proposed_on=case.effective_on,
        proposed_by=_name(case),
        proposed_for=case.on_behalf_of,
        recorded_on=case.today,
        **dict.fromkeys(PayeeChange._fields[PayeeChange._fields.index("called_on") :]),
    )
    return case.partnership._replace(payee_changes=(*changes, proposed))


def payee_confirmed(case: Case) -> Partnership:
    request = case.request
    return _payee(case, called_on=request.called_on, contact=request.contact, confirmed_on=case.effective_on, confirmed_by=_name(case))


def payee_rejected(case: Case) -> Partnership:
    return _payee(case, rejected_on=case.effective_on)


def _payee(case: Case, **changes: object) -> Partnership:
    *earlier, last = case.partnership.payee_changes
    changed: Callable[..., PayeeChange] = last._replace
    return case.partnership._replace(payee_changes=(*earlier, changed(**changes)))


def _name(case: Case) -> str:
    return case.actor.name if case.actor else ""


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
