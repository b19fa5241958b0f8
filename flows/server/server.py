"""A Prefect server of our own: on loopback, on a free port, with its own folder, stopped when we leave."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from flows.ports.terminal import say
from flows.server import credential as credentials
from flows.settings import PROJECT, settings
from models.answers import Invalid
from models.database.faults import Unreachable

USUAL_PORT = 4200
PASSWORD_AT_LEAST = 12
LOOPBACK = "127.0.0.1"
READY_SECONDS = 90
STOP_SECONDS = 8
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_API_URL": "/api",  # a browser asks where it found the page, by whatever name it came
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
}
SECRET, CSRF = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_SERVER_CSRF_PROTECTION_ENABLED"
DATABASES = ("PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL")
CSRF_CLIENT = str(uuid.uuid4())  # a token is good for who asked for it: one identity for each process
OF_THE_HOUSE = (SECRET, *DATABASES)


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop_on_signals() -> None:
    """Ctrl-C and a polite end both raise KeyboardInterrupt, even when a shell started us with Ctrl-C ignored."""
    for sign in STOPPING:
        signal.signal(sign, signal.default_int_handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A signal that comes meanwhile is heard afterwards: what is being started is known by then, and can be stopped."""
    came: list[int] = []
    before = {sign: signal.signal(sign, lambda number, _: came.append(number)) for sign in STOPPING}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
    if came:
        raise KeyboardInterrupt


def usual_port() -> int:
    """Prefect's own port when nobody listens there, so that the address stays the same; otherwise a free one."""
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", USUAL_PORT)) == 0
    return free_port() if taken else USUAL_PORT


def environment(
    home: Path, port: int, base: Mapping[str, str] = os.environ, *, host: str = LOOPBACK, through: Collection[str] = ()
) -> dict[str, str]:
    """The environment of the server in `home`, and of whoever speaks to it. Settings of another Prefect are left out.

    `through` names those that are kept all the same: OF_THE_HOUSE for the server that stays, none for one of a moment,
    which must not touch the database of the other. A password brings CSRF; whoever speaks to the server reads it from a file.
    """
    variables = {name: value for name, value in base.items() if not name.startswith("PREFECT_") or name in through}
    closed = {CSRF: "true"} if variables.get(SECRET) else {}
    own = address(host, port)
    only = {"PREFECT_API_URL": f"{own}/api", "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": own}  # Prefect lets every site in
    return {**variables, **QUIET, **closed, **only, "PREFECT_HOME": str(home)}


