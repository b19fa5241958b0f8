"""No word that somebody has typed, kept or slipped into a row does anything to a terminal, a letter, a page or a log but be read."""

from __future__ import annotations

import ast
import email
import email.policy
import io
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unicodedata import bidirectional, category

import pytest
from drawing import draws
from hypothesis import given
from hypothesis import strategies as st
from terminal import REFERENCE
from walks import Walk

from flows.cli import screen
from flows.cli.command import run
from flows.desk.ends import completed, failed
from flows.desk.markdown import plain, shown
from flows.ports import mail
from flows.ports.terminal import say
from models.database.faults import Unreachable
from models.database.store import Store, sqlite_url
from states.values.plain import STAND_IN, UNSEEN, escaped, legible, legible_in
from states.vocabulary import State

# What a terminal obeys: the clipboard, a link, the title, a colour, the cursor, the bell, the line before, the other direction.
ESCAPES = {
    "the clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "a link": "\x1b]8;;https://evil.example\x1b\\ici\x1b]8;;\x1b\\",
    "the title": "\x1b]0;x\x07",
    "the screen": "\x1b[2J\x1b[H",
    "a colour": "\x1b[31m",
    "the same, of one byte": "\x9b31m",
    "the line before": "Fait.\rRefusé.",
    "a bell": "\x07",
    "a letter taken back": "ab\b\bc",
    "a tab": "a\tb",
    "DEL": "\x7f",
    "the next line": "a\x85b",
    "a line": "a\u2028b",
    "the other direction": "\u202egnp.exe",
    "an isolate": "\u2066a\u2069",
    "marks": "\u200e\u200f\u061c",
    "no width": "a\u200bb\u200cc\u200dd\ufeff",
    "tags": "\U000e0041\U000e0042",
    "a filler": "\u3164",
    "half a pair": "\ud83d",
}
ANY = st.text(st.characters() | st.sampled_from("".join(ESCAPES.values())), max_size=60)


def does_nothing(text: str, keep: str = "\n") -> bool:
    """By Unicode's own tables, not by the list that the program has."""
    return not any(
        (category(letter) in {"Cc", "Cf", "Zl", "Zp", "Cs"} or bidirectional(letter) in {"RLE", "LRE", "RLO", "LRO", "PDF"})
        and letter not in keep
        for letter in text
    )


@given(ANY)
@draws(300)
def test_what_is_legible_does_nothing_and_keeps_every_other_letter(text: str) -> None:
    seen = legible(text)
    assert len(seen) == len(text)
    assert all(after in {before, STAND_IN} for before, after in zip(text, seen, strict=True))
    assert does_nothing(seen.translate({ord(letter): None for letter in seen if not UNSEEN.match(letter) and category(letter) == "Cf"}))
    assert legible(seen) == seen
    assert "\n" not in legible(text, keep="")


@pytest.mark.parametrize("kind", ESCAPES)
def test_every_letter_that_does_something_is_known(kind: str) -> None:
    assert does_nothing(legible(ESCAPES[kind]))
    assert legible(ESCAPES[kind]) != ESCAPES[kind]


def test_french_passes_as_it_is() -> None:
    text = "L’élève « Zoé Lefèvre », n° 7 : 40\u202f000,00\u00a0€ — Œuvrard, Ÿves ⚠️ 🔴 ✓\n  - ligne"
    assert legible(text) == escaped(text) == text


