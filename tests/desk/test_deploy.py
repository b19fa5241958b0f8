"""The committed prefect.yaml, deployed on a real Prefect server and run by a real worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from walks import RIGHT, Walk, right_code

from flows.server import credential, server
from flows.settings import PROJECT
from models.database.store import Store, sqlite_url
from models.read.views import Views
from models.verify.proof import Verifier
from states.lifecycle import ROWS, STEPS
from states.overview.table import DASHBOARD, FOLLOWING, ROUNDS


class Prefect:
    """A server with everything deployed on it, and the ledger that its runs ask."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.api = f"http://127.0.0.1:{port}/api"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JALON_")}
        self.env = server.environment(home / "prefect", port, kept)
        self.env |= {"JALON_HOME": str(home), "JALON_CODES_KEY": os.environ["JALON_CODES_KEY"], "PREFECT_WORKER_QUERY_SECONDS": "1"}
        kept_of_jalon = credential.of(self.env)
        assert kept_of_jalon is not None
        self.headers = {credential.HEADER: kept_of_jalon.secret}

    def command(self, *words: str, cwd: Path, **more: str) -> str:
        """Run a module with these words; what it printed."""
        ended = subprocess.run(
            [sys.executable, "-m", *words], env=self.env | more, cwd=cwd, capture_output=True, text=True, timeout=150, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def post(self, path: str, content: dict[str, Any]) -> Any:
        """Ask the API, as a person or the interface does."""
        asked = urllib.request.Request(f"{self.api}{path}", json.dumps(content).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, prefect_cache: Path) -> Iterator[Prefect]:
    home = tmp_path_factory.mktemp("deploy")
    with server.running(home / "prefect", template=prefect_cache) as port:
        prefect = Prefect(home, port)
        told = {"PREFECT_CLIENT_CUSTOM_HEADERS": json.dumps(prefect.headers)}  # Prefect's own command knows nothing of our file
        prefect.command("prefect", "work-pool", "create", "jalon", "--type", "process", cwd=home, **told)
        prefect.command("prefect", "--no-prompt", "deploy", "--all", cwd=PROJECT, **told)
        yield prefect


@pytest.fixture(scope="module")
def deployments(deployed: Prefect) -> dict[str, dict[str, Any]]:
    """What the server says of each deployment."""
    return {one["name"]: one for one in deployed.post("/deployments/filter", {})}


def test_there_is_one_deployment_for_each_step_each_round_and_the_checks(deployments: dict[str, Any]) -> None:
    assert sorted(deployments) == sorted([*STEPS, *(name for name, *_ in (*FOLLOWING, *ROUNDS))])


def test_a_deployment_is_found_from_any_directory_by_its_module(deployments: dict[str, Any]) -> None:
    assert {name: deployments[name]["entrypoint"] for name in STEPS} == {name: f"flows.steps.{name}" for name in STEPS}
    assert {tuple(one["pull_steps"] or ()) for one in deployments.values()} == {()}


def test_a_deployment_says_in_french_what_it_does_and_who_may_do_it(deployments: dict[str, Any]) -> None:
    for step in ROWS:
        assert deployments[step.trigger]["description"] == f"{step.label}. Par : {', '.join(role.label for role in step.by)}. {DASHBOARD}"


def test_only_the_rounds_run_by_themselves(deployments: dict[str, Any]) -> None:
    scheduled = {name: [one["schedule"]["cron"] for one in told["schedules"]] for name, told in deployments.items() if told["schedules"]}
    assert scheduled == {name: [cron] for name, _, _, cron in ROUNDS}


def test_a_form_without_its_required_fields_is_refused_at_once(deployed: Prefect, deployments: dict[str, Any]) -> None:
    asked = {"parameters": {"reference": "ESSAI-1", "person": "Bruno", "request": {}}, "state": {"type": "SCHEDULED"}}
    with pytest.raises(urllib.error.HTTPError) as refused:
        deployed.post(f"/deployments/{deployments['approve']['id']}/create_flow_run", asked)
    with refused.value as answer:
        assert answer.code == 409
        assert "held_on" in answer.read().decode()


def test_a_worker_in_another_directory_runs_a_step_that_moves_the_ledger(
    deployed: Prefect, deployments: dict[str, Any], tmp_path: Path
) -> None:
    store = Store(sqlite_url(deployed.home / "jalon.db"), create=True)
    Walk(store).do("open")
    asked = {"reference": "ESSAI-1", "person": "Bruno", "request": RIGHT["approve"], "code": right_code("Bruno")}
    run = deployed.post(f"/deployments/{deployments['approve']['id']}/create_flow_run", {"parameters": asked})
    deployed.command("flows.server.worker", "--once", cwd=tmp_path)
    with urllib.request.urlopen(f"{deployed.api}/flow_runs/{run['id']}", timeout=30) as answer:
        state = json.load(answer)["state"]
    assert (state["name"], state["message"]) == ("Completed", "ESSAI-1 est « approuvé » (version 2).")
    assert [line.entry.key for line in Views(store).history("ESSAI-1")][1:] == [f"prefect:{run['id']}"]
    assert Verifier(store).verify("ESSAI-1").faults == ()
    store.close()