def address(host: str, port: int) -> str:
    """Where a server that listens on `host` is found from this machine: « http://127.0.0.1:4200 »."""
    near = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - an address to recognise, not to listen on
    return f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can speak to who listens on `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def assert_closed(host: str) -> None:
    """Raises Invalid for a server that other machines reach without a name and a password, or for a secret that is not a whole one."""
    secret = os.environ.get(SECRET, "")
    if not secret and is_loopback(host):
        return
    name, _, password = secret.partition(":")
    if not secret:
        why = f"« {host} » ouvre Prefect à d’autres machines"
    elif not name or len(password) < PASSWORD_AT_LEAST or not secret.isascii() or not secret.isprintable():
        why = f"La valeur de {SECRET} ne protège pas assez"
    else:
        return
    raise Invalid(
        f"{why} : donnez à la variable {SECRET} un « nom:mot de passe » que chacun devra donner, "
        f"le mot de passe de {PASSWORD_AT_LEAST} caractères au moins, sans accents."
    )


def assert_free(host: str, port: int) -> None:
    """Raises Unreachable when somebody listens on that port, Invalid when `host` is no address of this machine."""
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except socket.gaierror:
        raise Invalid(f"« {host} » n’est pas une adresse de cette machine.") from None
    except OSError:
        raise Unreachable(f"Le port {port} est pris par un autre programme ou interdit : choisissez-en un autre avec --port.") from None


def ask(env: Mapping[str, str], path: str, content: object = None, *, seconds: float = 10, of_api: bool = True) -> Any:
    """Ask the server of an environment: GET, or POST with a content; what it answers. Raises Unreachable.

    `path` is one of Prefect's API, or of our own beside it. By hand, because Prefect's own client takes two seconds to import.
    """
    headers = {"Content-Type": "application/json"}
    credential = credentials.of(env)
    if credential is not None:
        headers[credentials.HEADER] = credential.secret
    if credential is not None and credential.password:
        headers["Authorization"] = f"Basic {base64.b64encode(credential.password.encode()).decode()}"
    if content is not None and credential is not None and credential.password:  # a password brings CSRF
        token = ask(env, f"/csrf-token?client={CSRF_CLIENT}", seconds=seconds)
        headers |= {"Prefect-Csrf-Token": token["token"], "Prefect-Csrf-Client": CSRF_CLIENT}
    body = None if content is None else json.dumps(content).encode()
    base = env["PREFECT_API_URL"] if of_api else env["PREFECT_API_URL"].removesuffix("/api")
    request = urllib.request.Request(base + path, body, headers)  # noqa: S310 - an address that we made
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            return json.load(answer)
    except HTTPError as fault:
        with fault:
            raise Unreachable(_sentence(fault.code)) from fault
    except (URLError, OSError, ValueError) as fault:
        raise Unreachable("Le serveur Prefect ne répond pas.") from fault


def _sentence(code: int) -> str:
    if code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return "Le serveur Prefect n’accepte pas ce qui prouve qu’il est celui de jalon. Lancez : jalon down, puis jalon up."
    return f"Le serveur Prefect refuse de répondre (code {code})."


@contextmanager
def running(home: Path, *, port: int | None = None, template: Path | None = None) -> Iterator[int]:
    """A server while the block runs; gives its port. Raises Unreachable when it does not get ready.

    `template` keeps an empty migrated database, because Prefect takes longer to make one than to start.
    """
    port = port or free_port()
    env = {**environment(home, port), "JALON_HOME": str(home.parent)}  # whose register says who is an operator
    home.mkdir(parents=True, exist_ok=True)
    if template is not None and not (home / "prefect.db").exists():
        _from_template(home, template, env)
    credentials.made(home, port)
    with (home / "server.log").open("wb") as log:
        command = command_of(LOOPBACK, port)
        # A session of its own: Ctrl-C in the terminal reaches us, and we stop the server in order.
        server = subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
            command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait(env, home / "server.log", lambda: server.poll() is None)
        yield port
    finally:
        _stop(server)
        credentials.dropped(home, port)


def _from_template(home: Path, template: Path, env: dict[str, str]) -> None:
    if from_cache(home, template):
        return
    made = subprocess.run(
        [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"], env=env, capture_output=True, check=False
    )
    if made.returncode == 0 and (home / "prefect.db").exists():
        template.mkdir(parents=True, exist_ok=True)
        folder = _copied(template)
        partial = folder.with_suffix(f".{os.getpid()}")
        shutil.copyfile(home / "prefect.db", partial)
        partial.replace(folder)


def _copied(template: Path) -> Path:
    return template / f"prefect-{version('prefect')}.db"


def from_cache(home: Path, template: Path) -> bool:
    """Begin with the empty database that `template` keeps; False when it keeps none.

    A log that a deleted database has left behind would be written into the new one: it goes first.
    """
    if not _copied(template).exists():
        return False
    for left in ("prefect.db-wal", "prefect.db-shm"):
        (home / left).unlink(missing_ok=True)
    shutil.copyfile(_copied(template), home / "prefect.db")
    return True


def command_of(host: str, port: int) -> list[str]:
    """The command that starts a server."""
    return [sys.executable, "-m", "flows.server.prefect_server", host, str(port)]


def wait(env: Mapping[str, str], log: Path, lives: Callable[[], bool]) -> None:
    """Wait until the server of an environment is ready. Raises Unreachable when it ends before, or takes too long."""
    limit = time.monotonic() + READY_SECONDS
    while time.monotonic() < limit:
        if not lives():
            raise Unreachable(f"Le serveur Prefect s’est arrêté en démarrant ; voyez {log}.")
        if ready(env):
            return
        time.sleep(0.1)
    raise Unreachable(f"Le serveur Prefect n’est pas prêt après {READY_SECONDS} secondes ; voyez {log}.")


def ready(env: Mapping[str, str]) -> bool:
    """Whether the server of an environment answers."""
    try:
        ask(env, "/ready", seconds=2)
    except Unreachable:
        return False
    return True


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
    say("Démarrage de l’interface de Prefect...")
    with running(folder, port=port or usual_port()) as used:
        say(f"Tableau de bord : http://127.0.0.1:{used}   (Ctrl-C pour arrêter)")
        with suppress(KeyboardInterrupt):
            signal.pause()
    say("Arrêté.")
    return 0
