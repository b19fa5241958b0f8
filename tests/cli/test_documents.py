"""What the documents tell people to type is run, as it stands, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from forks import jalon

from flows.ports.clock import now
from models.people.codes import code_at

ROOT = Path(__file__).resolve().parents[2]


def commands(document: str) -> list[str]:
    """The lines of the `sh` blocks of a document that call jalon on a database of one's own."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), flags=re.DOTALL)
    lines = [line.removeprefix(".venv/bin/") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("jalon ")]


def typed(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    """What happens when a person types `line` in the folder of the project; the installed script itself has a test in test_command.py."""
    environment = {name: value for name, value in os.environ.items() if name != "JALON_DATABASE_URL"}
    return jalon(*shlex.split(line)[1:], cwd=ROOT, env=environment | {"JALON_HOME": str(home)})


def shown(line: str, home: Path) -> str:
    """The one-time code that the person of a command reads on a telephone: the documents write 123456."""
    if "--code 123456" not in line:
        return ""
    words = shlex.split(line)
    with closing(sqlite3.connect(home / "jalon.db")) as database:
        (secret,) = database.execute("SELECT secret FROM people WHERE name = ?", (words[words.index("--as") + 1],)).fetchone()
    return code_at(secret, now())


@pytest.mark.parametrize(("document", "at_least", "ends"), [("README.md", 7, "approved"), ("docs/guide.md", 20, "closed")])
@pytest.mark.long
def test_the_commands_of_a_document_do_what_it_says(document: str, at_least: int, ends: str, tmp_path: Path) -> None:
    """Each command succeeds, or is refused where the document says « refusé »; the dossier ends where it should."""
    lines = commands(document)
    assert len(lines) >= at_least
    for line in lines:
        told, _, comment = line.partition("   #")
        ended = typed(told.replace("--code 123456", f"--code {shown(told, tmp_path)}"), tmp_path)
        assert ended.returncode == (3 if "refusé" in comment else 0), f"{line}\n{ended.stdout}{ended.stderr}"
    assert [one["state"] for one in json.loads(typed("jalon list --json", tmp_path).stdout)] == [ends]
