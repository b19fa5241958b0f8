"""The list of the server's routes: all that Prefect has is in it, and nothing else; and how often a wrong password is heard."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.server.api.server import create_app
from starlette.routing import WebSocketRoute

from flows.server import asking, passwords
from flows.server.passwords import ADDRESSES_AT_MOST, Tries
from flows.server.routes import API, DESCRIPTIONS, ROUTES, Who, who_may

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def app() -> Any:
    return create_app(final=False)


@pytest.fixture(scope="module")
def api(app: Any) -> Any:
    (found,) = [route.app for route in app.routes if route.path == API]
    return found


def sockets(routes: Any) -> Iterator[str]:
    for route in routes:
        if isinstance(route, WebSocketRoute) or "WebSocket" in type(route).__name__:
            yield route.path
        elif hasattr(route, "original_router"):
            yield from sockets(route.original_router.routes)


def there(api: Any) -> set[tuple[str, str]]:
    """All that Prefect's API has, by its own description; and the sockets, which stand in none."""
    described = {(method.upper(), path) for path, methods in api.openapi()["paths"].items() for method in methods}
    return described | {("WS", path) for path in sockets(api.routes)}


def test_every_route_of_prefect_is_in_the_list_and_the_list_has_no_other(api: Any) -> None:
    listed = [(route.method, route.path) for route in ROUTES]
    assert sorted(listed) == sorted(there(api))


def test_the_list_says_of_each_route_who_may_ask_it(api: Any) -> None:
    """By an address as it is asked: no other line of the list widens or narrows it."""
    for route in ROUTES:
        path = "/".join("0a1b" if part.startswith("{") else part for part in route.path.split("/"))
        assert who_may(route.method, f"{API}{path}") is route.who, route


def test_whatever_everybody_may_ask_reads_or_asks_for_a_step() -> None:
    writing = [
        route for route in ROUTES
        if route.who is Who.EVERYBODY and route.method != "GET" and route.path.rpartition("/")[2]
        not in {"filter", "count", "paginate", "history", "lateness", "validate", "concurrency_status", "{countable}",
                "count-task-runs", "count-deployments", "next-runs", "counts"}
    ]  # fmt: skip
    assert [(route.method, route.path) for route in writing] == [("POST", "/deployments/{id}/create_flow_run")]


def test_beside_the_api_there_are_only_the_files_of_the_interface(app: Any) -> None:
    (interface,) = [route.app for route in app.routes if route.path == ""]
    beside = {route.path for route in app.routes} | {route.path for route in interface.routes if not hasattr(route, "app")}
    assert beside - {"", API, "/ui-settings"} == DESCRIPTIONS


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("GET", "/v2/", Who.EVERYBODY),
        ("HEAD", "/v2/assets/x.js", Who.EVERYBODY),
        ("POST", "/v2/", None),
        ("POST", "//api/flow_runs/", None),
        ("POST", "/api/flows", None),
        ("GET", "/api/new", None),
        ("DELETE", "/api/flow_runs/filter", Who.OPERATOR),
        ("OPTIONS", "/api/flow_runs/filter", None),
        ("TRACE", "/api/health", None),
        ("POST", "/api/flow_runs/filter/", None),
        ("POST", "/jalon/purge", Who.JALON),
        ("GET", "/jalon/else", None),
        ("WS", "/api/events/in", Who.JALON),
        ("WS", "/", None),
        ("GET", "/api/docs", Who.JALON),
    ],
)
def test_what_is_in_no_line_is_closed(method: str, path: str, who: Who | None) -> None:
    assert who_may(method, path) is who


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"job_variables": {"command": "id"}}, "comment elle est exécutée"),
        ({"work_queue_name": "other"}, "« work_queue_name »"),
        ({"empirical_policy": {"retries": 1}}, "« empirical_policy »"),
        ({"context": {"a": 1}, "labels": {"b": 2}}, "« context » et « labels »"),
        ({"infrastructure_document_id": "x"}, "infrastructure_document_id"),
        ({"state": {"type": "COMPLETED"}}, "pas d’autre état"),
        ({"state": {"type": "SCHEDULED", "data": {"x": 1}}}, "pas d’autre état"),
        ({"state": {"type": "SCHEDULED", "state_details": {"cache_key": "x"}}}, "que son heure"),
        ({"state": {"type": "SCHEDULED", "state_details": ["x"]}}, "que son heure"),
        ({"state": {"state_details": {"scheduled_time": (NOW + timedelta(days=2)).isoformat()}}}, "24 heures"),
        ({"state": {"state_details": {"scheduled_time": "demain"}}}, "24 heures"),
        ({"state": "SCHEDULED"}, "pas d’autre état"),
        ({"name": "x" * 201}, "200 signes"),
        ({"tags": ["argent"]}, "étiquettes"),
        ({"parameters": {"a": [{"__prefect_kind": "jinja", "template": "{{ 7*7 }}"}]}}, "rien n’y est calculé"),
        ([], "objet JSON"),
    ],
)
def test_a_form_says_which_step_and_nothing_of_how_it_is_run(content: Any, told: str) -> None:
    said = asking.asked(content, tags=["manuel"], now=NOW)
    assert isinstance(said, str)
    assert told in said


