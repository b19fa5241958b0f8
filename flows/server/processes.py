"""Processes that outlive the command which started them: known by their pid and by when they began, so that nobody else's is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from flows.server.server import LOOPBACK, USUAL_PORT

# A worker lets its runs end at the first word, and leaves at the second only; then all that it has started goes with it.
PATIENCE = ((os.kill, signal.SIGTERM, 3.0), (os.killpg, signal.SIGTERM, 2.0), (os.killpg, signal.SIGKILL, 5.0))


class Process(NamedTuple):
    """One process: its number, which is the number of its group too, and when it began, as this machine tells it."""

    pid: int
    began: str

    @property
    def lives(self) -> bool:
        """Whether it is still there; false when its number has been given to somebody else since."""
        return began(self.pid) == self.began


def began(pid: int) -> str | None:
    """When the living process of this number began, a text that no other process ever has; None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _began_by_ps(pid)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"  # field 22 of proc(5), in ticks since this boot


def _began_by_ps(pid: int) -> str | None:
    """The same on a system without /proc, as macOS."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    state, _, since = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().partition(" ")  # noqa: S603
    return None if not since or state.startswith("Z") else since.strip()


def start(command: Sequence[str], env: Mapping[str, str], log: Path) -> Process:
    """Launch a process that outlives us."""
    return of(launch(command, env, log))


def of(child: subprocess.Popen[bytes]) -> Process:
    """The process that a child is, for as long as it lives."""
    return Process(child.pid, began(child.pid) or "")


def launch(command: Sequence[str], env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own: it hears neither Ctrl-C nor the end of the terminal. What it says goes to `log`.

    What the one before it said is kept beside it, as `*.old`.
    """
    if log.exists():
        log.replace(log.with_name(f"{log.name}.old"))
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
            command, env=env, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def stop(processes: Sequence[Process]) -> list[Process]:
    """Stop those that live, with all that they have started, all at once; which ones were stopped."""
    living = [process for process in processes if process.lives]
    for tell, sign, seconds in PATIENCE:
        for process in living:
            with suppress(ProcessLookupError):
                if process.lives:
                    tell(process.pid, sign)
        _wait(living, seconds)
    for process in living:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what is left of its group: no number is given again while its group lives
    return living


def _wait(processes: Sequence[Process], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while any(process.lives for process in processes) and time.monotonic() < limit:
        time.sleep(0.05)


class Record(NamedTuple):
    """What `desk.json` holds; `installed` is the code whose deployments are on the server, nothing before they are."""

    host: str
    port: int
    server: Process
    workers: tuple[Process, ...] = ()
    installed: str = ""


def read(home: Path) -> Record | None:
    """What the last `up` has started; None when there was none, or `down` since. An unreadable file counts as a dead server."""
    try:
        record = json.loads((home / "desk.json").read_text())
        workers = tuple(Process(*worker) for worker in record["workers"])
        return Record(record["host"], int(record["port"]), Process(*record["server"]), workers, record["installed"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, LookupError):
        return Record(LOOPBACK, USUAL_PORT, Process(0, ""))


def keep(home: Path, record: Record) -> None:
    """Remember what runs: whole or not at all, and for nobody else's eyes."""
    partial = home / f"desk.json.{os.getpid()}"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(record._asdict(), file)
    partial.replace(home / "desk.json")
