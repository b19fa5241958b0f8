"""Many people submit the same step at once: Prefect on PostgreSQL, two workers, one transition.

In `make endurance`: in each run, eight write to one Prefect at once (test_prefect_server), and eight race on the ledger (test_races).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from enlisting import enlist
from offices import Office
from walks import RIGHT, Walk

from flows.ports.clock import now
from flows.server import server
from models.people.codes import code_at, new_secret
from models.read.views import Views
from models.verify.proof import Verifier
from states.vocabulary import Role

LONGEST = timedelta(minutes=15)
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Crowded(Office):
    """A home whose board has so many secretaries."""

    def __init__(self, home: Path, many: int, **environment: str) -> None:
        super().__init__(home, **environment)
        self.secrets = {f"Secrétaire {number}": new_secret() for number in range(1, many + 1)}


@pytest.fixture
def office(tmp_path: Path, postgresql_url: str, crowd: int) -> Iterator[Crowded]:
    office = Crowded(tmp_path / "home", crowd, PREFECT_SERVER_DATABASE_CONNECTION_URL=postgresql_url.replace("+psycopg", "+asyncpg"))
    store = office.store(create=True)
    Walk(store).do("open")
    for name, secret in office.secrets.items():
        enlist(store, name, "conseil@essai.example", [Role.BOARD_SECRETARY], secret)
    store.close()
    try:
        office.run("up", "--port", str(server.free_port()), "--workers", "2")
        yield office
    finally:
        office.run("down")


@pytest.mark.endurance
@pytest.mark.parametrize("crowd", [50])
def test_one_of_a_crowd_wins_and_every_other_is_told_who_did_and_when(
    office: Crowded, crowd: int, record_property: Callable[[str, object], None]
) -> None:
    store = office.store()
    deployment = next(one for one in office.ask("/deployments/filter", {}) if one["name"] == "approve")

    def submit(name: str) -> str:
        asked = {"reference": "ESSAI-1", "person": name, "code": code_at(office.secrets[name], now()), "request": RIGHT["approve"]}
        return str(office.ask(f"/deployments/{deployment['id']}/create_flow_run", {"parameters": asked})["id"])

    began = time.monotonic()
    with ThreadPoolExecutor(crowd) as people:
        runs = list(people.map(submit, office.secrets))
    ends: dict[str, dict[str, Any]] = {}
    limit = now() + LONGEST
    while len(ends) < crowd:
        assert now() < limit, Counter(one["name"] for one in ends.values())
        found = office.ask("/flow_runs/filter", {"flow_runs": {"id": {"any_": runs}}})
        ends = {one["id"]: one["state"] for one in found if one["state"]["type"] in FINAL}
        time.sleep(1)
    record_property("measured", f"{crowd} simultaneous submissions answered in {time.monotonic() - began:.0f} s")
    assert Counter(one["name"] for one in ends.values()) == {"Completed": 1, "Conflict": crowd - 1}
    done = [line for line in Views(store).history("ESSAI-1") if line.entry.is_done and line.entry.trigger == "approve"]
    assert len(done) == 1
    for state in ends.values():
        assert "Traceback" not in state["message"]
        if state["name"] == "Conflict":
            assert state["message"].startswith(f"« Approuver le partenariat » a déjà été fait par {done[0].entry.actor} le ")
    assert Verifier(store).verify("ESSAI-1").faults == ()
    for log in (office.home / "prefect").glob("worker*.log"):
        assert "Traceback" not in log.read_text()
    store.close()
