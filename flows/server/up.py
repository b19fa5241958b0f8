"""`jalon up` and `jalon down`: the Prefect server, its worker and its deployments, which stay when the command ends.

What runs is remembered in `desk.json`. `up` brings about what is missing and nothing else, so it may be done at any time.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url

from flows.home import Home
from flows.ports.clock import now
from flows.ports.locks import held
from flows.ports.terminal import remark
from flows.server import credential, installing, processes, run_settings, server
from flows.server.processes import Process, Record
from flows.settings import PROJECT, Settings, settings
from models.answers import Invalid
from models.database.faults import Unreachable
from models.database.store import sqlite_url
from states.overview.table import deployments
from states.values.french import counted

POOL = "jalon"
DASHBOARD = "/v2/artifacts/key/tableau-de-bord"
NOTHING = "Rien ne tourne : il n’y a rien à arrêter."
WORKER_SECONDS = 60
TAKES_AT_MOST = timedelta(minutes=1)  # from a worker's taking a run to its process


def environment(configured: Settings, host: str, port: int, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the server, its workers and whoever speaks to them: absolute paths, whatever the folder they work in.

    What only the server may know of it (`server.OF_THE_HOUSE`) is left out for the others.
    """
    url = make_url(configured.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database
    env = server.environment(configured.home / "prefect", port, base, host=host, through=server.OF_THE_HOUSE)
    return env | {
        "JALON_HOME": str(configured.home),
        "JALON_DESK": "1",
        "JALON_DATABASE_URL": sqlite_url(Path(url.database).absolute()) if is_file and url.database else configured.database_url,
        "JALON_MAIL_DIR": str(configured.mail_dir.absolute()),
        "JALON_INBOX": str(configured.inbox.absolute()),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }


def up(*, host: str | None = None, port: int | None = None, workers: int | None = None) -> int:
    """Start what is missing and say where it is. Raises Invalid, Unreachable; what it has started is stopped then."""
    _assert_asked(host, port, workers)
    server.stop_on_signals()
    configured = settings()
    Home(configured, create=True).store.close()
    with _alone(configured.home):
        desk = _Services(configured)
        try:
            desk.up(host, port, workers)
        except BaseException:
            desk.undo()
            raise
    return 0


def down() -> int:
    """Stop the workers, then the server."""
    home = settings().home
    if not home.exists():
        remark(NOTHING)
        return 0
    with _alone(home):
        record = processes.read(home)
        if record is None:
            remark(NOTHING)
            return 0
        workers = processes.stop(record.workers)
        served = processes.stop([record.server])
        credential.dropped(home / "prefect", record.port)
        (home / "desk.json").unlink(missing_ok=True)
    parts = [counted(len(workers), "worker", "workers")] * bool(workers) + [f"le serveur Prefect (port {record.port})"] * bool(served)
    remark(f"Arrêté : {' et '.join(parts)}." if parts else "Plus rien ne tournait : la trace du dernier démarrage est effacée.")
    return 0


class _Services:
    """One `up`: what it finds, what it has started."""

    def __init__(self, configured: Settings) -> None:
        self.settings = configured
        self.folder = configured.home / "prefect"
        self.began = time.monotonic()
        self.started: list[Process] = []
        self.mended: list[str] = []
        self.installing: subprocess.Popen[bytes] | None = None
        self.record = processes.read(configured.home)

    def up(self, host: str | None, port: int | None, workers: int | None) -> None:
        found = self.record
        if found is None or not self._serves(found):
            self._serve(host or (found.host if found else server.LOOPBACK), port)
        self._install()
        self._work(workers or len(found.workers if found else ()) or 1)
        if not self.started and not self.mended:
            remark("Tout tourne déjà : rien n’a été changé.")
            if found is not None and (host or found.host, port or found.port) != (found.host, found.port):
                remark("  Pour changer d’adresse ou de port : « jalon down », puis de nouveau « jalon up ».")
        else:
            remark(f"Tout est prêt en {self._seconds(self.began)}.")
        self._tell_addresses()

    def undo(self) -> None:
        """Stop what this `up` has started, the server last."""
        if processes.stop(self.started[::-1]):
            remark("Ce qui avait été démarré est arrêté.")
        if self.record is not None and not self.record.server.lives:
            (self.settings.home / "desk.json").unlink(missing_ok=True)

    @property
    def _now(self) -> Record:
        assert self.record is not None
        return self.record

    @property
    def _env(self) -> dict[str, str]:
        """The environment of everything but the server: nothing in it opens anything."""
        env = environment(self.settings, self._now.host, self._now.port)
        return {name: value for name, value in env.items() if name not in server.OF_THE_HOUSE}

    def _serves(self, found: Record) -> bool:
        """Whether the server of the last `up` answers; if not, what is left of that `up` is stopped."""
        if found.server.lives and server.ready(self._env) and credential.of(self._env):
            return True
        remark("Le dernier démarrage n’a pas été arrêté par « jalon down » et son serveur ne répond plus : tout est relancé.")
        processes.stop(found.workers)
        processes.stop([found.server])
        return False

    def _serve(self, host: str, port: int | None) -> None:
        server.assert_closed(host)
        before = port or self._last_port()
        port = before or server.usual_port()
        server.assert_free(host, port)
        if not before and port != server.USUAL_PORT:
            remark(f"Le port {server.USUAL_PORT} est pris : le port {port} le remplace.")
        began = time.monotonic()
        remark(f"Démarrage du serveur Prefect sur {server.address(host, port)} (une quinzaine de secondes la première fois)...")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        env = environment(self.settings, host, port)
        if not (self.folder / "prefect.db").exists() and not any(env.get(name) for name in server.DATABASES):
            server.from_cache(self.folder, PROJECT / "var" / "cache")
        log = self.folder / "server.log"
        credential.made(self.folder, port, env.get(server.SECRET, ""))
        with server.uninterrupted():
            process = processes.start(server.command_of(host, port), env, log)
            self.started.append(process)
            self._keep(Record(host, port, process))
        self._begin_install()  # Prefect takes as long to import as a server to start: both at once
        server.wait(env, log, lambda: process.lives)
        (self.folder / "port").write_text(f"{port}\n")
        remark(f"  Serveur prêt ({self._seconds(began)}).")

    def _begin_install(self) -> None:
        with server.uninterrupted():
            self.installing = installing.begun(self._env, self.folder / "deploying.log")
            self.started.append(processes.of(self.installing))

    def _install(self) -> None:
        """Put on the server what this code needs there; what is there and is not as declared is put right."""
        code, began = installing.fingerprint(), time.monotonic()
        if self._now.installed == code:
            self.mended = installing.mended(self._env)
            for sentence in self.mended:
                remark(f"  Remis comme déclaré : {sentence}")
            return
        if self.installing is None:
            self._begin_install()
        assert self.installing is not None
        installing.ended(self.installing, self.folder / "deploying.log")
        self._keep(self._now._replace(installed=code))
        remark(f"  {counted(len(deployments()['deployments']), 'déploiement fait', 'déploiements faits')} ({self._seconds(began)}).")

    def _work(self, wanted: int) -> None:
        """Start the workers that are missing, and wait until the server has heard of them."""
        workers, since, began = list(self._now.workers), now(), time.monotonic()
        missing = [place for place in range(max(wanted, len(workers))) if place >= len(workers) or not workers[place].lives]
        self._give_back(taking=len(missing) < len(workers))
        if not missing:
            return
        run_settings.keep(self.folder, self._env)
        if any(place < len(workers) for place in missing):
            remark("Un worker ne vivait plus : il est relancé.")
        for place in missing:
            log = self.folder / ("worker.log" if place == 0 else f"worker-{place + 1}.log")
            command = [sys.executable, "-m", "flows.server.worker", _name(place)]
            with server.uninterrupted():
                process = processes.start(command, self._env, log)
                self.started.append(process)
            workers[place : place + 1] = [process]
            self._keep(self._now._replace(workers=tuple(workers)))
        self._hear({_name(place): workers[place] for place in missing}, since)
        remark(f"  {counted(len(missing), 'worker prêt', 'workers prêts')} ({self._seconds(began)}).")

    def _give_back(self, *, taking: bool) -> None:
        """Runs whose process has ended without a word wait again for a worker: done again, a step gives its first answer.

        `taking`: a worker lives, and may have just taken a run whose process is not there yet.
        """
        pages = {
            "flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}},
            "work_pools": {"name": {"any_": [POOL]}},
        }
        for run in server.ask(self._env, "/flow_runs/filter", pages):
            machine, _, pid = (run["infrastructure_pid"] or "").rpartition(":")
            since = datetime.fromisoformat(run["state"]["timestamp"])
            here = machine in ("", socket.gethostname())  # a worker for processes does not say on which machine
            lives = pid.isdigit() and (not here or processes.began(int(pid)) is not None)
            if lives or (taking and now() - since < TAKES_AT_MOST):
                continue
            again = {"type": "SCHEDULED", "name": "Scheduled", "message": "Repris : son worker s’est arrêté."}
            server.ask(self._env, f"/flow_runs/{run['id']}/set_state", {"state": again, "force": True})

    def _hear(self, expected: dict[str, Process], since: datetime) -> None:
        limit = time.monotonic() + WORKER_SECONDS
        while time.monotonic() < limit:
            if not all(process.lives for process in expected.values()):
                break
            if expected.keys() <= {name for name, heard in heard_of(self._env).items() if heard >= since}:
                return
            time.sleep(0.2)
        raise Unreachable(f"Le worker Prefect ne s’est pas présenté au serveur ; voyez {self.folder / 'worker.log'}.")

    def _last_port(self) -> int | None:
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return None

    def _keep(self, record: Record) -> None:
        self.record = record
        processes.keep(self.settings.home, record)

    def _tell_addresses(self) -> None:
        found = server.address(self._now.host, self._now.port)
        remark(f"  Interface       : {found}")
        remark(f"  Tableau de bord : {found}{DASHBOARD}")
        remark(f"  Journaux        : {self.folder / 'server.log'}, {self.folder / 'worker.log'}")
        given = os.environ.get("JALON_HOME")
        remark(f"  Pour arrêter    : {f'JALON_HOME={shlex.quote(given)} ' if given else ''}jalon down")
        if not server.is_loopback(self._now.host):
            remark("  Ce serveur ne chiffre rien : ne l’ouvrez au réseau que derrière un proxy HTTPS.")

    @staticmethod
    def _seconds(began: float) -> str:
        return f"{time.monotonic() - began:.1f} s".replace(".", ",")


def heard_of(env: Mapping[str, str]) -> dict[str, datetime]:
    """When the server has last heard of each worker. Raises Unreachable."""
    workers: list[dict[str, str]] = server.ask(env, f"/work_pools/{POOL}/workers/filter", {})
    return {worker["name"]: datetime.fromisoformat(worker["last_heartbeat_time"]) for worker in workers if worker["last_heartbeat_time"]}


def _name(place: int) -> str:
    return f"jalon-{place + 1}"


def _alone(home: Path) -> AbstractContextManager[bool]:
    """One `up` or `down` at a time."""
    return held(home / "desk.lock", waits=lambda: remark("Un autre « jalon up » ou « jalon down » est en cours : attente de sa fin..."))


def _assert_asked(host: str | None, port: int | None, workers: int | None) -> None:
    if port is not None and not 0 < port < 65536:
        raise Invalid("Le port est un nombre de 1 à 65535.")
    if workers is not None and not 0 < workers <= 16:
        raise Invalid("Le nombre de workers va de 1 à 16.")
    if host is not None:
        server.assert_closed(host)
