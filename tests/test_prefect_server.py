"""Many who write at once on one Prefect server whose database is SQLite: all are served, none is told that it is locked."""

from __future__ import annotations

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flows import server

CROWD, RUNS_EACH = 24, 3


class Api:
    """The API of one server, asked as the interface asks: nothing is tried again."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/api"

    def post(self, path: str, content: dict[str, Any]) -> Any:
        asked = urllib.request.Request(f"{self._address}{path}", json.dumps(content).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return json.load(answer)


def crowd(api: Api) -> list[str]:
    """Runs made by many at once, each then moved twice; how each ended."""
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

    with ThreadPoolExecutor(CROWD) as people:
        return [end for ends in people.map(come, range(CROWD)) for end in ends]


def test_a_crowd_that_writes_at_once_is_served_on_sqlite(tmp_path: Path, tmp_path_factory: Any) -> None:
    with server.running(tmp_path / "prefect", template=tmp_path_factory.getbasetemp() / "prefect") as port:
        assert crowd(Api(port)) == ["ACCEPT"] * CROWD * RUNS_EACH
    assert "is locked" not in (tmp_path / "prefect" / "server.log").read_text()