@given(st.recursive(ANY | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3)))
@draws(200)
def test_json_says_the_same_and_does_nothing(value: Any) -> None:
    written = escaped(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(written) == value
    assert not [letter for letter in written if UNSEEN.match(letter) and letter != "\n"]
    sent = json.dumps(legible_in(value), ensure_ascii=False)
    assert "\\u001b" not in sent
    assert not UNSEEN.search(sent)


@given(ANY)
@draws(100)
def test_what_goes_out_of_every_exit_does_nothing(text: str) -> None:
    stream = io.StringIO()
    say(text, stream)
    assert not UNSEEN.search(stream.getvalue().replace("\n", ""))
    for state in (failed("Invalid", text), completed(text)):
        assert not UNSEEN.search((state.message or "").replace("\n", ""))
    assert not UNSEEN.search(shown(f"# {text}\n{plain(text)}").replace("\n", "").replace("\u200b", ""))


# At the command line.


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    store = Store(sqlite_url(folder / "jalon.db"), create=True)
    Walk(store).until(State.PROPOSED)
    store.close()
    return folder / "jalon.db"


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(made, home)
    monkeypatch.setenv("JALON_HOME", str(home))
    monkeypatch.delenv("JALON_DATABASE_URL", raising=False)
    return home


Said = Callable[..., str]


@pytest.fixture
def said(home: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """All that a command says, on both streams."""

    def told(*words: str) -> str:
        run(list(words))
        return "".join(capsys.readouterr())

    return told


EVIL = f"\x1b]52;c;eA==\x07\x1b[2J{ESCAPES['the other direction']}\x9b31m\r\x7f\u200b\u2028"
ECHOED: dict[str, list[str]] = {
    "a reference": ["show", EVIL],
    "a reference to why": ["why", EVIL],
    "a step": ["why", REFERENCE, EVIL],
    "a schema": ["schema", EVIL],
    "a command": [EVIL],
    "an option": ["list", f"--{EVIL}"],
    "a word too many": ["show", REFERENCE, EVIL, EVIL],
    "a number": ["list", "--most", EVIL],
    "a version": ["approve", REFERENCE, "--if-version", EVIL, "--as", "Bruno"],
    "an option of a step": ["approve", REFERENCE, f"--quo{EVIL}", "3", "--as", "Bruno"],
    "a person": ["approve", REFERENCE, "--on", "2025-10-09", "--as", EVIL],
    "a date": ["approve", REFERENCE, "--on", EVIL, "--as", "Bruno"],
    "a file": ["open", f"/absent/{EVIL}", "--as", "Tania"],
    "a request": ["approve", REFERENCE, "--request", EVIL, "--as", "Bruno"],
    "a document": ["attach", REFERENCE, "--title", "x", "--sha256", f"@{EVIL}", "--as", "Tania"],
    "an object": ["sign", REFERENCE, "--signatories", f"{EVIL}={EVIL}", "--as", "Tania"],
    "a role": ["people", "add", "Zoé", "--role", EVIL, "--mail", "z@e.fr"],
    "an address": ["people", "add", "Zoé", "--role", "auditor", "--mail", EVIL],
    "a name": ["people", "add", EVIL, "--role", "auditor", "--mail", "z@e.fr"],
    "somebody to change": ["people", "change", EVIL, "--mail", "z@e.fr"],
    "a sheet": ["import", "trainees", REFERENCE, f"/absent/{EVIL}", "--as", "Tania"],
    "an import": ["import", EVIL],
    "a template": ["import", "trainees", "--template", f"/absent/{EVIL}.xlsx"],
    "a supposition": ["entitlement", REFERENCE, "--what-if", EVIL],
    "a value of one": ["entitlement", REFERENCE, "--what-if", f"cap={EVIL}"],
    "a day": ["entitlement", REFERENCE, "--on", EVIL],
    "a digest": ["verify", REFERENCE, "--digest", EVIL],
    "a dossier to verify": ["verify", EVIL],
    "after": ["list", "--after", EVIL],
    "a new reference": ["renew", REFERENCE, "--new-reference", EVIL, "--as", "Tania"],
    "help": [EVIL, "--help"],
    "a host": ["up", "--host", EVIL],
    "a folder": ["dashboard", "--home", EVIL],
    "a code": ["demo", "--code", EVIL],
}


@pytest.mark.parametrize("kind", ECHOED)
def test_what_is_typed_is_never_echoed_raw(said: Said, kind: str) -> None:
    words = [word.replace("\0", "") for word in ECHOED[kind]]
    for told in (said(*words), said(*words, "--json")):
        assert told
        assert not UNSEEN.search(told.replace("\n", "")), ascii(told)


def test_a_key_of_json_and_the_name_of_its_file_are_never_echoed_raw(said: Said, tmp_path: Path) -> None:
    path = tmp_path / EVIL
    for content in ({EVIL: 1}, {"held_on": "2025-10-09", "deliberation": {EVIL: {EVIL: EVIL}}}, [EVIL]):
        path.write_text(json.dumps(content))
        told = said("approve", REFERENCE, "--request", str(path), "--as", "Bruno")
        assert told
        assert not UNSEEN.search(told.replace("\n", "")), ascii(told)


def test_a_home_of_another_name_is_never_echoed_raw(said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JALON_HOME", str(tmp_path / EVIL))
    monkeypatch.setenv("JALON_MAIL_DIR", str(tmp_path / EVIL / "mail"))
    for words in (["list"], ["init-db"], ["doctor"], ["deliver"], ["down"]):
        assert not UNSEEN.search(said(*words).replace("\n", ""))


def columns_of_text(path: Path) -> list[tuple[str, str]]:
    """Every column that holds text, of every table."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if name != "alembic_version"]
        found = [(table, column) for table in tables for column in database.execute(f"PRAGMA table_info('{table}')").fetchall()]
    return [(table, column[1]) for table, column in found if "CHAR" in column[2].upper() or "TEXT" in column[2].upper()]


def written_by_hand(path: Path, table: str, column: str) -> None:
    """Append what a terminal obeys to every value of a column, as somebody may who has the file."""
    with closing(sqlite3.connect(path)) as database, suppress(sqlite3.IntegrityError), database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(f"""UPDATE "{table}" SET "{column}" = "{column}" || ?""", (EVIL,))


@pytest.mark.endurance
def test_rows_written_by_hand_are_never_shown_raw(said: Said, home: Path, made: Path) -> None:
    """Whoever can write into the database does not thereby write onto the screen of who reads it."""
    shown_so = set()
    for table, column in columns_of_text(made):
        shutil.copy(made, home)
        written_by_hand(home / "jalon.db", table, column)
        more = (["doctor"], ["deliver"]) if table in {"outbox", "people"} else ()
        for words in (["show", REFERENCE], ["list"], ["people", "list"], ["verify"], *more):
            told = said(*words)
            assert not UNSEEN.search(told.replace("\n", "")), (table, column, words, ascii(told))
            shown_so |= {(table, column)} if STAND_IN in told else set()
    assert {("people", "name"), ("people", "mail"), ("partnerships", "reference")} <= shown_so


def test_a_real_terminal_receives_no_byte_that_it_would_obey(home: Path) -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "flows", "show", EVIL], stdin=theirs, stdout=theirs, stderr=theirs, env=dict(os.environ)
    )
    os.close(theirs)
    received = b""
    try:
        while part := os.read(ours, 4096):
            received += part
    except OSError:  # the end of a terminal, on Linux
        pass
    assert child.wait() == 2
    os.close(ours)
    assert not {byte for byte in received if byte < 32 or byte == 127} - set(b"\r\n"), received
    assert received.count(b"\r") == received.count(b"\r\n")
    assert "Aucun dossier ne porte la référence" in received.decode()


# Letters.


def letter(**changed: str) -> mail.Letter:
    fields: dict[str, Any] = {
        "key": "ESSAI-1.3",
        "to_name": "Zoé",
        "to_mail": "zoe@essai.example",
        "subject": "[ESSAI-1] Étape",
        "body": "Bonjour.\n",
    }
    return mail.Letter(**(fields | changed), at=datetime(2026, 1, 5, tzinfo=UTC))


@given(subject=ANY, body=ANY, key=ANY.filter(bool))
@draws(100)
def test_a_letter_holds_nothing_that_does_something(tmp_path: Path, subject: str, body: str, key: str) -> None:
    path = mail.write(letter(subject=subject, body=body, key=key), folder=tmp_path, sender="jalon@localhost")
    assert path.parent == tmp_path
    content = path.read_bytes()
    assert not set(content) & (set(range(32)) - set(b"\r\n") | {127})
    read = email.message_from_bytes(content, policy=email.policy.SMTP)
    assert set(read.keys()) == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    }
    for text in (read["Subject"], read.get_content()):
        assert not UNSEEN.search(text.replace("\n", "").replace("\r", ""))


@pytest.mark.parametrize(
    "address", ["zoe@essai.example\r\nBcc: x@evil.example", "\x1b[2Jzoe@essai.example", "", "@", "a@b@c", "zo\u202ee@essai.example"]
)
def test_an_address_that_is_none_writes_no_other_header(tmp_path: Path, address: str) -> None:
    try:
        content = mail.write(letter(to_mail=address), folder=tmp_path, sender="jalon@localhost").read_bytes()
    except Unreachable:
        return
    assert email.message_from_bytes(content).get_all("Bcc") is None
    assert not set(content) & (set(range(32)) - set(b"\r\n") | {127})


def test_the_name_of_a_run_repeats_no_reference_raw(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import checks

    for typed, name in ((EVIL * 20, None), ("ESSAI-1", "ESSAI-1"), ("", "checks"), ({"a": EVIL}, None)):
        monkeypatch.setattr(checks, "flow_run", SimpleNamespace(parameters={"reference": typed}))
        named = checks._run_name()
        assert not UNSEEN.search(named)
        assert (len(named) <= checks.NAME_AT_MOST, named) == (True, name or named)


# There is no other exit.

ROOT = Path(screen.__file__).parents[2]
MAY_PRINT = {
    "flows/ports/terminal.py",
    "flows/deploying.py",
    "flows/__main__.py",
    "flows/generated.py",
    "flows/ports/build_communes.py",
    "flows/demo/demo.py",
}


def calls(name: str) -> set[str]:
    found = set()
    for path in (file for ring in ("flows", "models", "states") for file in (ROOT / ring).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and ast.unparse(node.func)
            if named == name or (isinstance(node, ast.ImportFrom) and node.module == name):
                found.add(str(path.relative_to(ROOT)))
    return found


def test_nothing_is_printed_but_through_the_terminal() -> None:
    assert calls("print") <= MAY_PRINT
    assert calls("sys.stdout.write") | calls("sys.stderr.write") == set()


def test_a_run_ends_through_one_door_only() -> None:
    assert calls("prefect.states") == set()
    assert calls("states.Failed") | calls("states.Completed") == {"flows/desk/ends.py"}


def test_a_page_is_published_through_one_door_only() -> None:
    assert calls("ArtifactCreate") == {"flows/desk/publishing.py"}
