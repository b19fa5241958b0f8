"""What the steps of an invoice ask."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.grammar.request import Request
from states.values.fields import Day, Euros, Iban, Line, Sha256, Siret


class InvoiceReceived(Request):
    """An invoice of the university, as it reads."""

    dated_by: ClassVar[str] = "received_on"

    number: Line = Field(title="Numéro de la facture")
    issued_on: Day = Field(title="Date de la facture")
    received_on: Day | None = Field(None, title="Date de réception", description="À défaut, la date de la facture")
    amount: Euros = Field(title="Montant de la facture, en euros")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field("EUR", title="Devise")
    kind: Literal["invoice", "credit_note"] = Field("invoice", title="Nature (facture ou avoir)")
    supplier_siret: Siret = Field(title="SIRET du fournisseur")
    iban: Iban | None = Field(None, title="IBAN écrit sur la facture")
    document_sha256: Sha256 = Field(title="Empreinte sha256 de la facture")

    def effective_on(self, today: date) -> date:  # noqa: ARG002 - without another date, an invoice has come on its own
        return self.received_on or self.issued_on

    @model_validator(mode="after")
    def _arrives_once_issued(self) -> Self:
        if self.received_on is not None and self.received_on < self.issued_on:
            raise PydanticCustomError("jalon_order", "la facture est reçue le jour de sa date, ou après")
        return self


class Resumption(Request):
    """The cause of the suspension is gone."""

    dated_by: ClassVar[str] = "resumed_on"

    resumed_on: Day | None = Field(None, title="Date de la reprise")
