"""The run forms: what Prefect is told to draw, and that what is given in words comes back as codes."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from prefect.utilities.callables import parameter_schema
from walks import RIGHT

from flows.desk.forms import OFFERED_AT_MOST, acting, offering
from flows.steps import flow_named
from models.people.register import Person
from states.convention.requests import Calendar
from states.lifecycle import ROWS, STEPS
from states.values.choices import CODES, LABELS
from states.vocabulary import Role

FORMS = [row.trigger for row in ROWS if not row.asks.personal]


def form(trigger: str, *, proved: bool = True, **offered: list[str] | None) -> dict[str, Any]:
    """The schema of a form as the desk gives it to Prefect."""
    return offering(parameter_schema(flow_named(trigger)).model_dump(exclude_unset=True), proved=proved, **offered)


def parts(node: Any) -> list[dict[str, Any]]:
    """Every schema inside a schema."""
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [*([node] if isinstance(node, dict) else []), *(part for one in inside for part in parts(one))]


def in_words(value: Any) -> Any:
    """What a person would choose in place of codes."""
    if isinstance(value, dict):
        return {name: str(inner) if name == "entry" else in_words(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [in_words(inner) for inner in value]
    return LABELS.get(value, value) if isinstance(value, str) else value


def test_each_code_has_words_of_its_own() -> None:
    assert len(CODES) == len(LABELS)


@pytest.mark.parametrize("trigger", FORMS)
def test_a_form_has_plain_fields_and_choices_in_french(trigger: str) -> None:
    calendars = set(Calendar.__args__)  # type: ignore[attr-defined]
    for part in parts(form(trigger)):
        assert {"type": "null"} not in part.get("anyOf", ())
        assert "default" not in part or part["default"] is not None
        if isinstance(part.get("enum"), list):
            assert set(part["enum"]) <= CODES.keys() | calendars


@pytest.mark.parametrize("trigger", FORMS)
def test_a_request_in_words_passes_the_form_and_is_the_request_in_codes(trigger: str) -> None:
    asked = {"reference": "ESSAI-1"} | RIGHT[trigger] if trigger == "open" else RIGHT[trigger]
    given = {"reference": "ESSAI-1", "person": "Bruno", "code": "123456", "request": in_words(asked)}
    jsonschema.validate({name: given[name] for name in form(trigger)["properties"]}, form(trigger))
    model = STEPS[trigger].asks
    assert model.model_validate(given["request"]) == model.model_validate(asked)


def test_words_in_a_text_stay_words() -> None:
    asked = STEPS["attach"].asks.model_validate(RIGHT["attach"] | {"title": "facture"})
    assert asked.model_dump()["title"] == "facture"


def test_a_code_is_asked_for_as_a_plain_field_that_must_be_filled() -> None:
    for row in ROWS:
        asked = form(row.trigger)
        assert asked["properties"]["code"]["type"] == "string"
        assert "code" in asked["required"]
        assert "code" not in form(row.trigger, proved=False)["required"]
    code = form("approve")["properties"]["code"]
    assert [jsonschema.Draft7Validator(code).is_valid(typed) for typed in ("123456", "123 456", "", "12345", "abcdef")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_a_form_offers_first_those_whose_role_it_takes_and_nobody_when_they_are_too_many() -> None:
    people = [Person(name, "x@essai.example", (role,)) for name, role in (("Anne", Role.PUBLIC_ACCOUNTANT), ("Zoé", Role.BOARD_SECRETARY))]
    assert acting(STEPS["approve"], people) == ["Zoé", "Anne"]
    assert acting(STEPS["approve"], people * OFFERED_AT_MOST) is None
    offered = form("approve", person=["Zoé"])
    assert offered["properties"]["person"]["enum"] == ["Zoé"]
    assert "enum" not in offering(offered, proved=True, person=None)["properties"]["person"]


def test_a_form_made_again_is_the_same() -> None:
    once = form("approve", person=["Zoé"], reference=["ESSAI-1"])
    assert offering(once, proved=True, person=["Zoé"], reference=["ESSAI-1"]) == once
