"""The kinds of field that requests are made of: strict enough that a form, a command or a file cannot smuggle anything."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints
from pydantic_core import PydanticCustomError
from stdnum import iban as iban_number
from stdnum.fr import siret as siret_number

DATE_PATTERN = r"^(19|20)\d{2}-\d{2}-\d{2}$"
AMOUNT_PATTERN = r"^\d{1,9}([.,]\d{1,2})?$"


def _day(value: object) -> date:
    # pydantic alone would also take 86400 or a date with a time: neither is a legal date.
    if type(value) is date:
        return value
    if isinstance(value, str) and re.fullmatch(DATE_PATTERN, value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("jalon_date", "cette date n’existe pas dans le calendrier") from None
    raise PydanticCustomError("jalon_date", "une date s’écrit AAAA-MM-JJ, par exemple 2026-05-29")


def _euros(value: object) -> Decimal:
    # A float has already lost cents; True is an int in Python.
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, Decimal):
        value = format(value, "f")
    text = re.sub(r"[\s\u00a0\u202f]|€$", "", value) if isinstance(value, str) else ""
    if not re.fullmatch(AMOUNT_PATTERN, text):
        raise PydanticCustomError(
            "jalon_amount", "un montant s’écrit en euros entre guillemets, avec deux décimales au plus, par exemple « 40000.00 »"
        )
    return Decimal(text.replace(",", ".")).quantize(Decimal("0.01"))


def _clean(value: object) -> object:
    if isinstance(value, str) and any(ord(letter) < 32 and letter not in "\n\t" for letter in value):
        raise PydanticCustomError("jalon_control", "ce texte contient des caractères invisibles")
    return value


def _siret(value: object) -> object:
    compact = re.sub(r"[\s\u00a0.]", "", value) if isinstance(value, str) else value
    if not isinstance(compact, str) or not siret_number.is_valid(compact):
        raise PydanticCustomError("jalon_siret", "ce numéro SIRET n’est pas valable (14 chiffres, avec une clé de contrôle)")
    return compact


def _iban(value: object) -> object:
    compact = re.sub(r"\s", "", value).upper() if isinstance(value, str) else value
    if not isinstance(compact, str) or not iban_number.is_valid(compact):
        raise PydanticCustomError("jalon_iban", "cet IBAN n’est pas valable : vérifiez chaque chiffre")
    return compact


def _form(pattern: str, format_: str | None = None) -> Any:
    """What a web form is told: Prefect checks the pattern in the browser and on the server."""
    extra: dict[str, Any] = {"type": "string", "pattern": pattern}
    if format_:
        extra["format"] = format_
    return Field(json_schema_extra=extra)


Day = Annotated[date, BeforeValidator(_day), _form(DATE_PATTERN, "date")]
Euros = Annotated[
    Decimal,
    BeforeValidator(_euros, json_schema_input_type=str),
    PlainSerializer(lambda amount: format(amount, ".2f"), return_type=str),
]
Line = Annotated[str, BeforeValidator(_clean), StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Paragraph = Annotated[str, BeforeValidator(_clean), StringConstraints(strip_whitespace=True, max_length=2000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Siret = Annotated[str, BeforeValidator(_siret)]
Iban = Annotated[str, BeforeValidator(_iban)]
Department = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|[1-8]\d|9[0-5]|2[AB]|97[1-8]|98[6-8])$")]
InseeCode = Annotated[str, StringConstraints(pattern=r"^(\d{2}|2[AB])\d{3}$")]
AcademicYear = Annotated[str, StringConstraints(pattern=r"^20\d{2}-20\d{2}$")]
Count = Annotated[int, Field(ge=0, le=100_000, strict=False)]
Mail = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")
]
