"""A JALON_HOME whose commands are given as a person gives them, and the Prefect server that `jalon up` started there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from flows.server import processes, server
from flows.server import up as desk
from flows.server.processes import Record
from flows.settings import settings
from models.database.store import Store, sqlite_url

COMMAND = [sys.executable, "-m", "flows"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("JALON_", "PREFECT_"))}


class Office:
    """One home; `environment` is set for all its commands."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        key = os.environ["JALON_CODES_KEY"]  # with which these tests seal the secrets of people
        self.env = {**CLEAN, "JALON_HOME": str(home), "JALON_CODES_KEY": key, "PYTHONUNBUFFERED": "1", **environment}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen([*COMMAND, *words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *words: str, code: int = 0) -> str:
        """What a command said, once it has ended with this code."""
        command = self.start(*words)
        said, _ = command.communicate(timeout=200)
        assert command.returncode == code, said
        return said

    def begin(self, cache: Path) -> None:
        """Give Prefect the empty database of `cache`, as after a first `jalon demo`."""
        folder = self.home / "prefect"
        folder.mkdir(mode=0o700, parents=True)
        assert server.from_cache(folder, cache)

    def store(self, *, create: bool = False) -> Store:
        return Store(sqlite_url(self.home / "jalon.db"), create=create)

    @property
    def record(self) -> Record:
        record = processes.read(self.home)
        assert record is not None
        return record

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.record.port}"

    def ask(self, path: str, content: Any = None) -> Any:
        """What the Prefect server answers."""
        record = self.record
        return server.ask(desk.environment(settings(self.env), record.host, record.port), path, content)
