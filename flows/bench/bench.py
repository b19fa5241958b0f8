"""`jalon bench`: speed as ratios inside one run, so that a slow machine and a fast one say the same."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from flows.bench import growth, journal, steps
from flows.bench.playing import AT, Figures, lives, whole_story
from flows.bench.timing import timed
from flows.demo import story
from flows.ports.terminal import say
from models.database.store import Store, sqlite_url
from states.engine.decide import Decision, decide
from states.grammar.case import Actor, Lookups
from states.partnership import Partnership
from states.vocabulary import State

STARTS, DECISIONS = 9, 200
BASELINE = "import sqlalchemy; from pydantic import BaseModel"
# The peak of this program alone: what wait4 reports would include the fork of the bench itself.
PEAK = "import sys; from flows.cli.command import run; run({words}); print(open('/proc/self/status').read(), file=sys.stderr)"


def measure_decide() -> Figures:
    """`decide` alone, for each step of the story as it comes; microseconds."""
    partnership = Partnership("BENCH", imported=False, state=State.UNOPENED, version=0, entered_on=None, pepper="00" * 32)
    roles = {name: role for role, name in story.PEOPLE.items()}
    took: dict[str, float] = {}
    for transition in whole_story("BENCH"):
        actor = Actor(transition.person, frozenset({roles[transition.person]}))
        asked = partial(decide, partnership, transition.trigger, transition.request, actor=actor, at=AT, lookups=Lookups(salt="00" * 16))
        answers = [timed(asked) for _ in range(DECISIONS)]
        decision = answers[-1][0]
        took[transition.trigger] = max(took.get(transition.trigger, 0), median(seconds for _, seconds in answers) * 1e6)
        if isinstance(decision, Decision):
            partnership = decision.after
    slowest = max(took, key=lambda trigger: took[trigger])
    return {"microseconds": round(median(took.values()), 1), "slowest": slowest, "slowest_microseconds": round(took[slowest], 1)}


def measure_show(folder: Path) -> Figures:
    """The start of `jalon show` against importing sqlalchemy and pydantic alone, in turns; seconds and MiB."""
    store = Store(sqlite_url(folder / "fire.db"), create=True)
    lives(store)
    store.close()
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
    return timed(partial(subprocess.run, command, env=environment, stdout=subprocess.DEVNULL, check=True))[1]


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
        fire, decided, show = steps.measure_steps(), measure_decide(), measure_show(folder)
        written = journal.measure_journal()
    grown = growth.measure_growth()
    memory: Figures = {
        "bench_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "show_mib": show.pop("memory_mib"),
    }
    if as_json:
        say(json.dumps({"fire": fire, "decide": decided, "show": show, "journal": written, "growth": grown, "memory": memory}, indent=2))
        return 0
    say("\n".join([*steps.lines(fire), *_lines(decided, show), *journal.lines(written), *growth.lines(grown), _memory(memory)]))
    return 0


def _lines(decided: Figures, show: Figures) -> list[str]:
    return [
        f"decide        {decided['microseconds']:.0f} µs    moins de 100",
        f"              le plus lent : {decided['slowest']}, {decided['slowest_microseconds']:.0f} µs",
        f"show.ratio    {show['ratio']:.2f}     au plus 1,30",
        f"              {show['seconds']:.3f} s, {show['baseline_seconds']:.3f} s pour importer sqlalchemy et pydantic",
    ]


def _memory(memory: Figures) -> str:
    return f"mémoire       {memory['show_mib']} Mio pour jalon show, {memory['bench_mib']} Mio pour ce banc d’essai"
