"""Prefect asks, and cannot be made to run anything else: real attacks on a real server with its worker, by whoever reaches the desk."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from enlisting import reroled
from strangers import Target
from walks import SHA, Walk, fresh_code
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from flows.server import credential, server
from models.database.store import Store, sqlite_url
from states.vocabulary import Role, State

BUSY, RIGHT_NAME = "ESSAI-1", "Olga"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, prefect_cache: Path) -> Iterator[Target]:
    target = Target(tmp_path_factory.mktemp("target"))
    store = Store(sqlite_url(target.home / "jalon.db"), create=True)
    Walk(store, BUSY).until(State.IN_TRAINING)
    store.close()
    target.begin(prefect_cache)
    try:
        target.run("up", "--port", str(server.free_port()))
        yield target
    finally:
        target.run("down")


@pytest.fixture(scope="module")
def deployments(target: Target) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in target.ask("/deployments/filter", {})}


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    """A file that a command of the attacker would make."""
    return tmp_path / "taken"


def test_the_secret_is_for_one_account_and_in_no_environment(target: Target) -> None:
    (path,) = (target.home / "prefect").glob("credential-*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = json.loads(path.read_text())["secret"].encode()
    processes = [one.parent for one in Path("/proc").glob("[0-9]*/environ") if f"JALON_HOME={target.home}".encode() in _read(one)]
    assert len(processes) >= 2  # the server and the worker
    for process in processes:
        assert secret not in _read(process / "environ") + _read(process / "cmdline")
    for kept in ("worker.json", "server.log", "worker.log", "deploying.log"):
        assert secret not in _read(target.home / "prefect" / kept)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_form_cannot_say_how_it_is_run(target: Target, deployments: dict[str, Any], proof: Path) -> None:
    asking = f"/api/deployments/{deployments['attach']['id']}/create_flow_run"
    for attack in (
        {"job_variables": {"command": f"touch {proof}"}},
        {"job_variables": {"env": {"PYTHONSTARTUP": "x"}, "working_dir": "/"}},
        {"parameters": {"request": {"job_variables": {"command": "id"}}}},
        {"work_queue_name": "other"},
        {"state": {"type": "RUNNING"}},
        {"parameters": {"reference": {"__prefect_kind": "jinja", "template": "{{ 7*7 }}"}}},
        [1],
    ):
        status, told, _ = target.asked("POST", asking, attack)
        assert status in (403, 422), attack
        assert told["detail"].endswith(".")
    assert target.asked("POST", asking, b"{")[0] == 400
    assert target.asked("POST", asking, b"[" * 100_000)[0] == 400
    assert target.asked("POST", asking, {"parameters": {"x": "y" * 1_100_000}})[0] == 413
    assert target.asked("POST", f"/api/deployments/{deployments['alert']['id']}/create_flow_run", {})[0] == 403
    assert not proof.exists()


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("PATCH", "/deployments/{deployment}", {"entrypoint": "os.system"}),
    ("PATCH", "/deployments/{deployment}", {"pull_steps": [{"prefect.deployments.steps.run_shell_script": {"script": "id"}}]}),
    ("PATCH", "/deployments/{deployment}", {"job_variables": {"command": "id"}}),
    ("POST", "/deployments/{deployment}/pause_deployment", {}),
    ("DELETE", "/deployments/{deployment}", {}),
    ("POST", "/deployments/", {"name": "x", "flow_id": "{flow}", "entrypoint": "x.py:f"}),
    ("POST", "/deployments/{deployment}/create_flow_run/bulk", {"flow_runs": [{}]}),
    ("POST", "/flow_runs/", {"flow_id": "{flow}", "job_variables": {"command": "id"}}),
    ("PATCH", "/work_pools/jalon", {"base_job_template": {}}),
    ("PATCH", "/work_pools/jalon", {"is_paused": True}),
    ("POST", "/work_pools/", {"name": "x", "type": "process"}),
    ("PATCH", "/work_pools/jalon/queues/default", {"is_paused": True}),
    ("POST", "/flow_runs/{run}/set_state", {"state": {"type": "COMPLETED"}, "force": True}),
    ("POST", "/flow_runs/bulk_set_state", {"state": {"type": "CANCELLED"}}),
    ("POST", "/flow_runs/{run}/resume", {}),
    ("PATCH", "/flow_runs/{run}", {"infrastructure_pid": "x:1"}),
    ("DELETE", "/flow_runs/{run}", {}),
    ("POST", "/logs/", {}),
    ("POST", "/events", {}),
    ("POST", "/artifacts/", {"key": "tableau-de-bord", "type": "markdown", "data": "faux"}),
    ("POST", "/automations/", {"name": "x"}),
    ("POST", "/variables/", {"name": "x", "value": "y"}),
    ("POST", "/variables/filter", {}),
    ("POST", "/block_documents/", {}),
    ("POST", "/block_documents/filter", {"include_secrets": True}),
    ("POST", "/block_types/", {"name": "x", "slug": "x"}),
    ("POST", "/concurrency_limits/", {"tag": "x", "concurrency_limit": 0}),
    ("POST", "/v2/concurrency_limits/", {"name": "x", "limit": 0}),
    ("POST", "/work_pools/jalon/get_scheduled_flow_runs", {}),
    ("POST", "/work_pools/jalon/workers/heartbeat", {"name": "mine"}),
    ("DELETE", "/admin/storage", {}),
    ("GET", "/admin/storage", {}),
    ("POST", "/templates/validate", {}),
    ("POST", "/nothing/new", {}),
]


def test_a_stranger_changes_nothing_of_prefect(target: Target, deployments: dict[str, Any]) -> None:
    run = target.ask("/flow_runs/filter", {"limit": 1})[0]
    names = {"deployment": deployments["attach"]["id"], "flow": deployments["attach"]["flow_id"], "run": run["id"]}
    for method, template, content in CHANGES:
        path = re.sub(r"{(\w+)}", lambda found: names[found[1]], template)
        status, told, _ = target.asked(method, f"/api{path}", None if method == "GET" else content)
        assert status in (403, 404), (method, path, status, told)
        assert told["detail"].endswith("."), told
    forged = {"X-Jalon-Secret": "x", "Cookie": "jalon_exploitant=T2xnYQ==.9999999999.00"}
    assert target.asked("POST", "/api/variables/", {"name": "x", "value": 1}, **forged)[0] == 403
    assert target.asked("POST", "/jalon/purge?before=2099-01-01T00:00:00Z", {})[0] == 403
    after = {one["name"]: one for one in target.ask("/deployments/filter", {})}
    assert after["attach"]["entrypoint"] == "flows.steps.attach"
    assert not after["attach"]["paused"]


def test_a_stranger_hears_and_says_nothing_by_sockets(target: Target) -> None:
    for path in ("/api/events/in", "/api/events/out", "/api/logs/out", "/api/work_pools/jalon/workers/connect", "/api/else"):
        with pytest.raises(InvalidStatus) as refused, connect(f"ws://{target.address[7:]}{path}", subprotocols=["prefect"]):  # type: ignore[list-item]
            pass
        assert refused.value.response.status_code == 403


def proved(target: Target, name: str, code: str, **headers: str) -> tuple[int, Any, Any]:
    form = f"name={name}&code={code}".encode()
    return target.asked("POST", "/jalon/exploitant", form, **{"Content-Type": "application/x-www-form-urlencoded", **headers})


def test_an_operator_who_proves_it_may_pause_a_round_and_nobody_else(target: Target, deployments: dict[str, Any]) -> None:
    pausing = f"/api/deployments/{deployments['refresh']['id']}/pause_deployment"
    status, page, headers = target.asked("GET", "/jalon/exploitant")
    assert (status, "Code à usage unique" in page) == (200, True)
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    code = fresh_code("Bruno")
    assert proved(target, "Bruno", code)[0] == 401  # a board secretary, with the right code
    assert proved(target, RIGHT_NAME, "000000")[0] == 429  # so soon after
    time.sleep(1.1)
    code = fresh_code(RIGHT_NAME)
    assert proved(target, RIGHT_NAME, code, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    status, _, headers = proved(target, RIGHT_NAME, code)
    assert (status, headers["Location"]) == (303, "/jalon/exploitant")
    assert re.fullmatch(r"jalon_exploitant=\S+; Path=/; Max-Age=1800; HttpOnly; SameSite=Strict", headers["Set-Cookie"])
    assert proved(target, RIGHT_NAME, code)[0] == 401  # it has served
    target.cookie, store = headers["Set-Cookie"].partition(";")[0], target.store()
    try:
        assert target.asked("POST", pausing, b"", **{"Sec-Fetch-Site": "same-site"})[0] == 403
        assert target.asked("POST", pausing, b"", **{"Sec-Fetch-Site": "same-origin"})[0] == 200
        assert target.ask(f"/deployments/{deployments['refresh']['id']}")["paused"]
        changed = {"job_variables": {"command": "id"}}
        assert target.asked("PATCH", f"/api/deployments/{deployments['refresh']['id']}", changed)[0] == 403
        assert target.asked("POST", "/api/logs/", [])[0] == 403
        assert RIGHT_NAME in target.asked("GET", "/jalon/exploitant")[1]
        reroled(store, RIGHT_NAME, [Role.AUDITOR])
        assert target.asked("POST", pausing, b"")[0] == 403
    finally:
        target.cookie = ""
        reroled(store, RIGHT_NAME, [Role.OPERATOR])
        store.close()


def test_a_run_that_was_given_another_command_by_force_is_run_by_the_one_program(
    target: Target, deployments: dict[str, Any], proof: Path
) -> None:
    """The database itself is written to: of the pool, the deployment, the run. The worker starts what it always starts."""
    taken = json.dumps({"command": f"touch {proof}", "env": {"PATH": "/nowhere"}, "working_dir": str(proof.parent)})
    script = json.dumps([{"prefect.deployments.steps.run_shell_script": {"script": f"touch {proof}"}}])
    attach, checks = deployments["attach"], deployments["checks"]
    template = json.dumps({"job_configuration": json.loads(taken), "variables": {"properties": {}}})
    target.sql("UPDATE work_pool SET base_job_template = ? WHERE name = 'jalon'", template)
    target.sql(
        "UPDATE deployment SET infra_overrides = ?, pull_steps = ?, entrypoint = ?, path = ? WHERE name IN ('attach', 'checks')",
        taken, script, f"{proof.parent}/x.py:main", str(proof.parent),
    )  # fmt: skip
    (proof.parent / "x.py").write_text(f"open({str(proof)!r}, 'w')\n")
    asked = {"reference": BUSY, "person": "Bruno", "code": fresh_code("Bruno"), "request": {"title": "Pièce", "sha256": SHA}}
    real = target.ask(f"/deployments/{attach['id']}/create_flow_run", {"parameters": asked, "enforce_parameter_schema": False})["id"]
    target.sql("UPDATE flow_run SET job_variables = ? WHERE id = ?", taken, real)
    checked = target.ask(f"/deployments/{checks['id']}/create_flow_run", {"parameters": {"reference": BUSY}})["id"]
    foreign = target.ask("/flows/", {"name": "foreign"})["id"]
    deployed = {"name": "foreign", "flow_id": foreign, "entrypoint": f"{proof.parent}/x.py:main", "work_pool_name": "jalon"}
    other = target.ask(f"/deployments/{target.ask('/deployments/', deployed)['id']}/create_flow_run", {})["id"]
    assert target.ended(real)["message"].startswith(f"{BUSY} est")  # the real step
    assert target.ended(checked)["name"] == "Completed"
    state = target.ended(other)
    assert (state["name"], "n’est pas celle d’un programme de jalon" in state["message"]) == ("Invalid", True)
    assert not proof.exists()
    assert secretless(target)


def differing(target: Target) -> list[str]:
    """What doctor says is not as declared."""
    found = json.loads(target.run("doctor", "--json", code=0))["checks"]
    return [one["message"] for one in found if one["name"] == "Déclaration" and one["level"] != "ok"]


def test_doctor_says_each_difference_and_up_puts_it_right(target: Target, deployments: dict[str, Any]) -> None:
    """After the attacks above, the round that the operator has paused, and what else may go wrong."""
    target.sql("UPDATE deployment_schedule SET active = 0 WHERE deployment_id = ?", deployments["deliver"]["id"])
    target.sql("UPDATE automation SET enabled = 0 WHERE name = 'jalon : contrôler après chaque étape'")
    target.sql("UPDATE work_queue SET is_paused = 1 WHERE name = 'default'")
    target.ask("/v2/concurrency_limits/", {"name": "stop", "limit": 0})
    assert differing(target) == WRONG
    said = target.run("up")
    assert [line.removeprefix("  Remis comme déclaré : ") for line in said.splitlines() if "Remis" in line] == WRONG
    assert "rien n’a été changé" not in said
    assert differing(target) == []
    form = target.ask(f"/deployments/{deployments['attach']['id']}")["parameter_openapi_schema"]
    assert RIGHT_NAME in form["properties"]["person"]["enum"]  # made again, a form offers people all the same


WRONG = [
    "La file de travail « jalon » n’a pas le modèle déclaré.",
    "La file d’attente « default » est en pause, ou limitée.",
    *(
        f"Le déploiement « {name} » n’a pas {what} que jalon déclare."
        for name in ("attach", "checks")
        for what in ("le point d’entrée", "le dossier", "la préparation", "les variables d’exécution")
    ),
    "Le déploiement « deliver » n’a pas l’horaire que jalon déclare.",
    "Le déploiement « refresh » est en pause.",
    "Le déploiement « foreign » n’est pas déclaré.",
    "L’automatisation « jalon : contrôler après chaque étape » est arrêtée, ou n’est pas comme jalon la déclare.",
    "La limite « stop » (0 à la fois) n’est pas déclarée.",
]


def test_the_purge_deletes_what_is_old_and_keeps_the_newest_version_of_each_page(target: Target, deployments: dict[str, Any]) -> None:
    """Everything is made old; the page of a dossier that nobody has touched since stays."""
    before = target.ask("/artifacts/latest/filter", {})
    for table, column in (("log", "timestamp"), ("events", "occurred"), ("event_resources", "occurred"), ("artifact", "created")):
        target.sql(f"UPDATE {table} SET {column} = '2026-01-01 00:00:00.000000'")
    target.sql("UPDATE flow_run SET end_time = '2026-01-01 00:00:00.000000' WHERE end_time IS NOT NULL")
    run = target.ask(f"/deployments/{deployments['purge']['id']}/create_flow_run", {})["id"]
    state = target.ended(run)
    assert (state["name"], "Plus de 30 jours : " in state["message"]) == ("Completed", True), state
    assert not re.search(r" 0 (exécution|ligne|événement|version)", state["message"])
    ended = {"flow_runs": {"end_time": {"before_": "2026-06-01T00:00:00Z"}}}
    assert target.ask("/flow_runs/filter", ended) == []
    assert {one["id"] for one in target.ask("/artifacts/latest/filter", {})} == {one["id"] for one in before}
    (told,) = [one["message"] for one in json.loads(target.run("doctor", "--json"))["checks"] if one["name"] == "Base de Prefect"]
    assert re.search(r"^\d+,\d Mo, \d+ exécutions?, .* ; [+-]\d+,\d Mo depuis le .* ; les 30 derniers jours sont gardés\.$", told)


def secretless(target: Target) -> bool:
    """The secret stands in none of Prefect's tables."""
    found = credential.read(target.home / "prefect", target.record.port)
    assert found is not None
    with closing(sqlite3.connect(target.home / "prefect" / "prefect.db")) as database:
        return found.secret not in "\n".join(database.iterdump())
