"""The Prefect server as jalon starts it: many may write at once on SQLite, and no page of another site is let in."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows.server import credential, server

RUNS_EACH = 2


class Api:
    """The API of one server, asked as jalon's own processes ask: nothing is tried again."""

    def __init__(self, folder: Path, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/api"
        kept = credential.read(folder, port)
        assert kept is not None
        self._headers = {"Content-Type": "application/json", credential.HEADER: kept.secret}

    def post(self, path: str, content: dict[str, Any]) -> Any:
        asked = urllib.request.Request(f"{self._address}{path}", json.dumps(content).encode(), self._headers)
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return json.load(answer)


def crowd(api: Api, many: int) -> list[str]:
    """Runs made by so many at once, each then moved twice; how each ended."""
    flow = api.post("/flows/", {"name": "crowd"})["id"]
    deployment = api.post("/deployments/", {"name": "crowd", "flow_id": flow})["id"]

    def come(_: int) -> list[str]:
        ends = []
        for _run in range(RUNS_EACH):
            run = api.post(f"/deployments/{deployment}/create_flow_run", {})["id"]
            for state in ("RUNNING", "COMPLETED"):
                ended = api.post(f"/flow_runs/{run}/set_state", {"state": {"type": state, "name": state.title()}, "force": True})
            ends.append(ended["status"])
        return ends

    with ThreadPoolExecutor(many) as people:
        return [end for ends in people.map(come, range(many)) for end in ends]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def quiet(folder: Path, prefect_cache: Path) -> Iterator[int]:
    """The port of a server."""
    with server.running(folder, template=prefect_cache) as port:
        yield port


@pytest.mark.parametrize("many", [8, pytest.param(30, marks=pytest.mark.endurance)])
def test_a_crowd_that_writes_at_once_is_served_on_sqlite(folder: Path, quiet: int, many: int) -> None:
    assert crowd(Api(folder, quiet), many) == ["ACCEPT"] * many * RUNS_EACH
    assert "is locked" not in (folder / "server.log").read_text()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"Host": "localhost:{port}"}, 200),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Host": "desk.attacker.example"}, 403),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_no_page_of_another_site_drives_the_desk(quiet: int, headers: dict[str, str], code: int) -> None:
    """Under another name (a name server may lie), or from a page that the browser of the officer has open."""
    told = {name: value.format(port=quiet) for name, value in headers.items()}
    asked = urllib.request.Request(f"http://127.0.0.1:{quiet}/api/flows/filter", b"{}", {"Content-Type": "application/json"} | told)
    status, policy = _answered(asked)
    assert status == code
    assert code != 200 or policy.startswith("connect-src 'self';")


def _answered(asked: urllib.request.Request) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers["Content-Security-Policy"]
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, ""
