"""What a recovery asks: its order, its receipt."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from states.grammar.request import Request
from states.values.fields import Day, Euros, Line, Number, Paragraph


class RecoveryOrdered(Request):
    """A trainee who was paid for turns out not to be eligible: the university gives the money back."""

    dated_by: ClassVar[str] = "ordered_on"
    unsaid: ClassVar[tuple[str, ...]] = ("motive",)  # it is written freely, and about one trainee

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
