"""What the convention asks: its parties, its terms, its signatures and its amendments."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.board.requests import Deliberation
from states.grammar.request import Request
from states.values.fields import WHOLE, AcademicYear, Day, Days, Department, Euros, Iban, Line, Sha256, Siret
from states.values.payload import Payload

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


class CdgParty(Payload):
    """The management centre."""

    name: Line = Field(title="Nom du centre de gestion")
    siret: Siret = Field(title="SIRET du centre de gestion")
    department: Department = Field(title="Département du centre de gestion")
    calendar: Calendar = Field("metropole", title="Calendrier des jours fériés")


class Payee(Payload):
    """The account that the convention names."""

    holder: Line = Field(title="Titulaire du compte (agent comptable)")
    iban: Iban = Field(title="IBAN fixé par la convention")


class UniversityParty(Payload):
    """The university."""

    name: Line = Field(title="Nom de l’université")
    siret: Siret = Field(title="SIRET de l’université")
    payee: Payee = Field(title="Compte à payer")


class PartiesAsked(Payload):
    """Both sides of the convention."""

    cdg: CdgParty = Field(title="Centre de gestion")
    university: UniversityParty = Field(title="Université")

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.cdg.siret == self.university.siret:
            raise PydanticCustomError("jalon_parties", "le centre de gestion et l’université ne peuvent pas avoir le même SIRET")
        return self


class Fees(Payload):
    """The university's own fees, in euros per trainee."""

    continuing: Euros | None = Field(None, title="Tarif en formation continue")
    initial: Euros | None = Field(None, title="Tarif en formation initiale")


class TermsAsked(Payload):
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


Point = Literal["audience", "objectives", "course", "steering", "commitments", "finance"]


class Signatory(Payload):
    """Who signed, for which side."""

    party: Literal["cdg", "university"] = Field(title="Partie")
    name: Line = Field(title="Nom")
    title: Line = Field(title="Qualité")


class SignatureAsked(Request):
    """The signed convention."""

    dated_by: ClassVar[str] = "signed_on"

    signed_on: Day = Field(title="Date de signature")
    signatories: tuple[Signatory, ...] = Field(title="Signataires", description="Un pour le centre de gestion, un pour l’université")
    document_sha256: Sha256 = Field(title="Empreinte sha256 de la convention signée")
    points: tuple[Point, ...] = Field(title="Points que la convention contient", description="Les six points de la convention")


class TermsChanged(Payload):
    """What an amendment changes of the terms; what is left out stays."""

    rate: Euros | None = Field(None, title="Montant par stagiaire, en euros")
    cap: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = Field(None, title="Nombre maximal de stagiaires")
    amount_mode: AmountMode | None = Field(None, title="Mode de calcul")
    fees: Fees = Field(Fees(continuing=None, initial=None), title="Tarifs de l’université")
    dropout_policy: DropoutPolicy | None = Field(None, title="Si un stagiaire abandonne après le début")
    result_policy: ResultPolicy | None = Field(None, title="Si le résultat d’exploitation n’a pas été présenté")
    year_ends_on: Day | None = Field(None, title="Fin de l’année universitaire")

    @model_validator(mode="after")
    def _pays_something(self) -> Self:
        if self.rate is not None and self.rate <= 0:
            raise PydanticCustomError("jalon_rate", "le montant par stagiaire doit être supérieur à zéro")
        return self


class Amendment(Request):
    """An amendment (avenant): its own deliberation, its own signatures, the day from which it holds."""

    dated_by: ClassVar[str] = "signed_on"

    signed_on: Day = Field(title="Date de signature de l’avenant")
    takes_effect_on: Day = Field(title="Date d’effet")
    signatories: tuple[Signatory, ...] = Field(title="Signataires", description="Un pour le centre de gestion, un pour l’université")
    document_sha256: Sha256 = Field(title="Empreinte sha256 de l’avenant signé")
    points: tuple[Point, ...] = Field((), title="Points que l’avenant modifie")
    deliberation: Deliberation = Field(title="Délibération qui l’autorise")
    changes: TermsChanged = Field(title="Ce qui change")
