"""The gate in front of Prefect, without Prefect: the password, the limits, and who gets through."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from flows.server import gate, waiting
from flows.server.credential import HEADER, Credential
from flows.server.gate import Gate

PASSWORD, SECRET = "cdg:motdepasse-long", "the-secret-of-this-server"
RIGHT = {"Authorization": f"Basic {base64.b64encode(PASSWORD.encode()).decode()}"}
WRONG = {"Authorization": f"Basic {base64.b64encode(b'cdg:autre').decode()}"}
ASKING = "/api/deployments/00000000-0000-0000-0000-000000000000/create_flow_run"


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


async def prefect(scope: Scope, receive: Receive, send: Send) -> None:
    """What would be Prefect: it tells what came."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    body = (await receive()).get("body", b"")
    await JSONResponse({"path": scope["path"], "body": body.decode()})(scope, receive, send)


class Client:
    """Somebody who asks the gate, with nothing in between."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        async def asking() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._gate), base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **how)

        return asyncio.run(asking())

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("GET", path, **how)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("POST", path, **how)

    def socket(self, path: str, headers: dict[str, str] | None = None) -> str:
        """What becomes of a socket."""
        heard: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            heard.append(message)

        told = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        asyncio.run(self._gate({"type": "websocket", "path": path, "headers": told}, receive, send))
        return str(heard[0]["type"]).removeprefix("websocket.")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def locked(clock: Clock) -> Client:
    """A server with a password."""
    return Client(Gate(prefect, Credential(SECRET, PASSWORD), clock=clock))


@pytest.fixture
def unlocked(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Client:
    """One without, where every deployment is that of a step."""

    async def deployment(_: str) -> waiting.Deployment:
        return waiting.Deployment("sign", ["manuel"])

    async def runs() -> int:
        return WAITING[0]

    monkeypatch.setattr(waiting, "deployment", deployment)
    monkeypatch.setattr(waiting, "runs", runs)
    return Client(Gate(prefect, Credential(SECRET, ""), clock=clock))


WAITING = [0]


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("detail", "")


def test_without_the_password_only_the_pages_that_ask_for_it_and_its_health_are_seen(locked: Client) -> None:
    assert locked.get("/v2/").status_code == 200
    assert locked.get("/api/health").status_code == 200
    for path in ("/api/version", "/api/flow_runs/0/graph", "/jalon/exploitant", "/api/admin/settings"):
        answer = locked.get(path)
        assert told(answer) == (401, "Le bureau de jalon demande un nom et un mot de passe.")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert locked.get(path, headers=RIGHT).status_code == 200, path


def test_a_wrong_password_waits_and_is_told_how_long(locked: Client, clock: Clock) -> None:
    assert told(locked.get("/api/version", headers=WRONG)) == (401, "Le nom ou le mot de passe n’est pas celui du bureau de jalon.")
    soon = locked.get("/api/version", headers=RIGHT)
    assert told(soon) == (429, "Trop d’essais faux depuis cette adresse : attendez 1 s avant de recommencer.")
    assert soon.headers["Retry-After"] == "1"
    clock.at += 1
    assert locked.get("/api/version", headers=RIGHT).status_code == 200


def test_the_password_gives_no_more_than_everybody_may(locked: Client) -> None:
    assert locked.post("/api/logs/", json=[], headers=RIGHT).status_code == 403
    assert locked.post("/api/variables/", json={}, headers=RIGHT).status_code == 403
    assert locked.post("/api/nothing", json={}, headers=RIGHT).status_code == 404


def test_the_secret_gets_through_and_nothing_like_it(locked: Client) -> None:
    assert locked.post("/api/logs/", json=[], headers={HEADER: SECRET}).status_code == 200
    for other in ("", SECRET[:-1], f"{SECRET}x", SECRET.upper()):
        assert locked.post("/api/logs/", json=[], headers={HEADER: other}).status_code == 401
    assert locked.post("/api/nothing", json=[], headers={HEADER: SECRET}).status_code == 401  # a route that is in no line


def test_a_socket_opens_for_the_secret_only(unlocked: Client) -> None:
    assert unlocked.socket("/api/events/in") == "close"
    assert unlocked.socket("/api/events/in", {HEADER: "else"}) == "close"
    assert unlocked.socket("/api/events/in", {HEADER: SECRET}) == "accept"
    assert unlocked.socket("/api/new", {HEADER: SECRET}) == "close"


def test_a_minute_has_so_many_runs_and_so_many_wait_at_most(unlocked: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {unlocked.post(ASKING, json={}).status_code for _ in range(gate.PER_MINUTE)} == {200}
    late = unlocked.post(ASKING, json={})
    assert (late.status_code, late.headers["Retry-After"]) == (429, "60")
    assert unlocked.post(ASKING, json={}, headers={HEADER: SECRET}).status_code == 200
    clock.at += 60
    assert unlocked.post(ASKING, json={}).status_code == 200
    monkeypatch.setattr("test_gate.WAITING", [waiting.AT_MOST])
    assert told(unlocked.post(ASKING, json={}))[0] == 429


@pytest.mark.parametrize("path", [ASKING, "/api/flow_runs/filter", "/jalon/exploitant"])
def test_what_is_too_big_is_not_read(unlocked: Client, path: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:  # without a length that is announced
        for _ in range(11):
            yield b"x" * 100_000

    for content in (b"x" * 1_000_001, b"x" * 20_000_001, pieces()):
        assert told(unlocked.post(path, content=content)) == (413, "Cette demande est trop grosse : un mégaoctet au plus.")


def test_what_goes_on_is_what_was_judged(unlocked: Client) -> None:
    asked = unlocked.post(ASKING, json={"parameters": {"reference": "X"}, "job_variables": {}, "work_queue_name": "default"})
    assert json.loads(asked.json()["body"]) == {"parameters": {"reference": "X"}, "tags": ["manuel", "source:127.0.0.1"]}
    assert unlocked.post(ASKING, content=b'{"job_variables": {}, "job_variables": {"command": "id"}}').status_code == 403
    assert (
        unlocked.post(ASKING, content=b'{"job_variables": {"command": "id"}, "job_variables": {}}').json()["body"].startswith('{"tags": ')
    )
    assert unlocked.post(ASKING, content=b'["job_variables"]').status_code == 422
    assert unlocked.post(ASKING, content='{"parameters": {"x": "\ud800"}}'.encode("utf-8", "surrogatepass")).status_code in (200, 400)
    assert unlocked.post(ASKING, content=b"\xff\xfe").status_code == 400
