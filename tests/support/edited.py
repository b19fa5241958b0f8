"""A copy of the program, edited as somebody would edit it, and Python on that copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copied(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """A copy of the program and its tests, edited."""
    for name in ("states", "models", "flows", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path, old, new in edits:
        content = (folder / path).read_text(encoding="utf-8")
        assert old in content, path
        (folder / path).write_text(content.replace(old, new), encoding="utf-8")
    return folder


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python on a copy, and on nothing of the sources it was copied from."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "tests" / "support")])}
    return subprocess.run([sys.executable, "-P", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
