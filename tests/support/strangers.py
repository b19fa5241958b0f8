"""A desk that runs, and whoever reaches it with nothing but its address."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from typing import Any

from offices import Office

ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Target(Office):
    """A desk that runs, and whoever reaches it with nothing but its address."""

    cookie = ""

    def asked(self, method: str, path: str, content: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """What is answered to a stranger: the status, the content, the headers."""
        body = content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
        told = {"Content-Type": "application/json", **({"Cookie": self.cookie} if self.cookie else {}), **headers}
        question = urllib.request.Request(f"{self.address}{path}", body, told, method=method)
        try:
            with urllib.request.build_opener(Unmoved).open(question, timeout=30) as answer:
                return answer.status, _content(answer.read()), answer.headers
        except urllib.error.HTTPError as fault:
            with fault:
                return fault.code, _content(fault.read()), fault.headers

    def ended(self, run: str) -> dict[str, Any]:
        """The state in which a run ended."""
        limit = time.monotonic() + 60
        while (state := self.ask(f"/flow_runs/{run}")["state"])["type"] not in ENDED:
            assert time.monotonic() < limit, state
            time.sleep(0.3)
        return dict(state)

    def sql(self, statement: str, *values: object) -> None:
        """Write straight into Prefect's database, as no door lets anybody do."""
        with closing(sqlite3.connect(self.home / "prefect" / "prefect.db", timeout=60)) as database, database:
            assert database.execute(statement, values).rowcount > 0


class Unmoved(urllib.request.HTTPRedirectHandler):
    """Follows nothing: where we are sent is part of the answer."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _content(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode()
