"""One flow run, as `python -m flows.engine`: Prefect's own engine, once the fields that the run was given are those of its form.

Whoever posts a run straight to the server may give fields that no form has, or leave some out. Prefect ends such a run as a crash;
here it is answered like any other request that cannot be read.

What is run is taken from the table by the name of the flow, never from what a deployment says of paths, entry points or steps before.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import runpy
from collections.abc import Iterator
from importlib import import_module
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State as RunState

from flows.deliver import log_answer
from flows.desk.ends import failed
from flows.desk.forms import TITLES
from flows.server.credential import speak_as_jalon
from flows.steps import use_up_code
from states.overview.table import deployments

UNKNOWN = "Cette exécution n’est pas celle d’un programme de jalon : elle n’est pas lancée."


def entrypoint_of(name: str) -> str | None:
    """Where the flow of a name is, by the table; None when it is none of ours."""
    return {deployment["name"]: deployment["entrypoint"] for deployment in deployments()["deployments"]}.get(name)


def objections(name: str, given: dict[str, object]) -> Iterator[str]:
    """Why the flow of a deployment cannot be called with these fields, a sentence each."""
    entrypoint = entrypoint_of(name)
    if entrypoint is None:
        yield UNKNOWN
        return
    module, _, attribute = entrypoint.rpartition(".")
    fields = inspect.signature(getattr(import_module(module), attribute).fn).parameters
    for field in given.keys() - fields.keys():
        printable = "".join(letter if letter.isprintable() else "?" for letter in field[:60])
        yield f"« {printable} » : ce champ n’existe pas."
    for field, parameter in fields.items():
        if field not in given and parameter.default is parameter.empty:
            yield f"{TITLES.get(field, field)} ({field}) : ce champ est obligatoire."


async def to_run(run_id: UUID) -> str | None:
    """Where the flow of a run is; None when it is not to be run, and has been told why."""
    async with get_client() as client:
        run = await client.read_flow_run(run_id)
        name = (await client.read_flow(run.flow_id)).name
        sentences = sorted(objections(name, run.parameters))
        if not sentences:
            return entrypoint_of(name)
        use_up_code(name, run)
        state: RunState[None] = failed("Invalid", "\n".join(sentences))
        await client.set_flow_run_state(run_id, state, force=True)
    await log_answer(state, str(run_id))
    return None


def main() -> None:
    """Run the flow of this process's run, as jalon."""
    speak_as_jalon()
    entrypoint = asyncio.run(to_run(UUID(os.environ["PREFECT__FLOW_RUN_ID"])))
    if entrypoint is not None:
        os.environ["PREFECT__FLOW_ENTRYPOINT"] = entrypoint  # then Prefect's engine asks no deployment where the code is
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
