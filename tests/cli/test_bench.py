"""The bench measures what it says it does: the questions that people ask, also where asserts are left out."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from witness import journal

from flows.bench import growth

BENCH = sorted(Path(growth.__file__).parent.glob("*.py"))


def test_the_refusal_that_is_measured_is_one_that_a_form_could_ask_for(tmp_path: Path) -> None:
    with growth._house(tmp_path, f"sqlite:///{tmp_path}/house.db") as home:
        growth._refusal(home)
        told = json.loads(journal(home.store, growth.HERE)[-1][1])
    assert ([reason["code"] for reason in told["reasons"]], told["request"]["reason"]) == (["UNKNOWN_TRAINEE"], "other")


def test_a_house_that_could_not_be_asked_is_closed_all_the_same(tmp_path: Path) -> None:
    house = growth._house(tmp_path, f"sqlite:///{tmp_path}/house.db")
    home = house.__enter__()
    assert home.store._kept.connection is not None
    house.__exit__(OSError, OSError("panne"), None)
    assert home.store._kept.connection is None


@pytest.mark.parametrize("path", BENCH, ids=lambda path: path.name)
def test_nothing_that_is_measured_is_done_inside_an_assert(path: Path) -> None:
    """Python may be told to leave asserts out."""
    asserts = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Assert)]
    calls = [node for one in asserts for node in ast.walk(one.test) if isinstance(node, ast.Call)]
    assert {ast.unparse(call.func) for call in calls} <= {"isinstance", "any"}
