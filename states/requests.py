"""What each step asks. These models are the forms, the options of the commands and the JSON.

`dated_by` names the field that holds the legal date of the fact (`effective_on`); when a person leaves
it out, the day of the recording is taken.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.convention import Asked, PartiesAsked, TermsAsked
from states.fields import (
    WHOLE,
    AcademicYear,
    Count,
    Day,
    Department,
    Euros,
    Iban,
    InseeCode,
    Line,
    Number,
    Paragraph,
    Sha256,
    Siret,
)

Point = Literal["audience", "objectives", "course", "steering", "commitments", "finance"]
POINT_LABELS: dict[str, str] = {
    "audience": "la présentation de la formation et le public visé",
    "objectives": "les objectifs de la formation",
    "course": "le déroulement de la formation",
    "steering": "le pilotage et le suivi administratif",
    "commitments": "les engagements respectifs",
    "finance": "les dispositions financières",
}


class Request(Asked):
    """What a step asks; `dated_by` is the field of its legal date."""

    dated_by: ClassVar[str]
    personal: ClassVar[tuple[str, ...]] = ()

    def effective_on(self, today: date) -> date:
        """The legal date of the fact; `today` when the request names none."""
        day: date | None = getattr(self, self.dated_by)
        return day or today


class DossierFile(Request):
    """What `jalon open` reads."""

    dated_by: ClassVar[str] = "opened_on"

    reference: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{2,59}$")] = Field(
        title="Référence du dossier", description="Majuscules, chiffres et tirets, par exemple CDG62-ARTOIS-DUSGM-2025"
    )
    opened_on: Day | None = Field(None, title="Date d’ouverture")
    imported: bool = Field(default=False, title="Dossier repris avec son passé")
    parties: PartiesAsked = Field(title="Parties")
    terms: TermsAsked = Field(title="Conditions")


class Deliberation(Request):
    """One item of a board session. Without seats, names and votes the roll call is unknown."""

    dated_by: ClassVar[str] = "held_on"

    held_on: Day = Field(title="Date de la séance")
    act_number: Line | None = Field(None, title="Numéro de la délibération")
    seats: Annotated[int, Field(ge=1, le=500), WHOLE] | None = Field(None, title="Nombre de sièges en exercice")
    present: tuple[Line, ...] | None = Field(None, title="Membres présents", description="Un nom et sa qualité pour chacun")
    absent: tuple[Line, ...] | None = Field(None, title="Membres absents ou excusés", description="Un nom et sa qualité pour chacun")
    proxies: Count = Field(0, title="Pouvoirs reçus par les présents")
    chair: Line | None = Field(None, title="Présidence de séance")
    secretary: Line | None = Field(None, title="Secrétaire de séance")
    votes_for: Count | None = Field(None, title="Voix pour")
    votes_against: Count | None = Field(None, title="Voix contre")
    abstentions: Count | None = Field(None, title="Abstentions")

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        present = len(self.present or ())
        if len(set(self.present or ())) != present:
            raise PydanticCustomError("jalon_roll", "un membre présent est nommé deux fois")
        if set(self.present or ()) & set(self.absent or ()):
            raise PydanticCustomError("jalon_roll", "un membre est à la fois présent et absent")
        if self.seats is not None and present + len(self.absent or ()) > self.seats:
            raise PydanticCustomError("jalon_roll", "il y a plus de membres présents et absents que de sièges")
        if self.seats is not None and self.present is not None and present + self.proxies > self.seats:
            raise PydanticCustomError("jalon_roll", "il y a plus de pouvoirs que de membres absents")
        votes = sum(count or 0 for count in (self.votes_for, self.votes_against, self.abstentions))
        if self.present is not None and votes > present + self.proxies:
            raise PydanticCustomError("jalon_votes", "il y a plus de voix que de membres présents et de pouvoirs")
        return self


class Conditions(Asked):
    """The conditions that the board validates."""

    rate: Euros = Field(title="Montant par stagiaire, en euros")
    cap: Annotated[int, Field(ge=1, le=10_000), WHOLE] = Field(title="Nombre maximal de stagiaires")
    department: Department = Field(title="Département de résidence exigé")
    academic_year: AcademicYear = Field(title="Année universitaire")


class ConditionsValidated(Deliberation):
    """The act of the signature: a deliberation and the conditions it validates."""

    conditions: Conditions = Field(title="Conditions validées")


class Termination(Deliberation):
    """A deliberation that ends the partnership, with its motive."""

    motive: Paragraph = Field("", title="Motif")


class Signatory(Asked):
    """Who signed, for which side."""

    party: Literal["cdg", "university"] = Field(title="Partie")
    name: Line = Field(title="Nom")
    title: Line = Field(title="Qualité")


class SignatureAsked(Request):
    """The signed convention."""

    dated_by: ClassVar[str] = "signed_on"

    signed_on: Day = Field(title="Date de signature")
    signatories: tuple[Signatory, ...] = Field(title="Signataires", description="Un pour chaque partie : cdg et university")
    document_sha256: Sha256 = Field(title="Empreinte sha256 de la convention signée")
    points: tuple[Point, ...] = Field(title="Points que la convention contient", description="Les six points de la convention")


class Opening(Request):
    """The opening of the training."""

    dated_by: ClassVar[str] = "starts_on"

    starts_on: Day = Field(title="Début de la formation")
    ends_on: Day = Field(title="Fin prévue de la formation")
    hours: Annotated[int, Field(ge=1, le=5000), WHOLE] = Field(title="Nombre d’heures prévues")

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.ends_on < self.starts_on:
            raise PydanticCustomError("jalon_order", "la formation doit finir après avoir commencé")
        return self


class TraineeRetained(Request):
    """A trainee whom the selection has retained. The only request that holds personal data."""

    dated_by: ClassVar[str] = "retained_on"
    personal: ClassVar[tuple[str, ...]] = ("family_name", "given_name", "born_on")

    number: Number | None = Field(None, title="Numéro du stagiaire", description="Attribué par jalon si absent")
    family_name: Line = Field(title="Nom de famille")
    given_name: Line = Field(title="Prénom")
    born_on: Day = Field(title="Date de naissance")
    rank: Number = Field(title="Rang de sélection")
    fee_regime: Literal["continuing", "initial"] = Field("continuing", title="Régime (formation continue ou initiale)")
    insee: InseeCode = Field(title="Code INSEE de la commune de résidence", description="Par exemple 62119 pour Béthune")
    retained_on: Day = Field(title="Date à laquelle le stagiaire a été retenu")


class ResidenceVerified(Request):
    """Someone has seen a proof of residence. No copy of it is kept."""

    dated_by: ClassVar[str] = "verified_on"

    trainee: Number = Field(title="Numéro du stagiaire")
    insee: InseeCode = Field(title="Code INSEE de la commune vérifiée")
    evidence_kind: Literal["tax_notice", "utility_bill", "rent_receipt", "employer_statement", "other"] = Field(
        title="Nature du justificatif vu"
    )
    verified_on: Day = Field(title="Date de la vérification")


class CommitteeHeld(Request):
    """A meeting of the steering committee."""

    dated_by: ClassVar[str] = "held_on"

    held_on: Day = Field(title="Date du comité de pilotage")
    minutes_sha256: Sha256 = Field(title="Empreinte sha256 du compte rendu")


class Attachment(Request):
    """A paper added to the dossier."""

    dated_by: ClassVar[str] = "attached_on"

    title: Line = Field(title="Intitulé du document")
    sha256: Sha256 = Field(title="Empreinte sha256 du document")
    attached_on: Day | None = Field(None, title="Date de la pièce")


class Completion(Request):
    """The end of the training."""

    dated_by: ClassVar[str] = "ended_on"

    ended_on: Day = Field(title="Date de fin de la formation")
    attestation_sha256: Sha256 = Field(title="Empreinte sha256 de l’attestation de fin de formation")


class ResultPresented(Request):
    """The operating result (résultat d’exploitation) that the convention promises."""

    dated_by: ClassVar[str] = "presented_on"

    presented_on: Day = Field(title="Date de présentation")
    document_sha256: Sha256 = Field(title="Empreinte sha256 du résultat d’exploitation")


class InvoiceReceived(Request):
    """An invoice of the university, as it reads."""

    dated_by: ClassVar[str] = "issued_on"

    number: Line = Field(title="Numéro de la facture")
    issued_on: Day = Field(title="Date de la facture")
    amount: Euros = Field(title="Montant à payer, en euros")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field("EUR", title="Devise")
    kind: Literal["invoice", "credit_note"] = Field("invoice", title="Nature (facture ou avoir)")
    supplier_siret: Siret = Field(title="SIRET du fournisseur")
    iban: Iban | None = Field(None, title="IBAN écrit sur la facture")
    document_sha256: Sha256 = Field(title="Empreinte sha256 de la facture")


class Motive(Request):
    """Why."""

    dated_by: ClassVar[str] = "decided_on"

    motive: Paragraph = Field("", title="Motif")
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


class Closing(Request):
    """Nothing is left to do."""

    dated_by: ClassVar[str] = "closed_on"

    closed_on: Day | None = Field(None, title="Date de clôture")


class Review(Request):
    """The rules are asked again what they find in the dossier."""

    dated_by: ClassVar[str] = "reviewed_on"

    reviewed_on: Day | None = Field(None, title="Date de la revue")
