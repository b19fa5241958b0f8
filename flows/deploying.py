"""Puts on a Prefect server all that jalon needs there, as `python -m flows.deploying`; done again, it changes nothing.

The same result as `prefect deploy --all` from the same table, in a third of its time.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from importlib import import_module
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectAlreadyExists
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from flows import rounds
from flows.desk import automations
from flows.home import shared_home
from flows.server.credential import speak_as_jalon
from flows.settings import settings
from states.overview.table import Deployment, deployments

POOL = "jalon"


async def install() -> None:
    """All of it: what has to be on the server before a worker may start. A step added here must bear being done again."""
    async with get_client() as client:
        await answers(client)
        await make_pool(client)
        await deploy_all(client)
        await automations.install(client)
    await rounds.open_desk(shared_home(settings()))


async def answers(client: PrefectClient) -> None:
    """Wait for the server, which may just have been started; whoever started us ends us when it does not come."""
    while await client.api_healthcheck() is not None:  # noqa: ASYNC110 - the server is another process: nobody can wake us
        await asyncio.sleep(0.1)


async def make_pool(client: PrefectClient) -> None:
    """The work pool, made or set right."""
    template = ProcessWorker.get_default_base_job_template()
    # With a command of its own, a run is one process; otherwise Prefect starts another one before it, to prepare a folder we do not need.
    template["variables"]["properties"]["command"]["default"] = f"{shlex.quote(sys.executable)} -m flows.engine"
    try:
        await client.create_work_pool(WorkPoolCreate(name=POOL, type=ProcessWorker.type, base_job_template=template))
    except ObjectAlreadyExists:
        await client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))


async def deploy_all(client: PrefectClient) -> None:
    """Every deployment of the table; those of a row that the table has no longer are taken away."""
    made = {await _deploy(client, deployment) for deployment in deployments()["deployments"]}
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
    for there in await client.read_deployments(work_pool_filter=pool):
        if there.id not in made and (there.entrypoint or "").startswith("flows."):
            await client.delete_deployment(there.id)


async def _deploy(client: PrefectClient, deployment: Deployment) -> UUID:
    """One deployment, made or made again."""
    module, _, name = deployment["entrypoint"].rpartition(".")
    flow: Flow[..., object] = getattr(import_module(module), name)
    return await client.create_deployment(
        flow_id=await client.create_flow_from_name(flow.name),
        version=flow.version,
        name=deployment["name"],
        description=deployment["description"],
        tags=deployment["tags"],
        entrypoint=deployment["entrypoint"],
        pull_steps=[],
        work_pool_name=deployment["work_pool"]["name"],
        schedules=[
            DeploymentScheduleCreate(schedule=CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"]), active=schedule["active"])
            for schedule in deployment["schedules"]
        ],
        parameter_openapi_schema=parameter_schema(flow).model_dump(exclude_unset=True),
        enforce_parameter_schema=True,
    )


if __name__ == "__main__":
    speak_as_jalon()
    asyncio.run(install())
