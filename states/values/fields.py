"""The kinds of field that requests are made of: strict enough that a form, a command or a file cannot smuggle anything."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated
from unicodedata import category

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from stdnum import iban as iban_number
from stdnum.fr import siret as siret_number

DATE_PATTERN = r"^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$"
INVISIBLE = frozenset({"Cc", "Cf", "Co", "Zl", "Zp"})
SHA256_PATTERN = r"^[0-9a-f]{64}$"
AMOUNT_PATTERN = r"^[0-9]{1,9}([.,][0-9]{1,2})?$"


def _day(value: object) -> date:
    # pydantic alone would also take 86400 or a date with a time: neither is a legal date.
    if type(value) is date:
        return value
    if isinstance(value, str) and re.fullmatch(DATE_PATTERN, value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("jalon_date", "cette date n’existe pas dans le calendrier") from None
    if isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        when = "d’avant 1900" if value < "1900" else "d’après 2099"
        raise PydanticCustomError("jalon_date", f"cette date est {when} : jalon prend les dates de 1900 à 2099")
    raise PydanticCustomError("jalon_date", "une date s’écrit AAAA-MM-JJ, par exemple 2026-05-29")


def _euros(value: object) -> Decimal:
    # A float has already lost cents; True is an int in Python.
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, Decimal):
        value = format(value, "f")
    text = re.sub(r"[\s\u00a0\u202f]|€$", "", value) if isinstance(value, str) else ""
    if text.startswith("-"):
        raise PydanticCustomError("jalon_amount", "un montant n’est pas négatif")
    if re.fullmatch("[0-9]{10,}([.,][0-9]*)?", text):
        raise PydanticCustomError("jalon_amount", "ce montant est trop grand")
    if not re.fullmatch(AMOUNT_PATTERN, text):
        raise PydanticCustomError("jalon_amount", "un montant s’écrit en euros, avec deux décimales au plus, par exemple « 40000.00 »")
    return Decimal(text.replace(",", ".")).quantize(Decimal("0.01"))


def _whole(value: object) -> int:
    if isinstance(value, str) and re.fullmatch("-?[0-9]{1,9}", value):
        return int(value)
    if type(value) is int:  # not True, which is an integer in Python and none in a form
        return value
    raise PydanticCustomError("jalon_whole", "un nombre entier est attendu")


def _visible(value: object, allowed: str) -> object:
    # Control, format and separator characters hide text, break lines of a log or turn them around.
    if isinstance(value, str) and any(category(letter) in INVISIBLE and letter not in allowed for letter in value):
        raise PydanticCustomError("jalon_invisible", "ce texte contient des caractères invisibles ou un saut de ligne")
    return value


def _compact(value: object) -> str:
    """A number as people write it, without its spaces, dots and hyphens; empty when it cannot be one."""
    text = re.sub(r"[\s.\-]", "", value).upper() if isinstance(value, str) else ""
    return text if text.isascii() else ""


def _siret(value: object) -> str:
    compact = _compact(value)
    if not siret_number.is_valid(compact):
        raise PydanticCustomError("jalon_siret", "ce numéro SIRET n’est pas valable (14 chiffres, avec une clé de contrôle)")
    return compact


def _iban(value: object) -> str:
    compact = _compact(value)
    if not iban_number.is_valid(compact):
        raise PydanticCustomError("jalon_iban", "cet IBAN n’est pas valable : vérifiez chaque chiffre")
    return compact


def _form(pattern: str, format_: str | None = None) -> FieldInfo:
    """What a web form is told: Prefect checks the pattern in the browser and on the server."""
    extra: JsonDict = {"type": "string", "pattern": pattern}
    if format_:
        extra["format"] = format_
    field: FieldInfo = Field(json_schema_extra=extra)
    return field


Day = Annotated[date, BeforeValidator(_day), _form(DATE_PATTERN, "date")]
Euros = Annotated[
    Decimal,
    BeforeValidator(_euros, json_schema_input_type=str),
    PlainSerializer(lambda amount: format(amount, ".2f"), return_type=str),
]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), BeforeValidator(partial(_visible, allowed=""))
]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), BeforeValidator(partial(_visible, allowed="\n\t"))]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN)]
Siret = Annotated[str, BeforeValidator(_siret)]
Iban = Annotated[str, BeforeValidator(_iban)]
Department = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|97[1-8]|98[6-8])$")]
InseeCode = Annotated[str, StringConstraints(to_upper=True, pattern=r"^([0-9]{2}|2[AB])[0-9]{3}$")]
AcademicYear = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-20[0-9]{2}$")]
WHOLE = BeforeValidator(_whole)
Count = Annotated[int, Field(ge=0, le=100_000), WHOLE]
Number = Annotated[int, Field(ge=1, le=100_000), WHOLE]
Days = Annotated[int, Field(ge=0, le=366), WHOLE]
Mail = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")
]
