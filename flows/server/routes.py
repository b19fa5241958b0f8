"""Every route of the server, and who may ask it. One that is not in the list is closed: it waits for somebody's decision.

EVERYBODY is whoever reaches the desk, with its password where it has one: pages are read, a step is asked for by its form.
OPERATOR is a person of the register with that role who has proved it (`flows.server.operators`).
JALON is a process of jalon, which gives the secret of the server (`flows.server.credential`). It may do what the others may.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple


class Who(IntEnum):
    """Who may ask, from the widest to the narrowest."""

    EVERYBODY = 0
    OPERATOR = 1
    JALON = 2


# Pages and what they show. POST here is Prefect's way to ask with a filter: nothing is written, except by `create_flow_run`,
# whose body is examined (`flows.server.asking`). Each page asks for the settings, in which Prefect hides what is secret.
EVERYBODY = """
    GET    /admin/settings
    GET    /admin/version
    POST   /artifacts/count
    POST   /artifacts/filter
    POST   /artifacts/latest/count
    POST   /artifacts/latest/filter
    GET    /artifacts/{id}
    GET    /artifacts/{key}/latest
    POST   /automations/count
    POST   /automations/filter
    GET    /automations/{id}
    GET    /automations/related-to/{resource_id}
    GET    /block_capabilities/
    POST   /block_documents/count
    GET    /collections/views/{view}
    POST   /concurrency_limits/filter
    GET    /concurrency_limits/{id}
    GET    /concurrency_limits/tag/{tag}
    GET    /csrf-token
    POST   /deployments/count
    POST   /deployments/filter
    GET    /deployments/name/{flow_name}/{deployment_name}
    POST   /deployments/paginate
    GET    /deployments/{id}
    POST   /deployments/{id}/create_flow_run
    GET    /deployments/{id}/schedules
    GET    /deployments/{id}/work_queue_check
    POST   /events/count-by/{countable}
    POST   /events/filter
    GET    /events/filter/next
    GET    /flow_run_states/
    GET    /flow_run_states/{id}
    POST   /flow_runs/count
    POST   /flow_runs/filter
    POST   /flow_runs/history
    POST   /flow_runs/lateness
    POST   /flow_runs/paginate
    GET    /flow_runs/{id}
    GET    /flow_runs/{id}/graph
    GET    /flow_runs/{id}/graph-v2
    GET    /flow_runs/{id}/logs/download
    POST   /flows/count
    POST   /flows/filter
    GET    /flows/name/{name}
    POST   /flows/paginate
    GET    /flows/{id}
    GET    /health
    GET    /hello
    POST   /logs/filter
    GET    /ready
    POST   /saved_searches/filter
    GET    /saved_searches/{id}
    GET    /task_run_states/
    GET    /task_run_states/{id}
    POST   /task_runs/count
    POST   /task_runs/filter
    POST   /task_runs/history
    POST   /task_runs/paginate
    GET    /task_runs/{id}
    POST   /task_workers/filter
    POST   /ui/flow_runs/count-task-runs
    POST   /ui/flow_runs/history
    POST   /ui/flows/count-deployments
    POST   /ui/flows/next-runs
    POST   /ui/schemas/validate
    POST   /ui/task_runs/count
    POST   /ui/task_runs/dashboard/counts
    GET    /ui/task_runs/{id}
    POST   /v2/concurrency_limits/filter
    GET    /v2/concurrency_limits/{id_or_name}
    POST   /variables/count
    GET    /version
    POST   /work_pools/count
    POST   /work_pools/filter
    GET    /work_pools/{name}
    POST   /work_pools/{name}/concurrency_status
    POST   /work_pools/{work_pool_name}/queues/filter
    GET    /work_pools/{work_pool_name}/queues/{name}
    POST   /work_pools/{work_pool_name}/workers/filter
    POST   /work_queues/filter
    GET    /work_queues/name/{name}
    GET    /work_queues/{id}
    POST   /work_queues/{id}/concurrency_status
    GET    /work_queues/{id}/status
"""

# What a person changes in the interface, and what may hold a secret (blocks, variables). The worker reads none of it
# to know what to run, and `jalon up` puts back what is declared.
OPERATOR = """
    GET    /admin/storage
    DELETE /artifacts/{id}
    POST   /automations/
    DELETE /automations/owned-by/{resource_id}
    POST   /automations/templates/validate
    DELETE /automations/{id}
    PATCH  /automations/{id}
    PUT    /automations/{id}
    POST   /block_documents/
    POST   /block_documents/filter
    DELETE /block_documents/{id}
    GET    /block_documents/{id}
    PATCH  /block_documents/{id}
    POST   /block_schemas/filter
    GET    /block_schemas/checksum/{checksum}
    GET    /block_schemas/{id}
    POST   /block_types/filter
    GET    /block_types/slug/{slug}
    GET    /block_types/slug/{slug}/block_documents
    GET    /block_types/slug/{slug}/block_documents/name/{block_document_name}
    GET    /block_types/{id}
    POST   /concurrency_limits/
    DELETE /concurrency_limits/{id}
    DELETE /concurrency_limits/tag/{tag}
    POST   /concurrency_limits/tag/{tag}/reset
    POST   /deployments/bulk_delete
    DELETE /deployments/{id}
    PATCH  /deployments/{id}
    POST   /deployments/{id}/pause_deployment
    POST   /deployments/{id}/resume_deployment
    POST   /deployments/{id}/schedules
    DELETE /deployments/{id}/schedules/{schedule_id}
    PATCH  /deployments/{id}/schedules/{schedule_id}
    POST   /flow_runs/bulk_delete
    POST   /flow_runs/bulk_set_state
    DELETE /flow_runs/{id}
    PATCH  /flow_runs/{id}
    POST   /flow_runs/{id}/resume
    POST   /flow_runs/{id}/set_state
    POST   /flows/bulk_delete
    DELETE /flows/{id}
    PATCH  /flows/{id}
    PUT    /saved_searches/
    DELETE /saved_searches/{id}
    DELETE /task_runs/{id}
    POST   /task_runs/{id}/set_state
    POST   /templates/validate
    POST   /v2/concurrency_limits/
    DELETE /v2/concurrency_limits/{id_or_name}
    PATCH  /v2/concurrency_limits/{id_or_name}
    POST   /variables/
    POST   /variables/filter
    DELETE /variables/{id}
    GET    /variables/{id}
    PATCH  /variables/{id}
    DELETE /variables/name/{name}
    GET    /variables/name/{name}
    PATCH  /variables/name/{name}
    PATCH  /work_pools/{name}
    POST   /work_pools/{work_pool_name}/queues
    DELETE /work_pools/{work_pool_name}/queues/{name}
    PATCH  /work_pools/{work_pool_name}/queues/{name}
    DELETE /work_pools/{work_pool_name}/workers/{name}
    POST   /work_queues/
    DELETE /work_queues/{id}
    PATCH  /work_queues/{id}
