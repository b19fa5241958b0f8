"""One flow run, as `python -m flows.engine`: Prefect's own engine, once the fields that the run was given are those of its form.

Whoever posts a run straight to the server may give fields that no form has, or leave some out. Prefect ends such a run as a crash;
here it is answered like any other request that cannot be read.
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
from flows.steps import use_up_code
from states.overview.table import deployments


def objections(name: str, given: dict[str, object]) -> Iterator[str]:
    """Why the flow of a deployment cannot be called with these fields, a sentence each. Raises KeyError for a name that is not ours."""
    entrypoint = {deployment["name"]: deployment["entrypoint"] for deployment in deployments()["deployments"]}[name]
    module, _, attribute = entrypoint.rpartition(".")
    fields = inspect.signature(getattr(import_module(module), attribute).fn).parameters
    for field in given.keys() - fields.keys():
        printable = "".join(letter if letter.isprintable() else "?" for letter in field[:60])
        yield f"« {printable} » : ce champ n’existe pas."
    for field, parameter in fields.items():
        if field not in given and parameter.default is parameter.empty:
            yield f"{TITLES.get(field, field)} ({field}) : ce champ est obligatoire."


async def answered(run_id: UUID) -> bool:
    """Whether the run was given fields that it cannot be called with, and has been told so."""
    async with get_client() as client:
        run = await client.read_flow_run(run_id)
        name = (await client.read_flow(run.flow_id)).name
        sentences = sorted(objections(name, run.parameters))
        if not sentences:
            return False
        use_up_code(name, run)
        state: RunState[None] = failed("Invalid", "\n".join(sentences))
        await client.set_flow_run_state(run_id, state, force=True)
    await log_answer(state, str(run_id))
    return True


if __name__ == "__main__" and not asyncio.run(answered(UUID(os.environ["PREFECT__FLOW_RUN_ID"]))):
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
