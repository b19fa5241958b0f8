"""What the gate looks up in Prefect's own database: what a deployment is, and how many runs that people asked for wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID

from prefect.server import models
from prefect.server.database import provide_database_interface
from prefect.server.schemas import filters
from prefect.server.schemas.states import StateType

AT_MOST = 200
ASKED_FOR = "manuel"  # the tag of the steps' deployments; the runs of rounds, which the clock has made already, do not count
# What Prefect makes of these functions has no type that a checker follows.
counted: Callable[..., Awaitable[int]] = models.flow_runs.count_flow_runs
read: Callable[..., Awaitable[Any]] = models.deployments.read_deployment
WAITING = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING]


class Deployment(NamedTuple):
    """A deployment by the name of its flow's program, and the tags that its runs carry."""

    name: str
    tags: list[str]


async def deployment(deployment_id: str) -> Deployment | None:
    """The deployment of an id; None when there is none."""
    try:
        known = UUID(deployment_id)
    except ValueError:
        return None
    async with provide_database_interface().session_context() as session:
        found = await read(session=session, deployment_id=known)
        return None if found is None else Deployment(found.name, list(found.tags))


async def runs() -> int:
    """How many runs of steps are not finished."""
    states = filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=WAITING))
    async with provide_database_interface().session_context() as session:
        return await counted(
            session=session,
            flow_run_filter=filters.FlowRunFilter(state=states),
            deployment_filter=filters.DeploymentFilter(tags=filters.DeploymentFilterTags(all_=[ASKED_FOR])),
        )
