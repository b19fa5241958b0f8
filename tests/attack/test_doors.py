"""Every door asks the same proof of a person, for each step of the table (docs/security.md lists the doors)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attacks import opened
from walks import AT, PEOPLE, Walk, right

from flows import steps
from flows.cli import asking
from flows.cli.screen import Page
from flows.settings import settings
from models.people.codes import Shown
from states.grammar.guard import Refused
from states.grammar.step import Step
from states.lifecycle import ROWS, STEPS

by_step = pytest.mark.parametrize("step", [step for step in ROWS if not step.of_the_house], ids=lambda step: step.trigger)


@by_step
@pytest.mark.parametrize("codes", ["every", "money"])
def test_a_form_a_flow_and_the_inbox_ask_for_a_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Step, codes: str) -> None:
    """They are one function; `money` is for runs that no form has started, and then a code is asked where the table says so."""
    monkeypatch.setenv("JALON_HOME", str(tmp_path))
    monkeypatch.setenv("JALON_CODES", codes)
    home = opened(tmp_path)
    home.settings = settings()
    shown = steps._shown(home, step, None)
    asked = codes == "every" or step.asks_code or step.takes_back
    assert (shown is not None) == asked
    assert shown is None or shown.code is None
    home.store.close()


@by_step
def test_the_command_line_asks_for_a_code_where_the_table_says_so(monkeypatch: pytest.MonkeyPatch, step: Step) -> None:
    heard: dict[str, Any] = {}

    def ask(*_: Any, **given: Any) -> Page:
        heard.update(given)
        return Page([], {})

    monkeypatch.setattr(asking, "read_request", lambda *_, **__: None)
    monkeypatch.setattr(asking, "took_a_code", lambda *_: True)
    monkeypatch.setattr(asking, "entry_chosen", lambda *_: 1)
    monkeypatch.setattr(asking, "ask", ask)
    if step.opens:
        assert not step.asks_code
        return
    asking.command_of(step, lambda: None)("ESSAI-1", person="Tania")  # type: ignore[arg-type, return-value]
    assert heard["proved"] == (step.asks_code or step.takes_back)


@by_step
def test_without_a_right_code_no_step_is_done_once_one_is_asked_for(tmp_path: Path, step: Step) -> None:
    """Whichever door has asked: the ledger judges, and the refusal is in the journal."""
    home = opened(tmp_path)
    walk = Walk(home.store)
    if step.opens:
        content = {"reference": "ESSAI-1"} | right("open", 0)
        request = STEPS["open"].asks.model_validate({name: value for name, value in content.items() if value is not None})
        answer = home.ledger.fire("ESSAI-1", "open", request, actor="Tania", at=AT, key="k", shown=Shown(None, AT))
    else:
        walk = walk.until(step.source[0])
        who = PEOPLE[next(role for role in step.by if role in PEOPLE)]
        answer = walk.ask(step.trigger, actor=who, shown=Shown(None, AT))
    assert isinstance(answer, Refused)
    assert "PERSON_UNPROVED" in [reason.code for reason in answer.reasons]
    home.store.close()


def test_the_doors_that_are_listed_are_those_that_there_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    assert [door for door in ("form", "HTTP", "flow", "inbox", "command line", "SQL") if f"| {door} |" not in page] == []
