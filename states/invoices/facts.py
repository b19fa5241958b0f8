"""The invoice of the university as a frozen value. Amounts in euros."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Invoice(NamedTuple):
    """An invoice of the university; `amount` in euros."""

    number: int
    invoice_number: str
    normalised_number: str
    issued_on: date
    received_on: date
    amount: Decimal
    currency: str
    supplier_siret: str
    iban: str | None
    document_sha256: str
    status: str  # "received" | "suspended" | "rejected"
