"""The money chain of an invoice, and the account that is paid. Amounts in euros."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Settlement(NamedTuple):
    """The money chain of one invoice: certified (liquidé), ordered (mandaté), paid. Amounts in euros."""

    number: int
    invoice: int
    ceiling: Decimal
    entitlement: Decimal
    invoiced: Decimal
    settled: Decimal
    lines: tuple[tuple[int, int, str, str], ...]  # trainee, rank, status, euros: the calculation as it was certified
    certified_on: date
    certified_by: str
    certified_for: str | None  # the person who had delegated, when there is one
    order_number: str | None
    slip_number: str | None
    fiscal_year: int | None
    ordered: Decimal | None
    ordered_on: date | None
    ordered_by: str | None
    ordered_for: str | None
    paid: Decimal | None
    paid_on: date | None
    paid_by: str | None
    paid_for: str | None
    accounting_reference: str | None


class PayeeChange(NamedTuple):
    """Another account of the university: proposed by one person, confirmed by another after a call to a known contact."""

    number: int
    holder: str
    iban: str
    proposed_on: date
    proposed_by: str
    proposed_for: str | None
    recorded_on: date  # the cooling-off runs from here: nobody can type it
    called_on: date | None
    contact: str | None
    confirmed_on: date | None
    confirmed_by: str | None
    rejected_on: date | None
