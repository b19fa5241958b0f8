"""What a person gives: the strict base of every request, and of every group of fields in one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.config import JsonDict

from states.values.choices import choices, coded


def _without_docstring(schema: JsonDict) -> None:
    # A docstring is English and for whoever reads the code; a form is French.
    schema.pop("description", None)


class Payload(BaseModel):
    """A value that a person gives: nothing unknown is let in, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, json_schema_extra=_without_docstring)
    offered: ClassVar[Mapping[str, frozenset[str]]] = {}  # the fields that hold one of a few codes, with these

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        codes = {name: frozenset(choices(field.annotation)) for name, field in cls.model_fields.items()}
        cls.offered = {name: found for name, found in codes.items() if found}

    @model_validator(mode="before")
    @classmethod
    def in_codes(cls, fields: object) -> object:
        """A form offers the choices in French; what the journal holds are their codes."""
        if not cls.offered or not isinstance(fields, dict):
            return fields
        return {name: coded(value, cls.offered[name]) if name in cls.offered else value for name, value in fields.items()}
