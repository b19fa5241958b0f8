"""The walk through the states, by `transitions`: which trigger leads where, and nothing else.

Guards, journal and effects are never callbacks of the machine: it would hide why a guard refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from transitions import Machine

from states.lifecycle import ROWS
from states.vocabulary import State


def machine() -> Machine:
    """A machine of the table, without models, automatic transitions or callbacks. Raises ValueError for a state that there is not."""
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


def _arrivals() -> Iterator[tuple[tuple[State, str], State]]:
    """Every transition of the machine: from where and by which trigger, and where to."""
    for trigger, event in machine().events.items():
        for source, (transition,) in event.transitions.items():  # one, and only one: the table is sound
            yield (State(source), trigger), State(transition.dest or source)


ARRIVALS = dict(_arrivals())


def destination(state: State, trigger: str) -> State | None:
    """The state after `trigger` from `state`; None when the table has no such row."""
    return ARRIVALS.get((state, trigger))
