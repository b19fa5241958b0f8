"""What the steps about money ask: the invoice, its settlement, the order, the payment, the account, the recovery."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.fields import WHOLE, Day, Euros, Iban, Line, Number, Paragraph, Sha256, Siret
from states.requests import Request


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


class Motive(Request):
    """Why."""

    dated_by: ClassVar[str] = "decided_on"

    motive: Paragraph = Field("", title="Motif", description="Sans nom ni adresse de stagiaire")
    decided_on: Day | None = Field(None, title="Date de la décision")


class Resumption(Request):
    """The cause of the suspension is gone."""

    dated_by: ClassVar[str] = "resumed_on"

    resumed_on: Day | None = Field(None, title="Date de la reprise")


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


class RecoveryOrdered(Request):
    """A trainee who was paid for turns out not to be eligible: the university gives the money back."""

    dated_by: ClassVar[str] = "ordered_on"

    trainee: Number = Field(title="Numéro du stagiaire reconnu inéligible")
    motive: Paragraph = Field("", title="Motif", description="Sans nom ni adresse de stagiaire")
    order_number: Line = Field(title="Numéro du titre de recettes")
    ordered_on: Day | None = Field(None, title="Date du titre de recettes")


class RecoveryRecorded(Request):
    """The public accountant has received the money back."""

    dated_by: ClassVar[str] = "recovered_on"

    recovery: Number | None = Field(None, title="Numéro de la récupération", description="La seule en cours si absent")
    recovered_on: Day = Field(title="Date de l’encaissement")
    amount: Euros = Field(title="Montant encaissé, en euros")
    accounting_reference: Line = Field(title="Référence comptable")
