"""A Prefect server of our own: on loopback, on a free port, with its own folder, stopped when we leave."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from urllib.error import URLError

from flows.settings import PROJECT, settings
from models.faults import Unreachable

USUAL_PORT = 4200
READY_SECONDS = 90
STOP_SECONDS = 8
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
}


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop_on_signals() -> None:
    """Ctrl-C and a polite end both raise KeyboardInterrupt, even when a shell started us with Ctrl-C ignored."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)


def usual_port() -> int:
    """Prefect's own port when nobody listens there, so that the address stays the same; otherwise a free one."""
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", USUAL_PORT)) == 0
    return free_port() if taken else USUAL_PORT


def environment(home: Path, port: int, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the server in `home`, and of whoever speaks to it. Settings of another Prefect are left out."""
    kept = {name: value for name, value in base.items() if not name.startswith("PREFECT_")}
    return {**kept, **QUIET, "PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}


@contextmanager
def running(home: Path, *, port: int | None = None, template: Path | None = None) -> Iterator[int]:
    """A server while the block runs; gives its port. Raises Unreachable when it does not get ready.

    `template` keeps an empty migrated database, because Prefect takes longer to make one than to start.
    """
    port = port or free_port()
    env = environment(home, port)
    home.mkdir(parents=True, exist_ok=True)
    if template is not None and not (home / "prefect.db").exists():
        _from_template(home, template, env)
    with (home / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        # A session of its own: Ctrl-C in the terminal reaches us, and we stop the server in order.
        server = subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
            command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(server, port, home / "server.log")
        yield port
    finally:
        _stop(server)


def _from_template(home: Path, template: Path, env: dict[str, str]) -> None:
    kept = template / f"prefect-{version('prefect')}.db"
    if not kept.exists():
        made = subprocess.run(
            [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"], env=env, capture_output=True, check=False
        )
        if made.returncode == 0 and (home / "prefect.db").exists():
            template.mkdir(parents=True, exist_ok=True)
            partial = kept.with_suffix(f".{os.getpid()}")
            shutil.copyfile(home / "prefect.db", partial)
            partial.replace(kept)
        return
    shutil.copyfile(kept, home / "prefect.db")


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    limit = time.monotonic() + READY_SECONDS
    while time.monotonic() < limit:
        if server.poll() is not None:
            raise Unreachable(f"Le serveur Prefect s’est arrêté en démarrant ; voyez {log}.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/ready", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise Unreachable(f"Le serveur Prefect n’est pas prêt après {READY_SECONDS} secondes ; voyez {log}.")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and what it started, by its own group."""
    for sign in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        if server.poll() is not None:
            return
        os.killpg(server.pid, sign)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def serve(home: str | None, port: int | None) -> int:
    """Keep a server open on the runs of a folder until Ctrl-C."""
    folder = Path(home) if home else settings().home / "prefect"
    folder = folder if folder.is_absolute() else PROJECT / folder
    if home and not (folder / "prefect.db").exists():
        raise Unreachable(f"Aucune exécution dans {folder} : lancez d’abord « make demo ».")
    stop_on_signals()
    print("Démarrage de l’interface de Prefect...", flush=True)
    with running(folder, port=port or usual_port()) as used:
        print(f"Tableau de bord : http://127.0.0.1:{used}   (Ctrl-C pour arrêter)", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
    print("Arrêté.")
    return 0
