"""What proves to the Prefect server that one of jalon's own processes asks: a secret of this server, in a file that only its account reads.

It stands in no environment and on no command line, so that neither a run nor a page can tell it. The name and the password that people
give are kept beside it, for the same reason.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

HEADER = "X-Jalon-Secret"


class Credential(NamedTuple):
    """The secret of a server, and the « nom:mot de passe » that it asks of people; empty when it asks none."""

    secret: str
    password: str

    @property
    def key(self) -> bytes:
        """What the server signs with."""
        return self.secret.encode()


def _path(folder: Path, port: int) -> Path:
    """One file for each server: the dashboard of a moment may look at the folder of a desk that runs."""
    return folder / f"credential-{port}.json"


def made(folder: Path, port: int, password: str = "") -> Credential:
    """The credential of a server that is about to start: a new secret, in place of the one before."""
    credential = Credential(secrets.token_urlsafe(32), password)
    partial = _path(folder, port).with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(credential._asdict(), file)
    partial.replace(_path(folder, port))
    return credential


def read(folder: Path, port: int) -> Credential | None:
    """The credential of a server; None when jalon has not started it, as for a server of somebody else."""
    try:
        kept = json.loads(_path(folder, port).read_text())
        return Credential(str(kept["secret"]), str(kept["password"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def dropped(folder: Path, port: int) -> None:
    """Forget it: its server has been stopped."""
    _path(folder, port).unlink(missing_ok=True)


def of(env: Mapping[str, str]) -> Credential | None:
    """The credential of the server that an environment speaks to."""
    port = urlsplit(env.get("PREFECT_API_URL", "")).port
    return read(Path(env.get("PREFECT_HOME") or Path.home() / ".prefect"), port) if port else None


def speak_as_jalon() -> None:
    """Let every client of Prefect in this process give the secret, threads included. For jalon's own programs, as they start."""
    credential = of(os.environ)
    if credential is None:
        return
    from prefect import context
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_CLIENT_CUSTOM_HEADERS

    updates: dict[Any, Any] = {PREFECT_CLIENT_CUSTOM_HEADERS: {HEADER: credential.secret}}
    updates |= {PREFECT_API_AUTH_STRING: credential.password} if credential.password else {}
    now = context.get_settings_context()
    # The context of the process, and not one of this thread: Prefect sends events and logs from threads of its own.
    context.GLOBAL_SETTINGS_CONTEXT = context.SettingsContext(profile=now.profile, settings=now.settings.copy_with_update(updates=updates))
