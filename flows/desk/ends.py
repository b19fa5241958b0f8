"""How a run of Prefect ends: in a state whose name and message people read in the interface, in its log and in letters."""

from __future__ import annotations

from prefect import states
from prefect.client.schemas.objects import State as RunState

from states.values.plain import legible


def completed(message: str, *, name: str = "Completed") -> RunState[None]:
    """The run did what it was for, or had nothing to do."""
    state: RunState[None] = states.Completed(name=name, message=legible(message))
    return state


def failed(name: str, message: str) -> RunState[None]:
    """The run answers with something else than done; `name` says which kind of answer."""
    state: RunState[None] = states.Failed(name=name, message=legible(message))
    return state
