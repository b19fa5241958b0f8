"""The values that a dossier file is made of: the parties to a convention and its terms."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from states.fields import WHOLE, AcademicYear, Day, Department, Euros, Iban, Line, Siret


def _without_docstring(schema: dict[str, Any]) -> None:
    # A docstring is English and for whoever reads the code; a form is French.
    schema.pop("description", None)


class Asked(BaseModel):
    """A value that a person gives: nothing unknown is let in, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, json_schema_extra=_without_docstring)


class CdgParty(Asked):
    """The management centre."""

    name: Line = Field(title="Nom du centre de gestion")
    siret: Siret = Field(title="SIRET du centre de gestion")
    department: Department = Field(title="Département du centre de gestion")
    calendar: Literal["metropole", "alsace-moselle", "outre-mer"] = Field("metropole", title="Calendrier des jours fériés")


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
    amount_mode: Literal["flat", "capped_at_fee"] = Field("flat", title="Mode de calcul")
    fees: Fees = Field(Fees(continuing=None, initial=None), title="Tarifs de l’université")
    quorum_rule: Literal["majority", "at_least_half", "half_plus_one"] = Field("majority", title="Règle de quorum du conseil")
    result_policy: Literal["block", "warn", "ignore"] = Field(
        "block", title="Si le résultat d’exploitation n’a pas été présenté", description="block refuse la liquidation, warn la signale"
    )

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
