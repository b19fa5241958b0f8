"""What jalon declares to be on its Prefect server, and where the server differs: each difference one French sentence, and how to mend it.

`jalon doctor` tells the sentences, `jalon up` mends. On a server that jalon has started, what is not declared goes; on somebody else's,
only what is ours is touched.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from http import HTTPStatus
from importlib import import_module
from typing import Any, NamedTuple

from httpx import HTTPStatusError
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.events.schemas.automations import AutomationCore
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from flows.desk.automations import automations
from flows.desk.forms import offering
from flows.server import credential
from flows.settings import settings
from states.lifecycle import STEPS
from states.overview.table import Deployment, deployments

Fields = dict[str, Any]  # what the server answers of one thing, as JSON

POOL = "jalon"
QUEUE = "default"
OURS = "jalon : "  # how the name of each of our automations begins
CHOSEN = {"reference": None, "person": None}  # what a form offers changes with the register and the dossiers: it is not compared
FIELDS = {
    "description": "la description",
    "tags": "les étiquettes",
    "entrypoint": "le point d’entrée",
    "path": "le dossier",
    "pull_steps": "la préparation",
    "parameters": "les valeurs de départ",
    "parameter_openapi_schema": "le formulaire",
    "enforce_parameter_schema": "le contrôle du formulaire",
    "job_variables": "les variables d’exécution",
    "storage_document_id": "le stockage",
    "infrastructure_document_id": "l’infrastructure",
    "work_pool_name": "la file de travail",
    "work_queue_name": "la file d’attente",
    "concurrency_limit": "la limite d’exécutions à la fois",
    "schedules": "l’horaire",
}


class Difference(NamedTuple):
    """One thing that is not as declared, in French, and what puts it right."""

    sentence: str
    mend: Callable[[], Awaitable[object]]


def is_own() -> bool:
    """Whether the server is one that jalon has started."""
    return credential.of(os.environ) is not None


async def differences(client: PrefectClient) -> list[Difference]:
    """All that is not as declared; what stands on something that is missing is told once that is there."""
    return [found for look in LOOKS for found in await look(client)]


async def mended(client: PrefectClient, *, again: bool = False) -> list[str]:
    """Put all right, each kind on what the one before has mended; what was not, in French. `again`: every deployment, as after new code."""
    told = []
    for look in LOOKS:
        found = await look(client)
        for difference in found:
            await difference.mend()
        told += [difference.sentence for difference in found]
        if again and look is _deployments:
            for deployment in deployments()["deployments"]:
                await _deploy(client, deployment)
    return told


async def _asked(client: PrefectClient, method: Any, path: Any, content: object = None) -> Any:
    answer = await client.request(method, path, json=content)
    return answer.json() if answer.content else None


def _doing(client: PrefectClient, method: str, path: str, content: object = None) -> Callable[[], Awaitable[object]]:
    return partial(_asked, client, method, path, content)


async def _pool(client: PrefectClient) -> list[Difference]:
    """The work pool and its one queue."""
    template = ProcessWorker.get_default_base_job_template()
    declared = {"base_job_template": template, "is_paused": False, "concurrency_limit": None}
    try:
        there = await _asked(client, "GET", f"/work_pools/{POOL}")
    except HTTPStatusError as fault:
        if fault.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        there = None
    if there is None:
        make = _doing(client, "POST", "/work_pools/", {"name": POOL, "type": ProcessWorker.type, **declared})
        return [Difference(f"La file de travail « {POOL} » manque.", make)]
    mend = _doing(client, "PATCH", f"/work_pools/{POOL}", declared)
    wrong = {"base_job_template": "n’a pas le modèle déclaré", "is_paused": "est en pause", "concurrency_limit": "a une limite"}
    found = [
        Difference(f"La file de travail « {POOL} » {why}.", mend) for field, why in wrong.items() if there.get(field) != declared[field]
    ]
    return found + await _queues(client)


async def _queues(client: PrefectClient) -> list[Difference]:
    found = []
    for queue in await _asked(client, "POST", f"/work_pools/{POOL}/queues/filter", {}):
        path = f"/work_pools/{POOL}/queues/{queue['name']}"
        if queue["name"] != QUEUE:
            found.append(Difference(f"La file d’attente « {queue['name']} » n’est pas déclarée.", _doing(client, "DELETE", path)))
        elif queue["is_paused"] or queue["concurrency_limit"] is not None:
            mend = _doing(client, "PATCH", path, {"is_paused": False, "concurrency_limit": None})
            found.append(Difference(f"La file d’attente « {QUEUE} » est en pause, ou limitée.", mend))
    return found


def declared(deployment: Deployment) -> Fields:
    """Every field of a deployment that the server keeps, but the flow: those that we leave empty are declared empty."""
    module, _, name = deployment["entrypoint"].rpartition(".")
    flow: Flow[..., object] = getattr(import_module(module), name)
    empty: Fields = {"path": None, "storage_document_id": None, "infrastructure_document_id": None, "concurrency_limit": None}
    schedules = [
        {"schedule": {"cron": one["cron"], "timezone": one["timezone"]}, "active": one["active"]} for one in deployment["schedules"]
    ]
    return empty | {
        "name": deployment["name"],
        "version": flow.version,
        "description": deployment["description"],
        "tags": deployment["tags"],
        "entrypoint": deployment["entrypoint"],
        "pull_steps": [],
        "parameters": {},
        "job_variables": {},
        "paused": False,
        "work_pool_name": deployment["work_pool"]["name"],
        "work_queue_name": QUEUE,
        "schedules": schedules,
        "parameter_openapi_schema": parameter_schema(flow).model_dump(exclude_unset=True),
        "enforce_parameter_schema": True,
    }


async def _deploy(client: PrefectClient, deployment: Deployment) -> None:
    """One deployment, made or made again."""
    flow_id = await client.create_flow_from_name(deployment["name"])
    content = {**declared(deployment), "flow_id": str(flow_id), "global_concurrency_limit_id": None}
    await _asked(client, "POST", "/deployments/", content)


async def _deployments(client: PrefectClient) -> list[Difference]:
    """Each of the table as it is declared, and no other in our pool."""
    found: list[Difference] = []
    left = {(one["flow_id"], one["name"]): one for one in await _read(client)}
    flows = {one["id"]: one["name"] for one in await _asked(client, "POST", "/flows/filter", {"limit": 200})}
    there = {name: one for (flow, name), one in left.items() if flows.get(flow) == name}
    for deployment in deployments()["deployments"]:
        one = there.pop(deployment["name"], None)
        mend: Callable[[], Awaitable[object]] = partial(_deploy, client, deployment)
        if one is None:
            found.append(Difference(f"Le déploiement « {deployment['name']} » manque.", mend))
        else:
            left.pop((one["flow_id"], one["name"]))
            found += [Difference(f"Le déploiement « {one['name']} » {why}.", mend) for why in _wrong(one, declared(deployment))]
    for one in left.values():
        if one["work_pool_name"] == POOL and (is_own() or (one["entrypoint"] or "").startswith("flows.")):
            mend = _doing(client, "DELETE", f"/deployments/{one['id']}")
            found.append(Difference(f"Le déploiement « {one['name']} » n’est pas déclaré.", mend))
    return found


async def _read(client: PrefectClient) -> list[Fields]:
    """All deployments; the server gives two hundred at a time."""
    found: list[Fields] = []
    while some := await _asked(client, "POST", "/deployments/filter", {"limit": 200, "offset": len(found)}):
        found += some
    return found


def _wrong(there: Fields, declared: Fields) -> Iterator[str]:
    if there["paused"]:
        yield "est en pause"
    for field, label in FIELDS.items():
        if _comparable(field, there["name"], there.get(field)) != _comparable(field, there["name"], declared[field]):
            yield f"n’a pas {label} que jalon déclare"


def _comparable(field: str, name: str, value: Any) -> Any:
    """A field as two that mean the same have it."""
    if field == "schedules":
        return [
            (one["schedule"].get("cron"), one["schedule"].get("timezone"), one["active"], one.get("parameters") or {})
            for one in value
        ]  # fmt: skip
    if field == "parameter_openapi_schema" and name in STEPS:
        return offering(value or {}, proved=settings().codes == "every" or STEPS[name].asks_code, **CHOSEN)
    return (sorted(value) if field == "tags" else value) or None


async def _automations(client: PrefectClient) -> list[Difference]:
    """Each of ours as it is declared; on our own server, no other."""
    ids = {one.name: one.id for one in await client.read_deployments(limit=200)}
    if not {"checks", "alert"} <= ids.keys():
        return []
    there = {one.name: one for one in await client.read_automations()}
    found: list[Difference] = []
    for automation in automations(ids):
        one = there.pop(automation.name, None)
        if one is None:
            found.append(Difference(f"L’automatisation « {automation.name} » manque.", partial(client.create_automation, automation)))
        elif AutomationCore.model_validate(one.model_dump(exclude={"id"})) != automation:
            why = "est arrêtée, ou n’est pas comme jalon la déclare"
            mend = partial(client.update_automation, one.id, automation)
            found.append(Difference(f"L’automatisation « {automation.name} » {why}.", mend))
    return found + [
        Difference(f"L’automatisation « {name} » n’est pas déclarée.", partial(client.delete_automation, one.id))
        for name, one in there.items()
        if is_own() or name.startswith(OURS)
    ]


async def _limits(client: PrefectClient) -> list[Difference]:
    """No limit is declared: one of nought would stop every run that it concerns."""
    if not is_own():
        return []
    found = []
    for path, key, name in (("/concurrency_limits", "concurrency_limit", "tag"), ("/v2/concurrency_limits", "limit", "name")):
        for one in await _asked(client, "POST", f"{path}/filter", {}):
            sentence = f"La limite « {one[name]} » ({one[key]} à la fois) n’est pas déclarée."
            found.append(Difference(sentence, _doing(client, "DELETE", f"{path}/{one['id']}")))
    return found


LOOKS = (_pool, _deployments, _automations, _limits)
