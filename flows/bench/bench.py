"""`jalon bench`: speed as ratios inside one run, so that a slow machine and a fast one say the same.

`fire` plays the demo's whole story (59 transitions, 23 trainees) on SQLite with every guard; the bare loop then
writes the very rows that `fire` wrote, with sqlite3 alone and the same durability. Both take turns.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from flows.bench import journal
from flows.demo import story
from models.answers import Done
from models.database.store import Store, sqlite_url
from models.ledger.ledger import Ledger
from models.people.register import Register
from states.engine.decide import Decision, decide
from states.grammar.case import Actor, Lookups
from states.grammar.request import Request
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.vocabulary import Role, State

LIVES, STARTS, DECISIONS = 30, 9, 200
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BASELINE = "import sqlalchemy; from pydantic import BaseModel"
# The peak of this program alone: what wait4 reports would include the fork of the bench itself.
PEAK = "import sys; from flows.cli.command import run; run({words}); print(open('/proc/self/status').read(), file=sys.stderr)"

Write = tuple[str, dict[str, Any]]


class Asked(NamedTuple):
    """One transition of the story, ready to fire."""

    trigger: str
    person: str
    request: Request


class Recorder(Store):
    """A store that notes what is written, transaction by transition."""

    def __init__(self, url: str) -> None:
        self.written: list[list[Write]] = []
        super().__init__(url, create=True)

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Any]:
        with super().transaction(write=write) as cursor:
            noted: list[Write] = []
            yield _Noting(cursor, noted)
        if noted:
            self.written.append(noted)


class _Noting:
    """A cursor that notes every statement which is not a SELECT."""

    def __init__(self, cursor: Any, noted: list[Write]) -> None:
        self._cursor = cursor
        self._noted = noted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        if not sql.startswith(("SELECT", "PRAGMA")):
            self._noted.append((sql, parameters))
        return self._cursor.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any) -> Any:
        self._noted += [(sql, row) for row in rows]
        return self._cursor.executemany(sql, rows)


def whole_story(reference: str) -> list[Asked]:
    """Every accepted transition of the demo, for a dossier of another reference."""
    officer = Role.TRAINING_OFFICER
    scenes = [
        *story.PAST,
        *(story.Scene("retain_trainee", officer, request) for request in story.trainees()),
        *(story.Scene("verify_residence", officer, request) for request in story.residences()),
        *story.TRAINING,
        *(scene for scene in story.MONEY if not scene.refused),
    ]
    asked = []
    for scene in scenes:
        content = dict(scene.request)
        if scene.trigger == "open":
            content["reference"] = reference
        if scene.trigger == "receive_invoice":
            content |= {"number": f"{reference}-1", "document_sha256": story.stand_in(reference)}
        asked.append(Asked(scene.trigger, story.PEOPLE[scene.role], STEPS[scene.trigger].asks.model_validate(content)))
    return asked


def fired(ledger: Ledger, reference: str, asked: list[Asked]) -> float:
    """Fire a whole story; the seconds it took."""
    began = time.perf_counter()
    for place, one in enumerate(asked):
        answer = ledger.fire(reference, one.trigger, one.request, actor=one.person, at=AT, key=f"{reference}:{place}", via="bench")
        assert isinstance(answer, Done), answer  # a refused story would be fast, and mean nothing
    return time.perf_counter() - began


def bare(connection: sqlite3.Connection, written: list[list[Write]]) -> float:
    """Write the same rows in the same transactions with sqlite3 alone; the seconds it took."""
    began = time.perf_counter()
    for transaction in written:
        connection.execute("BEGIN IMMEDIATE")
        for sql, parameters in transaction:
            connection.execute(sql, parameters)
        connection.execute("COMMIT")
    return time.perf_counter() - began


def measure_fire(folder: Path) -> dict[str, Any]:
    """`fire` against the bare loop, life by life in turns; the ratio is that of transitions per second."""
    rehearsal = Recorder(sqlite_url(folder / "rehearsal.db"))
    real = Store(sqlite_url(folder / "fire.db"), create=True)
    Store(sqlite_url(folder / "bare.db"), create=True).close()
    for store in (rehearsal, real):
        for role, name in story.PEOPLE.items():
            Register(store).add(name, "bench@exercice.invalid", [role])
    rehearsal.written.clear()
    loop = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        loop.execute(f"PRAGMA {pragma}")
    rehearsing, ledger = Ledger(rehearsal), Ledger(real)
    pairs, transitions = [], 0
    for life in range(LIVES + 1):
        reference = f"BENCH-{life}"
        asked = whole_story(reference)
        fired(rehearsing, reference, asked)
        took = fired(ledger, reference, asked), bare(loop, rehearsal.written)
        transitions = len(rehearsal.written)
        rehearsal.written.clear()
        if life:  # the first life warms both up
            pairs.append(took)
    loop.close()
    return {
        "ratio": round(median(plain / ours for ours, plain in pairs), 2),
        "per_second": round(transitions / median(ours for ours, _ in pairs)),
        "bare_per_second": round(transitions / median(plain for _, plain in pairs)),
        "transitions": transitions * LIVES,
    }


def measure_decide() -> dict[str, Any]:
    """`decide` alone, for each step of the story as it comes; microseconds."""
    partnership = Partnership("BENCH", imported=False, state=State.UNOPENED, version=0, entered_on=None, pepper="00" * 32)
    roles = {name: role for role, name in story.PEOPLE.items()}
    took: dict[str, float] = {}
    for one in whole_story("BENCH"):
        actor = Actor(one.person, frozenset({roles[one.person]}))
        times = []
        for _ in range(DECISIONS):
            began = time.perf_counter()
            decision = decide(partnership, one.trigger, one.request, actor=actor, at=AT, lookups=Lookups(salt="00" * 16))
            times.append(time.perf_counter() - began)
        took[one.trigger] = max(took.get(one.trigger, 0), median(times) * 1e6)
        if isinstance(decision, Decision):
            partnership = decision.after
    slowest = max(took, key=lambda trigger: took[trigger])
    return {"microseconds": round(median(took.values()), 1), "slowest": slowest, "slowest_microseconds": round(took[slowest], 1)}


def measure_show(folder: Path) -> dict[str, Any]:
    """The start of `jalon show` against importing sqlalchemy and pydantic alone, in turns; seconds and MiB."""
    environment = {**os.environ, "JALON_HOME": str(folder), "JALON_DATABASE_URL": sqlite_url(folder / "fire.db")}
    show = [str(Path(sys.executable).with_name("jalon")), "show", "BENCH-1"]
    alone = [sys.executable, "-c", BASELINE]
    pairs = [(_started(show, environment), _started(alone, environment)) for _ in range(STARTS + 1)][1:]  # the first pair warms up
    return {
        "ratio": round(median(ours / plain for ours, plain in pairs), 2),
        "seconds": round(median(ours for ours, _ in pairs), 3),
        "baseline_seconds": round(median(plain for _, plain in pairs), 3),
        "memory_mib": _peak_mib([sys.executable, "-c", PEAK.format(words=show[1:])], environment),
    }


def _started(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own command
    return time.perf_counter() - began


def _peak_mib(command: list[str], environment: dict[str, str]) -> float | None:
    """Peak memory in MiB, where the system tells it (Linux)."""
    if not Path("/proc/self/status").exists():
        return None
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    peak = next(line for line in child.stderr.splitlines() if line.startswith("VmHWM:"))
    return round(int(peak.split()[1]) / 1024, 1)


def main(*, as_json: bool) -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="jalon-bench-") as name:
        folder = Path(name)
        told = {
            "fire": measure_fire(folder),
            "decide": measure_decide(),
            "show": measure_show(folder),
            "journal": journal.measure_journal(_lives),
        }
    told["memory"] = {
        "bench_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "show_mib": told["show"].pop("memory_mib"),
    }
    if as_json:
        print(json.dumps(told, indent=2))
        return 0
    print("\n".join(_lines(told)))
    return 0


def _lives(store: Store) -> list[str]:
    """The demo's whole life, `LIVES` times; the references."""
    register, ledger = Register(store), Ledger(store)
    for role, name in story.PEOPLE.items():
        register.add(name, f"{role.value.replace('_', '-')}@bench.invalid", [role])
    references = [f"BENCH-{number}" for number in range(1, LIVES + 1)]
    for reference in references:
        fired(ledger, reference, whole_story(reference))
    return references


def _lines(told: dict[str, Any]) -> list[str]:
    fire, decided, show, memory = told["fire"], told["decide"], told["show"], told["memory"]
    return [
        f"fire.ratio    {fire['ratio']:.2f}     au moins 0,60, visé 0,85",
        f"              {fire['per_second']} transitions par seconde, {fire['bare_per_second']} pour sqlite3 seul",
        f"decide        {decided['microseconds']:.0f} µs    moins de 100",
        f"              le plus lent : {decided['slowest']}, {decided['slowest_microseconds']:.0f} µs",
        f"show.ratio    {show['ratio']:.2f}     au plus 1,30",
        f"              {show['seconds']:.3f} s, {show['baseline_seconds']:.3f} s pour importer sqlalchemy et pydantic",
        *journal.lines(told["journal"]),
        f"mémoire       {memory['show_mib']} Mio pour jalon show, {memory['bench_mib']} Mio pour ce banc d’essai",
    ]
