"""What the steps of an invoice write into the dossier."""

from __future__ import annotations

from states.grammar.case import Case
from states.invoices.facts import Invoice
from states.invoices.rules import normalised
from states.partnership import Partnership, last_number


def invoice(case: Case) -> Partnership:
    request, invoices = case.request, case.partnership.invoices
    received = Invoice(
        number=last_number(invoices) + 1,
        invoice_number=request.number,
        normalised_number=normalised(request.number),
        issued_on=request.issued_on,
        received_on=request.received_on or request.issued_on,
        amount=request.amount,
        currency=request.currency,
        supplier_siret=request.supplier_siret,
        iban=request.iban,
        document_sha256=request.document_sha256,
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
