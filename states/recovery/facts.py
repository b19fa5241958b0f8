"""Money to be given back. Amounts in euros."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Recovery(NamedTuple):
    """Money to be given back: ordered (titre de recettes), then recovered. `amount` in euros."""

    number: int
    trainee: int
    amount: Decimal
    motive: str
    order_number: str
    ordered_on: date
    ordered_by: str
    ordered_for: str | None
    recovered_on: date | None
    recovered_by: str | None
    accounting_reference: str | None
