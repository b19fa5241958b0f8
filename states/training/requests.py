"""What the steps of the training ask: its opening, its end, its result, its committee."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.grammar.request import Request
from states.values.fields import WHOLE, Day, Sha256


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
