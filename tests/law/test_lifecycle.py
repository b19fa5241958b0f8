"""The laws of the table, held over every state, every trigger and every role."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from transitions import Machine, MachineError
from walks import AT, PEOPLE, RIGHT, WAYS, right, role_for

from flows.generated import files
from flows.rooms import picture
from models import tables
from states.engine.decide import Decision, decide, next_steps
from states.engine.machine import destination, machine
from states.grammar.case import Actor, Lookups
from states.grammar.effects import Check, Effect, Tell
from states.grammar.guard import Guard, Refused
from states.grammar.request import Request
from states.grammar.step import Step
from states.lifecycle import GUARDS, OF_EVERY_STEP, ROWS, STEPS, steps_from
from states.overview.table import deployments, lifecycle_page, mermaid
from states.partnership import Partnership
from states.vocabulary import Role, State

FINAL_STATES = [state for state in State if state.is_final]
WAITING = [state for state in State if not state.is_final and state is not State.UNOPENED]
TRUNK = [row for row in ROWS if row.dest]
RECORDINGS = [row for row in ROWS if row.is_recording]
by_trigger = pytest.mark.parametrize("row", ROWS, ids=STEPS)
by_state = pytest.mark.parametrize("state", State, ids=str)


def request(trigger: str, acts: int = 1, **changes: Any) -> Request:
    content = {"reference": "ESSAI-1", **RIGHT[trigger]} if trigger == "open" else right(trigger, acts)
    return STEPS[trigger].asks.model_validate(content | changes)


def asked(partnership: Partnership, trigger: str, role: Role, changes: dict[str, Any] | None = None) -> Decision | Refused:
    """What is answered to somebody who holds that role alone."""
    actor = Actor(PEOPLE.get(role, "horloge"), frozenset({role}))
    lookups = Lookups(salt="00" * 16)
    return decide(partnership, trigger, request(trigger, len(partnership.acts), **(changes or {})), actor=actor, at=AT, lookups=lookups)


@cache
def dossier(state: State) -> Partnership:
    """A dossier in that state, by the shortest way, without any database."""
    partnership = Partnership("ESSAI-1", imported=False, state=State.UNOPENED, version=0, entered_on=None, pepper="00" * 32)
    for trigger in WAYS[state]:
        answer = asked(partnership, trigger, role_for(trigger))
        assert isinstance(answer, Decision), answer
        partnership = answer.after
    return partnership


def leads_to(row: Step, state: State) -> State:
    return row.dest or state


# Who may do what, and from where.


@by_state
def test_the_shortest_way_into_a_state_ends_there(state: State) -> None:
    assert dossier(state).state is state


@by_state
@by_trigger
def test_a_step_is_let_through_exactly_from_its_states_and_by_its_roles(state: State, row: Step) -> None:
    """Whatever else a guard may say, place and role are refused when the table does not name them, and only then."""
    for role in Role:
        answer = asked(dossier(state), row.trigger, role)
        codes = {reason.code for reason in answer.reasons} if isinstance(answer, Refused) else set()
        assert ("WRONG_STATE" in codes) == (state not in row.source), (role, codes)
        assert ("WRONG_ROLE" in codes) == (role not in row.by), (role, codes)


@by_state
def test_beyond_place_and_role_only_the_guards_of_the_row_refuse(state: State) -> None:
    for row, role in product(ROWS, Role):
        own = {one.code for one in (*OF_EVERY_STEP, *row.guards)} if state in row.source else set()
        answer = asked(dossier(state), row.trigger, role)
        codes = {reason.code for reason in answer.reasons} if isinstance(answer, Refused) else set()
        assert codes - {"WRONG_STATE", "WRONG_ROLE"} <= own, (row.trigger, role)


@by_state
def test_an_accepted_step_arrives_where_the_table_says_and_counts_one_version(state: State) -> None:
    for row, role in product(ROWS, Role):
        answer = asked(dossier(state), row.trigger, role)
        if isinstance(answer, Decision):
            assert (answer.step, answer.role) == (row, role)
            assert answer.after.state is leads_to(row, state)
            assert answer.after.version == dossier(state).version + 1
            assert answer.effects == (*(Tell(told) for told in row.tells), Check())


# What must have been done, and by whom, before some recordings can be made at all.
BEFOREHAND = {
    "confirm_payee": ("propose_payee", Role.TRAINING_OFFICER),
    "reject_payee": ("propose_payee", Role.TRAINING_OFFICER),
    "record_recovery": ("order_recovery", Role.AUTHORISING_OFFICER),
}


def prepared(state: State, trigger: str) -> Partnership:
    if trigger not in BEFOREHAND:
        return dossier(state)
    answer = asked(dossier(state), *BEFOREHAND[trigger])
    return answer.after if isinstance(answer, Decision) else dossier(state)


@by_trigger
def test_every_role_of_a_row_can_do_its_step_somewhere(row: Step) -> None:
    for role in row.by:
        changes = {"role": role.value, "to": "Aude"} if row.trigger == "delegate" else {}
        answers = [asked(prepared(state, row.trigger), row.trigger, role, changes) for state in row.source]
        if row.trigger == "close_nil":  # the trainee of the walk has a right to the subsidy
            assert {reason.code for answer in answers for reason in answer.reasons} == {"ENTITLEMENT_NOT_NIL"}
        elif row.takes_back:  # only a journal knows what could be taken back
            assert {reason.code for answer in answers for reason in answer.reasons} == {"NOTHING_TO_UNDO"}
        else:
            assert any(isinstance(answer, Decision) for answer in answers), answers


def test_two_reasons_of_place_and_role_come_together() -> None:
    answer = asked(dossier(State.CLOSED), "pay", Role.AUDITOR)
    assert isinstance(answer, Refused)
    assert [reason.code for reason in answer.reasons] == ["WRONG_STATE", "WRONG_ROLE"]


def test_a_trigger_outside_the_table_is_no_question_at_all() -> None:
    with pytest.raises(KeyError):
        decide(dossier(State.PAID), "pay_twice", request("pay"), actor=Actor("Paola", frozenset()), at=AT)


# The shape of the table.


def test_every_state_can_be_reached_from_the_beginning() -> None:
    reached, edge = {State.UNOPENED}, [State.UNOPENED]
    while edge:
        state = edge.pop()
        fresh = {leads_to(row, state) for row in steps_from(state)} - reached
        reached |= fresh
        edge += fresh
    assert reached == set(State)


@pytest.mark.parametrize("state", [State.UNOPENED, *WAITING], ids=str)
def test_a_state_that_is_not_final_can_be_left(state: State) -> None:
    assert any(row.dest for row in steps_from(state))
    assert {row.dest for row in steps_from(state)} - {None, state}


@pytest.mark.parametrize("state", FINAL_STATES, ids=str)
def test_a_final_state_is_never_left(state: State) -> None:
    assert not any(row.dest for row in steps_from(state))
    assert {row.dest for row in steps_from(state)} == {None}


@pytest.mark.parametrize("state", WAITING, ids=str)
def test_a_final_state_can_be_reached_from_every_waiting_state(state: State) -> None:
    reached, edge = {state}, [state]
    while edge:
        here = edge.pop()
        fresh = {leads_to(row, here) for row in steps_from(here)} - reached
        reached |= fresh
        edge += fresh
    assert reached & set(FINAL_STATES)


@pytest.mark.parametrize("state", WAITING, ids=str)
def test_every_state_that_waits_has_a_deadline(state: State) -> None:
    assert any(row.within for row in steps_from(state) if not row.is_recording)
    assert any(step.due_on for step in next_steps(dossier(state), at=AT))


def test_there_is_one_row_for_each_trigger_and_source() -> None:
    pairs = [(row.trigger, source) for row in ROWS for source in row.source]
    assert len(pairs) == len(set(pairs))
    assert len(ROWS) == len(STEPS)


@by_trigger
def test_a_row_names_its_sources_one_by_one(row: Step) -> None:
    assert row.source
    assert all(isinstance(source, State) for source in row.source)
    assert (State.UNOPENED in row.source) == row.opens


@by_trigger
def test_those_who_act_and_those_who_are_told_are_roles(row: Step) -> None:
    assert row.by
    assert all(isinstance(role, Role) for role in (*row.by, *row.tells))
    assert len(set(row.by)) == len(row.by)
    assert len(set(row.tells)) == len(row.tells)


@by_trigger
def test_nobody_writes_to_the_clock(row: Step) -> None:
    assert Role.CLOCK not in row.tells


@pytest.mark.parametrize("row", RECORDINGS, ids=lambda row: row.trigger)
def test_a_recording_changes_neither_the_state_nor_its_date(row: Step) -> None:
    for state in row.source:
        assert destination(state, row.trigger) is state
        answer = asked(dossier(state), row.trigger, row.by[0])
        if isinstance(answer, Decision):
            assert (answer.after.state, answer.after.entered_on) == (state, dossier(state).entered_on)


def test_every_kind_of_effect_has_a_deliverer() -> None:
    """What a step may leave to do is what the outbox takes: `ck_outbox_kind`."""
    constraint = next(one for one in tables.outbox.constraints if one.name == "ck_outbox_kind")
    taken = set(re.findall(r"'(\w+)'", str(constraint.sqltext)))
    assert {kind.__name__.lower() for kind in get_args(Effect)} == taken


# The compiled walk.


def fresh_machine() -> tuple[Any, Machine]:
    """A machine of the table that shares nothing with states.engine.machine."""
    model = type("Dossier", (), {})()
    rows = [[row.trigger, source.value, row.dest.value if row.dest else None] for row in ROWS for source in row.source]
    states = [state.value for state in State]
    return model, Machine(model, states=states, transitions=rows, initial="unopened", auto_transitions=False)


@by_state
def test_the_compiled_walk_is_the_table_and_the_machine(state: State) -> None:
    model, walker = fresh_machine()
    for trigger, row in STEPS.items():
        walker.set_state(state.value)
        try:
            model.trigger(trigger)
        except MachineError:
            arrival = None
        else:
            arrival = State(model.state)
        written = leads_to(row, state) if state in row.source else None
        assert destination(state, trigger) is arrival is written


def test_the_machine_of_the_walk_has_no_callback_and_no_trigger_of_its_own() -> None:
    shared = machine()
    assert set(shared.events) == set(STEPS)
    moves = [move for event in shared.events.values() for several in event.transitions.values() for move in several]
    assert not any(move.conditions or move.before or move.after or move.prepare for move in moves)


# The rules, and the views of the table.


@pytest.mark.parametrize("rule", GUARDS.values(), ids=GUARDS)
def test_every_rule_says_what_it_demands_where_it_comes_from_and_who_clears_it(rule: Guard) -> None:
    assert re.fullmatch(r"[A-ZÀÉ][^\n]{20,}[.]", rule.summary), rule.summary
    assert re.search(r"(?i)\b(le|la|les|un|une|du|de|des|est|et)\b", rule.summary), "not French"
    assert rule.source.reference
    assert rule.who


def test_a_code_belongs_to_one_rule() -> None:
    used = {id(one): one for row in ROWS for one in (*OF_EVERY_STEP, *row.guards)}
    assert len(used) == len(GUARDS)


@pytest.mark.parametrize("row", TRUNK, ids=lambda row: row.trigger)
def test_the_diagram_draws_every_step_that_moves(row: Step) -> None:
    for source in row.source:
        start = "[*]" if source is State.UNOPENED else source.value
        assert f"    {start} --> {row.dest} : {row.trigger}" in mermaid().splitlines()


def test_the_diagram_draws_nothing_else() -> None:
    arrows = [line for line in mermaid().splitlines() if "-->" in line]
    assert len(arrows) == sum(len(row.source) for row in TRUNK) + len(FINAL_STATES)


@by_trigger
def test_the_page_and_the_deployments_have_every_step(row: Step) -> None:
    assert f"| `{row.trigger}` | {row.label} |" in lifecycle_page()
    assert [one["entrypoint"] for one in deployments()["deployments"] if one["name"] == row.trigger] == [f"flows.steps.{row.trigger}"]


@pytest.mark.parametrize("code", GUARDS)
def test_the_page_has_every_rule(code: str) -> None:
    assert f"| {code} | {GUARDS[code].summary} |" in lifecycle_page()


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_a_generated_file_is_what_the_table_says(path: Path) -> None:
    assert path.read_text() == files()[path]


def test_the_pages_the_deployments_and_the_pictures_are_generated() -> None:
    assert {path.name for path in files()} == {"lifecycle.md", "prefect.yaml", "README.md", "architecture.md"}


def test_the_picture_of_the_house_has_every_room_and_leaves_out_what_others_imply(tmp_path: Path) -> None:
    for path, text in {
        "states/cellar.py": "",
        "states/stairs/up.py": "from states import cellar\n",
        "states/attic.py": "from states.stairs.up import floor\nimport states.cellar\n",
        "states/shed.py": "from states.stairs.facts import Step\n",
        "models/hall.py": "from states.attic import view\n",
        "flows/door.py": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    arrows = [line.strip() for line in picture(tmp_path).splitlines() if ">" in line]
    assert arrows == ["states.attic --> states.stairs", "states.stairs --> states.cellar", "flows ==> models", "models ==> states"]
    assert all(f'["{room}"]' in picture(tmp_path) for room in ("cellar", "stairs", "attic", "shed", "hall", "door"))


def test_the_page_of_the_house_says_what_every_room_is_for() -> None:
    """Beside the picture, which has them all."""
    page = next(path for path in files() if path.name == "architecture.md").read_text(encoding="utf-8")
    rooms, told = set(re.findall(r'\["(\w+)"\]', page)), set(re.findall(r"`(\w+)(?:\.py)?`", page))
    assert rooms - told - {"__main__"} == set()
