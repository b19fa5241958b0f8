"""What a run finds in its environment, and where it works: written by `jalon up` into a file that the worker reads before any run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from flows.server.server import OF_THE_HOUSE
from flows.settings import PROJECT

FILE = "worker.json"


def keep(folder: Path, env: Mapping[str, str]) -> None:
    """Write the file of the workers of `folder`: what a run finds in its environment, and no secret of the server."""
    partial = folder / f"{FILE}.{os.getpid()}"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(of_runs(env), file)
    partial.replace(folder / FILE)


def of_runs(env: Mapping[str, str]) -> dict[str, str]:
    """What a run finds in its environment: that of jalon, without the passwords and the database of Prefect."""
    return {name: value for name, value in env.items() if name not in OF_THE_HOUSE and not name.startswith("PREFECT__")}


def settings_of(folder: Path | None) -> tuple[dict[str, str], Path]:
    """The environment and the folder of every run: from the file in `folder`, or as this process was started."""
    if folder is None or not (folder / FILE).exists():
        return of_runs(os.environ), PROJECT
    kept: dict[str, str] = json.loads((folder / FILE).read_text())
    return kept, folder
