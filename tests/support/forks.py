"""Many short processes of Python, of which the first has loaded what all need: to load it takes longer than what each then does.

Each is a process of its own, with its own environment, folder, output and exit code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

FORKING = """
import json, os, runpy, sys, traceback
exec(sys.argv[1])
for line in sys.stdin:
    asked = json.loads(line)
    if pid := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        continue
    code = 1
    try:
        for number, name, how in ((0, os.devnull, os.O_RDONLY), (1, asked["out"], os.O_WRONLY), (2, asked["err"], os.O_WRONLY)):
            os.dup2(os.open(name, how), number)
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        sys.path[:0] = asked["path"]
        kind, named, *rest = asked["words"] if asked["words"][0] in ("-c", "-m") else ("", *asked["words"])
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
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
"""
JALON = (
    "import flows.cli.command, flows.cli.commands, flows.cli.reading, models.database.migrate, models.ledger.ledger, models.verify.proof"
)


@cache
def _first(load: str) -> subprocess.Popen[str]:
    """It ends with the tests, when nobody can write to it any more."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-P", "-c", FORKING, load], env=environment, stdin=pipe, stdout=pipe, text=True)


def forked(load: str, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], path: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """What `python *words` does in the folder `cwd`, with `path` before all other places of modules. `load`: the imports done before."""
    first = _first(load)
    assert first.stdin is not None
    assert first.stdout is not None
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        asked = {"words": words, "cwd": str(cwd), "env": dict(env), "path": path, "out": out.name, "err": err.name}
        first.stdin.write(json.dumps(asked) + "\n")
        first.stdin.flush()
        code = int(first.stdout.readline())
        return subprocess.CompletedProcess(words, code, Path(out.name).read_text("utf-8"), Path(err.name).read_text("utf-8"))


def jalon(*words: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    sources = str(Path(__file__).parents[2])
    return forked(f"import sys; sys.path.insert(0, {sources!r}); {JALON}", ["-m", "flows", *words], cwd=cwd, env=env, path=[])
