"""A copy of the program, edited as somebody would edit it, and Python on that copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# One process has loaded what is not ours (Prefect alone takes a second), and becomes a process of its own for each copy.
LOADED = """
import json, os, runpy, sys, traceback
import alembic.command, hypothesis, orjson, prefect.flows, prefect.client.orchestration, psycopg, pydantic, pytest, sqlalchemy.orm
for name in sys.modules:
    assert name.split(".")[0] not in ("states", "models", "flows"), name
for line in sys.stdin:
    folder, words, said = json.loads(line)
    if pid := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        continue
    code = 1
    try:
        for number in (1, 2):
            os.dup2(os.open(said[number - 1], os.O_WRONLY), number)
        os.chdir(folder)
        sys.path[:0] = [folder, os.path.join(folder, "tests", "support")]
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
        kind, named, *rest = words if words[0] in ("-c", "-m") else ("", *words)
        sys.argv = [kind or named, *rest]
        if kind == "-c":
            exec(compile(named, "<string>", "exec"), {"__name__": "__main__"})
        elif kind == "-m":
            runpy.run_module(named, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(named, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
"""


def copied(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """A copy of the program and its tests, edited; what was not edited is compiled already."""
    for name in ("states", "models", "flows", "tests"):
        shutil.copytree(ROOT / name, folder / name)
    for path, old, new in edits:
        content = (folder / path).read_text(encoding="utf-8")
        assert old in content, path
        (folder / path).write_text(content.replace(old, new), encoding="utf-8")
    return folder


@cache
def _loaded() -> subprocess.Popen[str]:
    """It ends with the tests: nobody writes to it any more."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen([sys.executable, "-P", "-c", LOADED], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python on a copy, in a process of its own, and on nothing of the sources it was copied from."""
    process = _loaded()
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        process.stdin.write(json.dumps([str(folder), words, [out.name, err.name]]) + "\n")
        process.stdin.flush()
        code = int(process.stdout.readline())
        return subprocess.CompletedProcess(words, code, Path(out.name).read_text("utf-8"), Path(err.name).read_text("utf-8"))
