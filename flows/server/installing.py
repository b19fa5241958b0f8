"""What `flows.deploying` puts on the server, in a process of its own: importing Prefect takes two seconds, and most commands need none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from flows.server import processes
from flows.settings import PROJECT
from models.database.faults import Unreachable

COMMAND = [sys.executable, "-m", "flows.deploying"]
SECONDS = 120


def fingerprint() -> str:
    """The code that the deployments are made from: when it changes, they are made again."""
    digested = sha256(version("prefect").encode())
    for folder in ("states", "models", "flows"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            digested.update(path.read_bytes())
    return digested.hexdigest()


def begun(env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Begin to put everything there."""
    return processes.launch(COMMAND, env, log)


def ended(installing: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it is there. Raises Unreachable."""
    try:
        done = installing.wait(SECONDS)
    except subprocess.TimeoutExpired:
        raise Unreachable(f"Les déploiements ne sont pas faits après {SECONDS} secondes ; voyez {log}.") from None
    if done != 0:
        raise Unreachable(f"Les déploiements n’ont pas pu être faits ; voyez {log}.")


def differences(env: Mapping[str, str]) -> list[str]:
    """What on the server is not as declared, a French sentence each. Raises Unreachable."""
    return _told(env, "--check")


def mended(env: Mapping[str, str]) -> list[str]:
    """Put that right; what it was. Raises Unreachable."""
    return _told(env, "--mend")


def _told(env: Mapping[str, str], word: str) -> list[str]:
    try:
        ended = subprocess.run([*COMMAND, word], env=dict(env), capture_output=True, text=True, timeout=SECONDS, check=True)  # noqa: S603
        told: list[str] = json.loads(ended.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError):
        raise Unreachable("Ce qui est déclaré n’a pas pu être comparé avec le serveur Prefect.") from None
    return told
