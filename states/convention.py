"""The values that a dossier file is made of: the parties to a convention and its terms."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from states.choices import LABELS, choices, coded
from states.facts import Terms
from states.fields import WHOLE, AcademicYear, Day, Days, Department, Euros, Iban, Line, Siret
from states.french import day, euros

Calendar = Literal[
    "metropole",
    "alsace-moselle",
    "guadeloupe",
    "guyane",
    "la-reunion",
    "martinique",
    "mayotte",
    "nouvelle-caledonie",
    "polynesie-francaise",
    "saint-barthelemy",
    "saint-martin",
    "saint-pierre-et-miquelon",
    "wallis-et-futuna",
]
AmountMode = Literal["flat", "capped_at_fee"]
DropoutPolicy = Literal["full", "prorata", "none"]
QuorumRule = Literal["majority", "at_least_half", "half_plus_one", "none_after_reconvocation"]
ResultPolicy = Literal["block", "warn", "ignore"]


def _without_docstring(schema: dict[str, Any]) -> None:
    # A docstring is English and for whoever reads the code; a form is French.
    schema.pop("description", None)


@cache
def _offered(asked: type[BaseModel]) -> dict[str, frozenset[str]]:
    """The fields of a request that hold one of a few codes, with these."""
    found = {name: frozenset(choices(field.annotation)) for name, field in asked.model_fields.items()}
    return {name: codes for name, codes in found.items() if codes}


class Asked(BaseModel):
    """A value that a person gives: nothing unknown is let in, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, json_schema_extra=_without_docstring)

    @model_validator(mode="before")
    @classmethod
    def in_codes(cls, asked: Any) -> Any:
        """A form offers the choices in French; what is kept are their codes."""
        offered = _offered(cls)
        if not offered or not isinstance(asked, dict):
            return asked
        return {name: coded(value, offered[name]) if name in offered else value for name, value in asked.items()}


class CdgParty(Asked):
    """The management centre."""

    name: Line = Field(title="Nom du centre de gestion")
    siret: Siret = Field(title="SIRET du centre de gestion")
    department: Department = Field(title="Département du centre de gestion")
    calendar: Calendar = Field("metropole", title="Calendrier des jours fériés")


class Payee(Asked):
    """The account that the convention names."""

    holder: Line = Field(title="Titulaire du compte (agent comptable)")
    iban: Iban = Field(title="IBAN fixé par la convention")


class UniversityParty(Asked):
    """The university."""

    name: Line = Field(title="Nom de l’université")
    siret: Siret = Field(title="SIRET de l’université")
    payee: Payee = Field(title="Compte à payer")


class PartiesAsked(Asked):
    """Both sides of the convention."""

    cdg: CdgParty = Field(title="Centre de gestion")
    university: UniversityParty = Field(title="Université")

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.cdg.siret == self.university.siret:
            raise PydanticCustomError("jalon_parties", "le centre de gestion et l’université ne peuvent pas avoir le même SIRET")
        return self


class Fees(Asked):
    """The university's own fees, in euros per trainee."""

    continuing: Euros | None = Field(None, title="Tarif en formation continue")
    initial: Euros | None = Field(None, title="Tarif en formation initiale")


class TermsAsked(Asked):
    """The terms of the convention."""

    academic_year: AcademicYear = Field(title="Année universitaire", description="Par exemple 2025-2026")
    year_starts_on: Day | None = Field(None, title="Début de l’année universitaire", description="1er septembre si absent")
    year_ends_on: Day | None = Field(None, title="Fin de l’année universitaire", description="31 août si absent")
    rate: Euros = Field(title="Montant par stagiaire, en euros")
    cap: Annotated[int, Field(ge=1, le=10_000), WHOLE] = Field(title="Nombre maximal de stagiaires subventionnés")
    department: Department = Field(title="Département de résidence exigé")
    amount_mode: AmountMode = Field(
        "flat", title="Mode de calcul", description="flat : forfait ; capped_at_fee : le tarif de l’université s’il est plus bas"
    )
    fees: Fees = Field(Fees(continuing=None, initial=None), title="Tarifs de l’université")
    dropout_policy: DropoutPolicy | None = Field(
        None,
        title="Si un stagiaire abandonne après le début",
        description="full : payé en entier ; prorata : selon les heures ; none : rien ; sans choix, un abandon bloque la liquidation",
    )
    quorum_rule: QuorumRule = Field("majority", title="Règle de quorum du conseil")
    quorum_verified: bool = Field(default=False, title="Le texte de la règle de quorum a été vérifié")
    proxies_count: bool = Field(default=False, title="Les pouvoirs comptent pour le quorum")
    result_policy: ResultPolicy = Field(
        "block", title="Si le résultat d’exploitation n’a pas été présenté", description="block refuse la liquidation, warn la signale"
    )
    payee_cooling_days: Days = Field(2, title="Jours d’attente avant de confirmer un changement de compte")
    nature: Literal["subsidy", "service"] = Field("subsidy", title="Nature : subvention ou prestation de service")
    payment_days: Days = Field(30, title="Jours visés pour payer, à compter de la facture")

    @model_validator(mode="after")
    def _is_one_academic_year(self) -> Self:
        first, last = (int(year) for year in self.academic_year.split("-"))
        if last != first + 1:
            raise PydanticCustomError("jalon_year", "une année universitaire couvre deux années civiles qui se suivent")
        if self.rate <= 0:
            raise PydanticCustomError("jalon_rate", "le montant par stagiaire doit être supérieur à zéro")
        if self.amount_mode == "capped_at_fee" and (self.fees.continuing is None or self.fees.initial is None):
            raise PydanticCustomError("jalon_fees", "pour plafonner au tarif de l’université, il faut ses deux tarifs")
        if (self.year_ends_on or date(last, 8, 31)) <= (self.year_starts_on or date(first, 9, 1)):
            raise PydanticCustomError("jalon_year", "l’année universitaire doit finir après avoir commencé")
        return self


TERM_LABELS = {
    "rate": "montant par stagiaire",
    "cap": "nombre maximal de stagiaires",
    "department": "département de résidence",
    "academic_year": "année universitaire",
    "year_starts_on": "début de l’année universitaire",
    "year_ends_on": "fin de l’année universitaire",
    "amount_mode": "mode de calcul",
    "fee_continuing": "tarif en formation continue",
    "fee_initial": "tarif en formation initiale",
    "dropout_policy": "règle en cas d’abandon",
    "result_policy": "règle en l’absence de résultat d’exploitation",
}


def differences(before: Terms, after: Terms) -> tuple[str, ...]:
    """« nombre maximal de stagiaires : 20 → 22 », for each term that changes."""
    told = ((label, getattr(before, name), getattr(after, name)) for name, label in TERM_LABELS.items())
    return tuple(f"{label} : {_shown(old)} → {_shown(new)}" for label, old, new in told if old != new)


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return euros(value)
    if isinstance(value, date):
        return day(value)
    return "non précisé" if value is None else LABELS.get(str(value), str(value))
