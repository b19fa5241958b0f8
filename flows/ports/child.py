"""What is parsed for somebody is parsed in a child with limits: it answers with values or with one sentence, and is never waited for long.

The child is a fresh interpreter that knows neither the settings nor the environment of its parent. It is given bytes on a pipe,
and its answer is JSON: whatever happens to it, nothing of it runs in the parent.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import Any

ROOT = Path(__file__).parents[2]
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from flows.ports.child import inside; inside(*sys.argv[1:])"
CPU_SECONDS, WALL_SECONDS = 10, 30
MEMORY = 300_000_000  # bytes of what the child writes into
ADDRESSES = 4 * MEMORY  # with what it only maps: its programs, the locale
ANSWER_AT_MOST = 10_000_000  # bytes of JSON


class Untold(Exception):
    """What a reader says in place of values: one French sentence, which its parent repeats."""


def answered(reader: str, content: bytes, *words: str, too_much: str) -> Any:
    """What `answer(content, *words)` of the module `reader` says, as JSON values.

    Raises Invalid with its sentence, or with `too_much` when it met a limit or ended in any other way; Unreachable.
    """
    from models.answers import Invalid  # not for the child, which starts in half the time
    from models.database.faults import Unreachable

    command = [sys.executable, "-I", "-B", "-c", START, str(ROOT), reader, *words]
    try:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            command, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError as fault:
        raise Unreachable("La machine ne peut pas lancer de lecteur pour ce fichier : réessayez dans un instant.") from fault
    said = _said(child, content)
    if child.returncode or len(said) > ANSWER_AT_MOST:
        raise Invalid(too_much)
    told = json.loads(said)
    if "untold" in told:
        raise Invalid(told["untold"])
    return told["values"]


def _said(child: subprocess.Popen[bytes], content: bytes) -> bytes:
    """What the child writes until it ends; after that no child is left, whatever has happened."""
    assert child.stdin is not None
    assert child.stdout is not None
    watch = Timer(WALL_SECONDS, child.kill)
    watch.start()
    try:
        with suppress(BrokenPipeError), child.stdin:  # it may end before it has read all
            child.stdin.write(content)
        with child.stdout:
            said = child.stdout.read(ANSWER_AT_MOST + 1)
            if len(said) <= ANSWER_AT_MOST:
                child.wait()
            return said
    finally:
        watch.cancel()
        child.kill()
        child.wait()


def inside(reader: str, *words: str) -> None:
    """The child: limits first, then the reader, then what it was given."""
    module = import_module(reader)
    _limit()
    try:
        told = {"values": module.answer(sys.stdin.buffer.read(), *words)}
    except Untold as fault:
        told = {"untold": str(fault)}
    sys.stdout.buffer.write(json.dumps(told, ensure_ascii=False).encode())


def _limit() -> None:
    """Nothing is written, nobody is called, and memory and time are counted."""
    import resource

    limits = {"AS": ADDRESSES, "DATA": MEMORY, "CPU": CPU_SECONDS, "FSIZE": 0, "CORE": 0, "NPROC": 0, "NOFILE": 8}
    for name, most in limits.items():
        with suppress(AttributeError, ValueError, OSError):  # macOS does not count addresses; time holds everywhere
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