"""

# What workers, runs and `jalon up` tell the server; and what nobody needs, which is closed here to everybody else.
JALON = """
    DELETE /admin/storage
    PUT    /admin/storage
    POST   /artifacts/
    PATCH  /artifacts/{id}
    POST   /block_schemas/
    DELETE /block_schemas/{id}
    POST   /block_types/
    POST   /block_types/install_system_block_types
    DELETE /block_types/{id}
    PATCH  /block_types/{id}
    POST   /concurrency_limits/decrement
    POST   /concurrency_limits/increment
    POST   /deployments/
    POST   /deployments/get_scheduled_flow_runs
    POST   /deployments/{id}/create_flow_run/bulk
    POST   /deployments/{id}/schedule
    POST   /events
    POST   /flow_runs/
    POST   /flow_runs/{id}/input
    POST   /flow_runs/{id}/input/filter
    DELETE /flow_runs/{id}/input/{key}
    GET    /flow_runs/{id}/input/{key}
    PATCH  /flow_runs/{id}/labels
    POST   /flows/
    POST   /logs/
    POST   /task_runs/
    PATCH  /task_runs/{id}
    POST   /v2/concurrency_limits/decrement
    POST   /v2/concurrency_limits/decrement-with-lease
    POST   /v2/concurrency_limits/increment
    POST   /v2/concurrency_limits/increment-with-lease
    POST   /v2/concurrency_limits/leases/{lease_id}/renew
    POST   /work_pools/
    DELETE /work_pools/{name}
    POST   /work_pools/{name}/get_scheduled_flow_runs
    POST   /work_pools/{work_pool_name}/workers/heartbeat
    POST   /work_queues/{id}/get_runs
    WS     /events/in
    WS     /events/out
    WS     /logs/out
    WS     /task_runs/subscriptions/scheduled
    WS     /work_pools/{work_pool_name}/workers/connect
"""

# What describes the API to who writes programs for it; the files of the interface are everybody's.
DESCRIPTIONS = frozenset({"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"})
API = "/api"
OPERATORS, SIZES, PURGE = "/jalon/exploitant", "/jalon/sizes", "/jalon/purge"
# Our own, beside those of Prefect.
OURS = {
    ("GET", OPERATORS): Who.EVERYBODY,
    ("POST", OPERATORS): Who.EVERYBODY,
    ("GET", SIZES): Who.JALON,
    ("POST", PURGE): Who.JALON,
}
OPEN_WITHOUT_PASSWORD = frozenset({"/health", "/ready"})  # as Prefect itself answers them: whether it lives, and nothing else
ASKING = re.compile(r"/deployments/([^/]+)/create_flow_run")


class Route(NamedTuple):
    """One line of the list. `method` is WS for a socket; `path` is as the OpenAPI description writes it."""

    method: str
    path: str
    who: Who


def _listed(lines: str, who: Who) -> list[Route]:
    return [Route(method, path, who) for method, path in (line.split() for line in lines.splitlines() if line.strip())]


ROUTES = (*_listed(EVERYBODY, Who.EVERYBODY), *_listed(OPERATOR, Who.OPERATOR), *_listed(JALON, Who.JALON))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({[^}]+})", path)))


_PATTERNS = tuple((route.method, _pattern(route.path), route.who) for route in ROUTES)


def who_may(method: str, path: str) -> Who | None:
    """Who may ask this of the server, by a path as it was asked; None for nobody. Where two lines fit, the narrower one counts."""
    method = "GET" if method == "HEAD" else method
    if path == API or path.startswith(f"{API}/"):
        return _of_the_api(method, path.removeprefix(API))
    if path in DESCRIPTIONS:
        return Who.JALON
    if path.startswith("/jalon/"):
        return OURS.get((method, path))
    return Who.EVERYBODY if method == "GET" else None


def _of_the_api(method: str, path: str) -> Who | None:
    if path in DESCRIPTIONS or (path.startswith("/static/") and method == "GET"):
        return Who.JALON
    return max((who for its_method, pattern, who in _PATTERNS if its_method == method and pattern.fullmatch(path)), default=None)
