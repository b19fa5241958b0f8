"""What the keeping of a dossier asks: its opening and its end, papers, delegations, what is taken back."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.convention.requests import PartiesAsked, TermsAsked
from states.grammar.request import Request
from states.values.fields import Day, Line, Number, Paragraph, Sha256


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


class Attachment(Request):
    """A paper added to the dossier."""

    dated_by: ClassVar[str] = "attached_on"

    title: Line = Field(title="Intitulé du document")
    sha256: Sha256 = Field(title="Empreinte sha256 du document")
    attached_on: Day | None = Field(None, title="Date de la pièce")


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


class Motive(Request):
    """Why."""

    dated_by: ClassVar[str] = "decided_on"

    motive: Paragraph = Field("", title="Motif", description="Sans nom ni adresse de stagiaire")
    decided_on: Day | None = Field(None, title="Date de la décision")
