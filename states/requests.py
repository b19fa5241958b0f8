"""What each step asks. These models are the forms, the options of the commands and the JSON.

Those of the board, of the trainees and of the money have a module each.
`dated_by` names the field that holds the legal date of the fact (`effective_on`); when a person leaves
it out, the day of the recording is taken.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.convention import Asked, PartiesAsked, TermsAsked
from states.fields import WHOLE, Day, Line, Number, Paragraph, Sha256

Point = Literal["audience", "objectives", "course", "steering", "commitments", "finance"]


class Request(Asked):
    """What a step asks; `dated_by` is the field of its legal date."""

    dated_by: ClassVar[str]
    personal: ClassVar[tuple[str, ...]] = ()  # fields that hold personal data of trainees
    people: ClassVar[tuple[str, ...]] = ()  # fields that name a person of the register

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


class Signatory(Asked):
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


class Closing(Request):
    """Nothing is left to do."""

    dated_by: ClassVar[str] = "closed_on"

    closed_on: Day | None = Field(None, title="Date de clôture")


class Review(Request):
    """The rules are asked again what they find in the dossier."""

    dated_by: ClassVar[str] = "reviewed_on"

    reviewed_on: Day | None = Field(None, title="Date de la revue")


class Undoing(Request):
    """A named entry of the journal is taken back: the dossier is what it would be without it, and the journal tells both."""

    dated_by: ClassVar[str] = "decided_on"

    motive: Paragraph = Field("", title="Motif", description="Sans nom ni adresse de stagiaire")
    entry: Number = Field(
        title="Numéro de l’entrée du journal à annuler", description="Le numéro que donnent la page du dossier et « jalon show »"
    )
    decided_on: Day | None = Field(None, title="Date de la décision")


Lent = Literal["training_officer", "board_secretary", "finance_officer", "authorising_officer", "public_accountant"]


class DelegationGiven(Request):
    """Somebody lends a role to somebody else, for a time."""

    dated_by: ClassVar[str] = "decided_on"
    people: ClassVar[tuple[str, ...]] = ("to",)

    role: Lent = Field(title="Rôle délégué")
    to: Line = Field(title="Personne du registre qui reçoit la délégation")
    starts_on: Day = Field(title="Premier jour")
    ends_on: Day = Field(title="Dernier jour")
    decided_on: Day | None = Field(None, title="Date de la décision")

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.ends_on < self.starts_on:
            raise PydanticCustomError("jalon_order", "la délégation doit finir après avoir commencé")
        return self
