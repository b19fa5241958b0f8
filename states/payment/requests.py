"""What the money chain asks: the settlement, the order, the payment, the account."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.grammar.request import Request
from states.values.fields import WHOLE, Day, Euros, Iban, Line, Sha256


class Certification(Request):
    """The finance officer certifies the service fait."""

    dated_by: ClassVar[str] = "certified_on"

    certified_on: Day | None = Field(None, title="Date de certification du service fait")


class PaymentOrder(Request):
    """The mandat that the authorising officer issues."""

    dated_by: ClassVar[str] = "ordered_on"

    order_number: Line = Field(title="Numéro du mandat")
    slip_number: Line = Field(title="Numéro du bordereau")
    fiscal_year: Annotated[int, Field(ge=2000, le=2100), WHOLE] = Field(title="Exercice budgétaire")
    ordered_on: Day | None = Field(None, title="Date du mandat")


class Payment(Request):
    """The return of the public accountant."""

    dated_by: ClassVar[str] = "paid_on"

    paid_on: Day = Field(title="Date du paiement")
    amount: Euros = Field(title="Montant payé, en euros")
    accounting_reference: Line = Field(title="Référence comptable")


class PayeeProposed(Request):
    """The university says that it has another account."""

    dated_by: ClassVar[str] = "proposed_on"

    holder: Line = Field(title="Titulaire du nouveau compte")
    iban: Iban = Field(title="Nouvel IBAN")
    document_sha256: Sha256 = Field(title="Empreinte sha256 du relevé d’identité bancaire")
    proposed_on: Day | None = Field(None, title="Date de la proposition")


class PayeeConfirmed(Request):
    """A second person has called the university, at a number that was known before, and confirms its other account."""

    dated_by: ClassVar[str] = "confirmed_on"

    called_on: Day = Field(title="Date du contre-appel")
    contact: Line = Field(title="Service appelé", description="Une fonction ou un service, à un numéro connu avant la proposition")
    iban: Iban = Field(title="IBAN confirmé au téléphone")
    confirmed_on: Day | None = Field(None, title="Date de la confirmation")

    @model_validator(mode="after")
    def _calls_before_confirming(self) -> Self:
        if self.confirmed_on is not None and self.called_on > self.confirmed_on:
            raise PydanticCustomError("jalon_order", "le contre-appel doit précéder la confirmation")
        return self
