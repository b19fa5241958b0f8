"""What the documents tell people to type is run, as it stands, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from forks import jalon
from telephones import Telephones

ROOT = Path(__file__).resolve().parents[2]


def commands(document: str) -> list[str]:
    """The lines of the `sh` blocks of a document that call jalon on a database of one's own."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), flags=re.DOTALL)
    lines = [line.removeprefix(".venv/bin/") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("jalon ")]


class Typist:
    """A person who types what a document says, in the folder of the project; each one's telephone is at hand."""

    def __init__(self, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in ("JALON_DATABASE_URL", "JALON_CODES_KEY")}
        self.env = kept | {"JALON_HOME": str(home), "JALON_WAITING_DAYS": "0"}
        self.telephones = Telephones(self.env, home / "mail")

    def __call__(self, line: str) -> subprocess.CompletedProcess[str]:
        told, _, comment = line.partition("   #")
        words = shlex.split(told)[1:]
        if words[:2] == ["people", "first"]:
            return self.telephones.first(words, words[2])
        if words[:2] == ["people", "enrol"]:
            return self.telephones.enrol(comment.strip())
        if "123456" in words:
            words[words.index("123456")] = self.telephones.code(words[words.index("--as") + 1])
        return jalon(*words, cwd=ROOT, env=self.env)


@pytest.mark.parametrize(("document", "at_least", "ends"), [("README.md", 7, "approved"), ("docs/guide.md", 20, "closed")])
@pytest.mark.long
def test_the_commands_of_a_document_do_what_it_says(document: str, at_least: int, ends: str, tmp_path: Path) -> None:
    """Each command succeeds, or is refused where the document says « refusé »; the dossier ends where it should."""
    lines, typed = commands(document), Typist(tmp_path)
    assert len(lines) >= at_least
    for line in lines:
        ended = typed(line)
        assert ended.returncode == (3 if "# refusé" in line else 0), f"{line}\n{ended.stdout}{ended.stderr}"
    assert [one["state"] for one in json.loads(typed("jalon list --json").stdout)] == [ends]
