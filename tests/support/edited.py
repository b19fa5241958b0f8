"""A copy of the program, edited as somebody would edit it, and Python on that copy."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from forks import forked

ROOT = Path(__file__).parents[2]
# What is not ours; Prefect alone takes a second.
OTHERS = "import alembic.command, hypothesis, prefect.client.orchestration, prefect.flows, psycopg, pydantic, pytest, sqlalchemy.orm"


def copied(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """A copy of the program and its tests, edited; what was not edited is compiled already."""
    for name in ("states", "models", "flows", "tests"):
        shutil.copytree(ROOT / name, folder / name)
    for path, old, new in edits:
        content = (folder / path).read_text(encoding="utf-8")
        assert old in content, path
        (folder / path).write_text(content.replace(old, new), encoding="utf-8")
    return folder


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python on a copy, in a process of its own, and on nothing of the sources it was copied from."""
    path = [str(folder), str(folder / "tests" / "support")]
    return forked(OTHERS, words, cwd=folder, env=os.environ | {"PYTHONPATH": os.pathsep.join(path)}, path=path)
