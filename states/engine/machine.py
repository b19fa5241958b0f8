"""The walk through the states, by `transitions`: which trigger leads where, and nothing else.

Guards, journal and effects are never callbacks of the machine: it would hide why a guard refused.
The machine walks every (state, trigger) once; `destination` then looks the answer up.
"""

from __future__ import annotations

from functools import cache

from transitions import Machine, MachineError

from states.lifecycle import ROWS, STEPS
from states.vocabulary import State


class Walker:
    """Something that stands in a state; `transitions` moves it."""

    def __init__(self, state: State) -> None:
        self.state: str = state.value


def machine() -> Machine:
    """A machine of the table, without models, automatic transitions or callbacks."""
    rows = [
        {"trigger": row.trigger, "source": source.value, "dest": row.dest.value if row.dest else None}
        for row in ROWS
        for source in row.source
    ]
    return Machine(
        model=None,
        states=[state.value for state in State],
        transitions=rows,
        initial=State.UNOPENED.value,
        auto_transitions=False,
        send_event=False,
    )


@cache
def _walked() -> dict[tuple[State, str], State]:
    shared = machine()
    arrivals = {}
    for state in State:
        for trigger in STEPS:
            walker = Walker(state)
            try:
                shared.events[trigger].trigger(walker)
            except MachineError:
                continue
            arrivals[state, trigger] = State(walker.state)
    return arrivals


def destination(state: State, trigger: str) -> State | None:
    """The state after `trigger` from `state`; None when the table has no such row."""
    return _walked().get((state, trigger))
