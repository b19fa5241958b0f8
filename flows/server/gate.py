"""The gate in front of Prefect: who may ask what (`flows.server.routes`), how much at once, and what a form may hold.

Prefect has no users. Whoever reaches it could otherwise have any command run, under the account of jalon, and with no one-time code.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.ports.clock import now
from flows.server import asking, operators, passwords, upkeep, waiting
from flows.server.credential import HEADER, Credential
from flows.server.passwords import Refusal, Tries
from flows.server.routes import API, ASKING, OPEN_WITHOUT_PASSWORD, Who, who_may
from models.database.faults import Unreachable

BYTES_AT_MOST = 1_000_000
BYTES_GONE_BY = 20_000_000  # of what is too big: heard to its end and kept nowhere; of more, not even that
PER_MINUTE = 120  # runs asked for by everybody together
CLOSED = "Cette adresse de Prefect n’est pas ouverte ici."
OF_JALON = "Seuls les programmes de jalon font cette demande."
OF_OPERATORS = f"Cette demande revient à un exploitant : qu’il le prouve d’abord sur la page {operators.PAGE}."
JOB = "Personne ne dit à jalon comment une exécution est lancée : « job_variables » n’est pas accepté."
TOO_BIG = "Cette demande est trop grosse : un mégaoctet au plus."
TOO_MANY = f"Trop de demandes à la fois : {PER_MINUTE} par minute, et {waiting.AT_MOST} en attente au plus. Recommencez dans une minute."
NOT_A_STEP = "Seules les étapes se demandent ainsi : les rondes partent à leur heure."
ILLEGIBLE = "Cette demande n’est pas du JSON lisible."


class TooBig(Exception):
    """The body of a question is longer than we read."""


class Gate:
    """Prefect's application behind it; `credential` is that of this server."""

    def __init__(self, app: ASGIApp, credential: Credential, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._credential = credential
        self._clock = clock
        self._passwords, self._codes = Tries(clock), Tries(clock)
        self._asked: deque[float] = deque(maxlen=PER_MINUTE)
        self._trying = asyncio.Lock()
        self._register = ThreadPoolExecutor(1, "register")  # one connection, which one thread at a time may use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a question through, or answer it."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] != "websocket" or (self._is_jalon(scope) and who_may("WS", scope["path"]) is not None):
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": OF_JALON})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = who_may(scope["method"], scope["path"])
        if self._is_jalon(scope) and who is not None:
            await (upkeep.answer if scope["path"] in upkeep.PATHS else self._app)(scope, receive, send)
            return
        try:
            answer, body = await self._judged(scope, receive, who)
        except TooBig:
            answer, body = _refused(Refusal(413, TOO_BIG)), b""
        if answer is not None:
            await answer(scope, receive, send)
        else:
            await self._app(_announcing(scope, body), _once(body, receive), send)

    async def _judged(self, scope: Scope, receive: Receive, who: Who | None) -> tuple[Response | None, bytes]:
        """The answer to somebody who is not jalon, or none and the body that goes on."""
        if refusal := self._without_password(scope):
            return _refused(refusal), b""
        body = await _body(scope, receive)
        if scope["path"] == operators.PAGE:
            return await self._operators_page(scope, body), b""
        if who in (None, Who.JALON):
            return _refused(Refusal(404, CLOSED) if who is None else Refusal(403, OF_JALON)), b""
        operator = await self._operator(scope)
        if who is Who.OPERATOR and operator is None:
            return _refused(Refusal(403, OF_OPERATORS)), b""
        asked = ASKING.fullmatch(scope["path"].removeprefix(API)) if scope["method"] == "POST" else None
        if (asked or who is Who.OPERATOR) and (objection := _examined(body)):
            return objection, b""
        return await self._run_asked(asked[1], body, operator, _address(scope)) if asked else (None, body)

    async def _run_asked(self, deployment_id: str, body: bytes, operator: str | None, address: str) -> tuple[Response | None, bytes]:
        """A question for a run: what of it goes on to Prefect, with where it comes from, so that wrong codes slow down their source."""
        deployment = await waiting.deployment(deployment_id)
        if deployment is None:
            return None, body  # Prefect says that there is none
        if operator is None and not asking.is_step(deployment.name):
            return _refused(Refusal(403, NOT_A_STEP)), b""
        asked = asking.asked(json.loads(body or b"{}"), tags=deployment.tags, now=now())
        if isinstance(asked, str):
            return _refused(Refusal(422, asked)), b""
        if await self._too_many():
            return _refused(Refusal(429, TOO_MANY, 60)), b""
        tags = [*deployment.tags, f"{asking.SOURCE}{address}"]
        return None, json.dumps({**asked, "tags": tags}).encode()

    async def _too_many(self) -> bool:
        """Whether everybody together asks too much; this question counts when it does not."""
        at = self._clock()
        if len(self._asked) == PER_MINUTE and at - self._asked[0] < 60:
            return True
        if await waiting.runs() >= waiting.AT_MOST:
            return True
        self._asked.append(at)
        return False

    def _is_jalon(self, scope: Scope) -> bool:
        return hmac.compare_digest(_header(scope, HEADER), self._credential.key)

    def _without_password(self, scope: Scope) -> Refusal | None:
        """Why somebody is not let in without the password, where there is one. The files of the interface, which ask for it, are read."""
        path, password = scope["path"], self._credential.password
        asks = path.startswith(f"{API}/") or path == operators.PAGE
        if not password or not asks or (scope["method"] == "GET" and path.removeprefix(API) in OPEN_WITHOUT_PASSWORD):
            return None
        return passwords.refused(self._passwords, _address(scope), _header(scope, "Authorization").decode("latin-1"), password)

    async def _operator(self, scope: Scope) -> str | None:
        """The operator whose cookie comes with a question of our own pages; None for everybody else."""
        if _header(scope, "Sec-Fetch-Site") not in (b"", b"same-origin", b"none"):
            return None
        cookie = _cookie(scope)
        return await self._in_the_register(operators.operator, self._credential.key, cookie) if cookie else None

    async def _operators_page(self, scope: Scope, body: bytes) -> Response:
        if scope["method"] != "POST":
            return _page(operators.page(operator_name=await self._operator(scope)))
        if _header(scope, "Sec-Fetch-Site") not in (b"", b"same-origin"):
            return _page(operators.page("Cette page ne se remplit que d’ici."), 403)
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1"), encoding="utf-8", max_num_fields=5).items()}
        if form.get("end"):
            return _go_on("")
        try:
            refusal, cookie = await self._proof(_address(scope), body, *_typed(form))
        except Unreachable as fault:
            return _page(operators.page(str(fault)), 503)
        return _page(operators.page(refusal.sentence), refusal.status) if refusal else _go_on(cookie)

    async def _proof(self, address: str, body: bytes, name: str, code: str) -> tuple[Refusal | None, str]:
        """The cookie of who proves to be an operator, one try at a time."""
        async with self._trying:
            if refusal := self._codes.too_soon(address, body, operators.NOT_PROVED):
                return refusal, ""
            cookie = await self._in_the_register(operators.proof, self._credential.key, name, code, address)
            return self._codes.judged(address, body, right=cookie is not None, wrong=operators.NOT_PROVED), cookie or ""

    async def _in_the_register(self, ask: Callable[..., str | None], *asked: object) -> str | None:
        return await asyncio.get_running_loop().run_in_executor(self._register, ask, *asked)


def _typed(form: dict[str, str]) -> tuple[str, str]:
    return form.get("name", "")[:200], form.get("code", "")[:20]


def _examined(body: bytes) -> Response | None:
    """A question that changes something may not say how anything is run."""
    try:
        content = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return _refused(Refusal(400, ILLEGIBLE))
    return _refused(Refusal(403, JOB)) if asking.job_variables_in(content) else None


def _refused(refusal: Refusal) -> Response:
    """The answer, in the words that the interface shows."""
    headers = {"Retry-After": str(refusal.wait)} if refusal.wait else {}
    headers |= {"WWW-Authenticate": 'Basic realm="jalon", charset="UTF-8"'} if refusal.status == 401 else {}
    return JSONResponse({"detail": refusal.sentence, "exception_message": refusal.sentence}, refusal.status, headers)


def _page(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status, {"Content-Security-Policy": operators.PAGE_POLICY, "Cache-Control": "no-store"})


def _go_on(cookie: str) -> Response:
    return RedirectResponse(operators.PAGE, 303, {"Set-Cookie": operators.cookie_header(cookie)})


def _header(scope: Scope, name: str) -> bytes:
    wanted = name.lower().encode()
    return next((value for key, value in scope["headers"] if key == wanted), b"")


def _address(scope: Scope) -> str:
    """Where somebody asks from; uvicorn has put there whom a proxy of this machine speaks for."""
    client = scope.get("client")
    return client[0] if client else ""


def _cookie(scope: Scope) -> str:
    try:
        cookies = SimpleCookie(_header(scope, "Cookie").decode("latin-1"))
    except CookieError:
        return ""
    return cookies[operators.COOKIE].value if operators.COOKIE in cookies else ""


async def _body(scope: Scope, receive: Receive) -> bytes:
    """All of a body. Raises TooBig, once what was sent has gone by: who still sends hears no answer."""
    announced = _header(scope, "Content-Length")
    if announced.isdigit() and int(announced) > BYTES_GONE_BY:
        raise TooBig
    found, gone_by, more = bytearray(), 0, True
    while more and gone_by <= BYTES_GONE_BY:
        message = await receive()
        piece, more = message.get("body", b""), message.get("more_body", False)
        gone_by += len(piece)
        if gone_by <= BYTES_AT_MOST:
            found += piece
    if gone_by > BYTES_AT_MOST:
        raise TooBig
    return bytes(found)


def _announcing(scope: Scope, body: bytes) -> Scope:
    """The same question, whose headers tell the length of the body that goes on."""
    headers = [(name, value) for name, value in scope["headers"] if name not in (b"content-length", b"transfer-encoding")]
    return {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())] if body else headers}


def _once(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, then whatever comes."""
    left = [body]

    async def receiving() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return receiving
