"""The facts of the convention: its parties, its terms, its signatures. Euros are Decimal with two places."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Party(NamedTuple):
    """One side of the convention. The university's payee is its agent comptable, on a fixed IBAN."""

    number: int
    side: str  # "cdg" | "university"
    name: str
    siret: str
    department: str | None
    calendar: str | None
    payee_holder: str | None
    payee_iban: str | None


class Terms(NamedTuple):
    """What the convention promises. `rate` and the fees are euros per trainee."""

    number: int
    academic_year: str
    year_starts_on: date
    year_ends_on: date
    rate: Decimal
    cap: int
    department: str
    amount_mode: str  # "flat" | "capped_at_fee"
    fee_continuing: Decimal | None
    fee_initial: Decimal | None
    quorum_rule: str
    result_policy: str  # a Severity: what a missing operating result does to the settlement
    takes_effect_on: date
    dropout_policy: str | None  # "full" | "prorata" | "none"; None: the convention does not say
    proxies_count: bool  # whether a proxy counts for the quorum
    quorum_verified: bool  # whether somebody has read the text of the quorum rule
    payee_cooling_days: int  # days between proposing another account and confirming it
    nature: str  # "subsidy" | "service"
    payment_days: int  # days to pay, from the invoice on

    def fee(self, regime: str) -> Decimal | None:
        """The university's fee for `regime` ("continuing" or "initial"), when it is known."""
        return self.fee_continuing if regime == "continuing" else self.fee_initial


class Signature(NamedTuple):
    """The signed convention. A signatory who is missing is None."""

    number: int
    signed_on: date
    document_sha256: str
    cdg_name: str | None
    cdg_title: str | None
    university_name: str | None
    university_title: str | None
    points: tuple[str, ...]