def test_a_form_as_the_interface_sends_it_goes_on_without_its_empty_fields() -> None:
    state = {"type": "SCHEDULED", "message": "Run from the Prefect UI", "state_details": {"scheduled_time": NOW.isoformat()}}
    kept = {"parameters": {"reference": "X"}, "state": state, "tags": ["manuel"], "enforce_parameter_schema": False}
    policy = {"resuming": False, "max_retries": 0, "retry_delay_seconds": 0, "retries": 0, "retry_delay": 0}
    content = {**kept, "job_variables": {}, "work_queue_name": "default", "empirical_policy": policy, "name": ""}
    assert asking.asked(content, tags=["manuel"], now=NOW) == kept


def test_job_variables_are_found_wherever_they_are() -> None:
    assert asking.job_variables_in({"actions": [{"type": "run-deployment", "job_variables": {"command": "id"}}]})
    assert not asking.job_variables_in({"actions": [{"job_variables": {}}, {"job_variables": None}]})
    deep: Any = {}
    for _ in range(100):
        deep = [deep]
    assert asking.job_variables_in(deep)


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


PASSWORD = "cdg:motdepasse-long"


def test_a_wrong_password_is_heard_less_and_less_often() -> None:
    clock = Clock()
    tries = Tries(clock)
    waits = []
    for number in range(9):
        refusal = passwords.refused(tries, "192.0.2.1", basic(f"cdg:{number}"), PASSWORD)
        assert refusal is not None
        assert refusal.status == 401
        soon = passwords.refused(tries, "192.0.2.1", basic(PASSWORD), PASSWORD)
        assert soon is not None  # not even the right one is judged now
        assert soon.status == 429
        waits.append(soon.wait)
        clock.at += soon.wait
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert passwords.refused(tries, "192.0.2.1", basic(PASSWORD), PASSWORD) is None
    assert passwords.refused(tries, "192.0.2.1", basic(PASSWORD), PASSWORD) is None


def test_an_open_page_that_repeats_its_wrong_password_counts_once_and_holds_up_nobody_else() -> None:
    clock = Clock()
    tries = Tries(clock)
    told = [passwords.refused(tries, "2001:db8::1", basic("cdg:x"), PASSWORD) for _ in range(50)]
    assert {one.status for one in told if one} == {401}
    clock.at += 1
    assert passwords.refused(tries, "2001:db8::1", basic(PASSWORD), PASSWORD) is None
    assert passwords.refused(tries, "192.0.2.9", basic(PASSWORD), PASSWORD) is None


@pytest.mark.parametrize("header", ["", "Basic", "Basic é", "Bearer x", "Basic !!!!", basic("cdg:")])
def test_what_is_no_password_is_answered_in_one_sentence(header: str) -> None:
    refusal = passwords.refused(Tries(Clock()), "192.0.2.1", header, PASSWORD)
    assert refusal is not None
    assert refusal.status == 401
    assert refusal.sentence.endswith(".")


def test_the_memory_of_wrong_passwords_is_bounded() -> None:
    tries = Tries(Clock())
    for number in range(ADDRESSES_AT_MOST + 50):
        passwords.refused(tries, f"10.0.{number // 256}.{number % 256}", basic("cdg:x"), PASSWORD)
    assert len(tries._failures) == ADDRESSES_AT_MOST
