"""What the documents tell people to type is run, as it stands, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def commands(document: str) -> list[str]:
    """The lines of the `sh` blocks of a document that call jalon on a database of one's own."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), flags=re.DOTALL)
    lines = [line.removeprefix(".venv/bin/") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("jalon ")]


def typed(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    """What happens when a person types `line` in the folder of the project."""
    environment = {**os.environ, "JALON_HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment.pop("JALON_DATABASE_URL", None)
    return subprocess.run(shlex.split(line), cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("document", "at_least", "ends"), [("README.md", 7, "approved"), ("docs/guide.md", 20, "closed")])
def test_the_commands_of_a_document_do_what_it_says(document: str, at_least: int, ends: str, tmp_path: Path) -> None:
    """Each command succeeds, or is refused where the document says « refusé »; the dossier ends where it should."""
    lines = commands(document)
    assert len(lines) >= at_least
    for line in lines:
        told, _, comment = line.partition("   #")
        ended = typed(told, tmp_path)
        assert ended.returncode == (3 if "refusé" in comment else 0), f"{line}\n{ended.stdout}{ended.stderr}"
    assert [one["state"] for one in json.loads(typed("jalon list --json", tmp_path).stdout)] == [ends]
