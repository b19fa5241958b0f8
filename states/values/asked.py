"""What a person gives: the strict base of every request."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from states.values.choices import choices, coded


def _without_docstring(schema: dict[str, Any]) -> None:
    # A docstring is English and for whoever reads the code; a form is French.
    schema.pop("description", None)


@cache
def _offered(asked: type[BaseModel]) -> dict[str, frozenset[str]]:
    """The fields of a request that hold one of a few codes, with these."""
    found = {name: frozenset(choices(field.annotation)) for name, field in asked.model_fields.items()}
    return {name: codes for name, codes in found.items() if codes}


class Asked(BaseModel):
    """A value that a person gives: nothing unknown is let in, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, json_schema_extra=_without_docstring)

    @model_validator(mode="before")
    @classmethod
    def in_codes(cls, asked: Any) -> Any:
        """A form offers the choices in French; what is kept are their codes."""
        offered = _offered(cls)
        if not offered or not isinstance(asked, dict):
            return asked
        return {name: coded(value, offered[name]) if name in offered else value for name, value in asked.items()}
