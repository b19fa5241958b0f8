"""The telephones of people: each has drawn a secret on a screen of its own, and shows the codes of it, each once."""

from __future__ import annotations

import email
import email.policy
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from flows.ports.clock import now
from models.people.codes import PERIOD, code_at

COMMAND = [sys.executable, "-m", "flows"]


class Telephones:
    """Those of the people of one home; `env` is the environment of its commands, `mail` the folder of its letters."""

    def __init__(self, env: Mapping[str, str], mail: Path) -> None:
        self.env, self.mail = dict(env), mail
        self.secrets: dict[str, str] = {}
        self._used: dict[str, int] = {}

    def first(self, words: Sequence[str], name: str) -> subprocess.CompletedProcess[str]:
        """Give a command that draws the secret of `name`, and answer with the first code of it."""
        return self._drawing(words, name, [])

    def enrol(self, name: str) -> subprocess.CompletedProcess[str]:
        """Enrol somebody with the newest invitation that they were written."""
        return self._drawing(["people", "enrol"], name, [self.invitation(name)])

    def invitation(self, name: str) -> str:
        """The invitation in the newest letter to somebody."""
        letters = sorted(self.mail.glob("invitation.*.eml"), key=lambda path: int(path.name.split(".")[1]))
        texts = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default).get_content() for path in letters]
        (found,) = re.findall(r"cette invitation : (\S+)", [text for text in texts if f"Bonjour {name}," in text][-1])
        return str(found)

    def code(self, name: str) -> str:
        """The next code of somebody: the one of the period before, of this one or of the next, whichever has not served yet."""
        period = max(int(now().timestamp()) // PERIOD - 1, self._used.get(name, 0) + 1)
        while period > int(now().timestamp()) // PERIOD + 1:
            time.sleep(1)
        self._used[name] = period
        return code_at(self.secrets[name], datetime.fromtimestamp(period * PERIOD, now().tzinfo))

    def _drawing(self, words: Sequence[str], name: str, typed: Sequence[str]) -> subprocess.CompletedProcess[str]:
        pipe = subprocess.PIPE
        with subprocess.Popen([*COMMAND, *words], env=self.env, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as command:
            assert command.stdin is not None
            assert command.stderr is not None
            for line in typed:
                command.stdin.write(f"{line}\n")
            command.stdin.flush()
            said = ""
            for line in command.stderr:
                said += line
                if found := re.search(r"tapez ce secret : (\w+)", line):
                    self.secrets[name] = found[1]
                    command.stdin.write(f"{self.code(name)}\n")
                    command.stdin.flush()
                    break
            out, err = command.communicate(timeout=60)
            return subprocess.CompletedProcess(words, command.returncode, out, said + err)
