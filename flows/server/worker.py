"""The worker, as `python -m flows.server.worker [NAME]`: Prefect tells it which runs wait, and nothing of how they are run.

It starts one program, `python -m flows.engine`, in one folder, with settings that it has read before it heard of any run: from a file of
its own that `jalon up` wrote, or else from its own environment. Command, environment and folder of runs, deployments and pools are not
read at all; the program takes the flow from the table (`flows.engine`).
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import anyio.abc
from prefect.runner._control_channel import ControlChannel
from prefect.runner._flow_run_executor import FlowRunExecutionResult, FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle
from prefect.utilities.processutils import run_process, setup_signal_handlers_worker
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from flows.server.credential import speak_as_jalon
from flows.server.run_settings import settings_of
from flows.server.up import POOL
from flows.settings import PROJECT

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.objects import State as RunState

PROGRAM = [sys.executable, "-m", "flows.engine"]
RUNS_AT_ONCE = 4  # of each worker: a run that starts takes a core for two seconds, and 150 MB


class Configuration(ProcessJobConfiguration):
    """How a run is run: the same for all, whatever its deployment or its pool say."""

    @classmethod
    async def resolve_for_flow_run(cls, flow_run: FlowRun, **_of_the_server: object) -> Configuration:
        """The one configuration. Prefect would fill a template of the pool with variables of the deployment and of the run."""
        return cls(name=flow_run.name)


class NoHooks:
    """Our flows have no hooks; to look for some, Prefect would load in this process the code that a deployment names."""

    async def run_cancellation_hooks(self, flow_run: FlowRun, state: RunState[Any]) -> None:
        """None."""

    async def run_crashed_hooks(self, flow_run: FlowRun, state: RunState[Any]) -> None:
        """None."""


class Starter:
    """Starts the program of a run."""

    def __init__(self, env: Mapping[str, str], folder: Path, channel: ControlChannel) -> None:
        self._env, self._folder, self._channel = env, folder, channel

    async def start(self, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED) -> None:
        """Start it and wait until it ends. All that it is told of the run is its id, and where to hear that it is cancelled."""
        env = {**self._env, "PREFECT__FLOW_RUN_ID": str(flow_run.id), "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false"}
        try:
            port, token = self._channel.register(flow_run.id)
        except RuntimeError:  # no port for it: the run can be stopped all the same
            pass
        else:
            env |= {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        await run_process(
            command=PROGRAM, env=env, cwd=self._folder, stream_output=True, task_status=task_status, task_status_handler=ProcessHandle
        )


class Worker(ProcessWorker):
    """Prefect's worker for processes, which cannot be told what to start."""

    type: str = "jalon"  # a name of its own among the workers that Prefect knows; its pool is one for processes
    job_configuration = Configuration
    env: ClassVar[dict[str, str]] = {}
    folder: ClassVar[Path] = PROJECT

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,  # noqa: ARG002 - what the server says of it is not read
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run the one program for a run."""
        ended: list[FlowRunExecutionResult | None] = []
        async with FlowRunExecutorContext() as context:
            starter = Starter(self.env, self.folder, context.control_channel)
            executor = context.create_executor(flow_run, starter, propose_submitting=False, hook_runner=NoHooks())

            async def execute(*, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED) -> None:
                ended.append(await executor.submit(task_status=task_status))

            async with anyio.create_task_group() as tasks:
                handle = await tasks.start(execute)
                if task_status is not None:
                    task_status.started(handle.pid)
        if not ended or ended[0] is None or ended[0].status_code is None:
            raise RuntimeError("Le programme de l’exécution n’a pas pu être lancé.")
        return ProcessWorkerResult(status_code=ended[0].status_code, identifier=str(ended[0].handle.pid))

    async def _submit_adhoc_run(self, *_: object, **__: object) -> None:
        """Refuse what another program would hand over to be run."""
        raise RuntimeError("Ce worker n’exécute que les programmes de jalon.")


def main(name: str | None, *, once: bool) -> None:
    """Work until a signal ends it; `once`: look for runs one time, and end with them."""
    folder = os.environ.get("PREFECT_HOME")
    Worker.env, Worker.folder = settings_of(Path(folder) if folder else None)
    speak_as_jalon()
    setup_signal_handlers_worker(os.getpid(), "the worker", print)
    asyncio.run(Worker(POOL, name=name, limit=RUNS_AT_ONCE, create_pool_if_not_found=False).start(run_once=once))


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--once"]
    main(words[0] if words else None, once="--once" in sys.argv)
