"""What the steps about trainees ask. Only these requests may hold personal data: those that retain somebody."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal, Protocol, Self, TypeVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.grammar.request import Request
from states.values.fields import WHOLE, Day, InseeCode, Line, Number, Paragraph, Sha256


class Residing(Protocol):
    """A request that says where somebody lives, by code or by name."""

    insee: str | None
    commune: str | None


R = TypeVar("R", bound=Residing)


def _with_a_commune(residence: R) -> R:
    if residence.insee is None and residence.commune is None:
        raise PydanticCustomError("jalon_commune", "il faut le code INSEE de la commune, ou son nom")
    if residence.commune is not None and not any(letter.isalpha() for letter in residence.commune):
        raise PydanticCustomError("jalon_commune", "un code postal ne dit pas la commune : donnez son nom, ou son code INSEE à part")
    return residence


class TraineeRetained(Request):
    """A trainee whom the selection has retained: names and a date of birth."""

    dated_by: ClassVar[str] = "retained_on"
    personal: ClassVar[tuple[str, ...]] = ("family_name", "given_name", "born_on")

    number: Number | None = Field(None, title="Numéro du stagiaire", description="Attribué par jalon si absent")
    family_name: Line = Field(title="Nom de famille")
    given_name: Line = Field(title="Prénom")
    born_on: Day = Field(title="Date de naissance")
    rank: Number = Field(title="Rang de sélection")
    fee_regime: Literal["continuing", "initial"] = Field("continuing", title="Régime (formation continue ou initiale)")
    insee: InseeCode | None = Field(None, title="Code INSEE de la commune de résidence", description="Par exemple 62119 pour Béthune")
    commune: Line | None = Field(
        None, title="Nom de la commune, à défaut du code", description="« Athies (62) » quand plusieurs portent ce nom"
    )
    retained_on: Day = Field(title="Date à laquelle le stagiaire a été retenu")

    @model_validator(mode="after")
    def _lives_somewhere(self) -> Self:
        return _with_a_commune(self)


class ResidenceVerified(Request):
    """Someone has seen a proof of residence. No copy of it is kept."""

    dated_by: ClassVar[str] = "verified_on"

    trainee: Number = Field(title="Numéro du stagiaire")
    insee: InseeCode | None = Field(None, title="Code INSEE de la commune vérifiée")
    commune: Line | None = Field(
        None, title="Nom de la commune, à défaut du code", description="« Athies (62) » quand plusieurs portent ce nom"
    )
    evidence_kind: Literal["tax_notice", "utility_bill", "rent_receipt", "employer_statement", "other"] = Field(
        title="Nature du justificatif vu"
    )
    verified_on: Day = Field(title="Date de la vérification")
    correction: bool = Field(
        default=False, title="Corrige une vérification erronée", description="Sinon, une autre commune est un déménagement"
    )

    @model_validator(mode="after")
    def _lives_somewhere(self) -> Self:
        return _with_a_commune(self)


class TraineesRetained(Request):
    """Several trainees at once, as a spreadsheet gives them: all of them, or none."""

    dated_by: ClassVar[str] = "decided_on"
    personal: ClassVar[tuple[str, ...]] = ("trainees",)

    trainees: Annotated[tuple[TraineeRetained, ...], Field(min_length=1, max_length=10_000)] = Field(title="Stagiaires")
    decided_on: Day | None = Field(None, title="Date de la décision", description="La dernière date de sélection si absente")
    file_sha256: Sha256 | None = Field(None, title="Empreinte sha256 du tableau")

    def effective_on(self, today: date) -> date:  # noqa: ARG002 - each of them has a date of its own
        """The day of the decision, or the last day on which one of them was retained."""
        return self.decided_on or max(trainee.retained_on for trainee in self.trainees)


class DropoutRecorded(Request):
    """A trainee has left, before or after the start of the training."""

    dated_by: ClassVar[str] = "left_on"

    trainee: Number = Field(title="Numéro du stagiaire")
    left_on: Day = Field(title="Date du départ")
    hours_done: Annotated[int, Field(ge=0, le=5000), WHOLE] | None = Field(None, title="Heures suivies")
    reason: Literal["resignation", "employer", "exclusion", "other"] = Field(
        "other", title="Cause", description="resignation : abandon ; employer : retrait par l’employeur ; exclusion ; other : autre"
    )


class TraineeCorrected(Request):
    """The selection has parted equal ranks, or a rank or a regime was typed wrong."""

    dated_by: ClassVar[str] = "decided_on"

    trainee: Number = Field(title="Numéro du stagiaire")
    rank: Number | None = Field(None, title="Rang de sélection")
    fee_regime: Literal["continuing", "initial"] | None = Field(None, title="Régime (formation continue ou initiale)")
    motive: Paragraph = Field("", title="Motif", description="Sans nom ni adresse de stagiaire")
    decided_on: Day | None = Field(None, title="Date de la décision")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.rank is None and self.fee_regime is None:
            raise PydanticCustomError("jalon_change", "il faut un rang ou un régime à corriger")
        return self


class Exclusion(Request):
    """After the payment, a trainee turns out not to have been eligible."""

    dated_by: ClassVar[str] = "excluded_on"

    trainee: Number = Field(title="Numéro du stagiaire")
    motive: Paragraph = Field("", title="Motif", description="Sans nom ni adresse de stagiaire")
    excluded_on: Day | None = Field(None, title="Date du constat")


def selected(request: Request) -> tuple[TraineeRetained, ...]:
    """The trainees whom a request retains, in its order; none for any other request."""
    if not request.personal:
        return ()  # pydantic's isinstance asks much; nearly every request ends here
    if type(request) is TraineesRetained:
        return request.trainees
    return (request,) if type(request) is TraineeRetained else ()


def residing(request: Request) -> tuple[TraineeRetained | ResidenceVerified, ...]:
    """The parts of a request that say where somebody lives, in its order."""
    return (request,) if type(request) is ResidenceVerified else selected(request)


def residences_of(request: Request) -> tuple[str, ...]:
    """The communes that a request names, by code or by name, in its order."""
    return tuple(residence.insee or residence.commune or "" for residence in residing(request))
