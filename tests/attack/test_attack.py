"""What docs/security.md says to be refused, done: to the real command line, a real desk, real files and a real database."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attacks import cut, deleted, opened, rewritten, sealed_house, told, verified
from enlisting import enlist
from forks import jalon
from strangers import Target
from walks import AT, PEOPLE, SECRETS, Walk
from witness import sql, unguarded

from flows.home import Home
from flows.ports.clock import now
from flows.server import server
from models.people.codes import Shown, code_at
from states.grammar.guard import Refused
from states.vocabulary import Role, State

ROOT = Path(__file__).resolve().parents[2]
OLGA, OMAR, PAOLA = PEOPLE[Role.OPERATOR], PEOPLE[Role.AUTHORISING_OFFICER], PEOPLE[Role.PUBLIC_ACCOUNTANT]
Note = Callable[[str, str, str], None]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house sealed on two nights, with a second operator."""
    folder = tmp_path_factory.mktemp("house")
    home = sealed_house(folder)
    enlist(home.store, "Olivia", "olivia@essai.example", [Role.OPERATOR], SECRETS[OLGA])
    home.store.close()
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kept, tmp_path / "house")


# By the command line

OPERATOR = ("--as", OLGA)
ZOE = ("people", "add", "Zoé", "--mail", "zoe@essai.example", *OPERATOR, "--role")
BY_COMMAND = {
    "change a role in nobody's name": (["people", "change", PAOLA, "--role", "auditor"], "Il manque --as"),
    "change a role without a code": (["people", "change", PAOLA, "--role", "auditor", *OPERATOR], "Il manque le code à usage unique"),
    "change a role with a wrong code": (
        ["people", "change", PAOLA, "--role", "auditor", *OPERATOR, "--code", "000000"],
        "n’est pas le bon",
    ),
    "join ordering and paying": (
        ["people", "change", OMAR, "--role", "authorising_officer", "public_accountant", *OPERATOR],
        "personne ne mandate et ne paie",
    ),
    "give oneself a role": (["people", "change", OLGA, "--role", "operator", "auditor", *OPERATOR], "Personne ne change sa propre ligne"),
    "act on the register without its role": (["people", "leave", PAOLA, "--as", "Tania"], "n’a pas le rôle demandé"),
    "a name in Cyrillic letters": (["people", "add", "T\u0430ni\u0430", *ZOE[3:], "auditor"], "il passe pour « Tania »"),
    "a name of no width": (["people", "add", "\u3164", *ZOE[3:], "auditor"], "un caractère invisible"),
    "a name with 150 accents": (["people", "add", "Zoe" + "\u0301" * 150, *ZOE[3:], "auditor"], "des accents empilés"),
    "somebody else's address": (
        ["people", "add", "Zoé", "--mail", "paola@essai.example", *OPERATOR, "--role", "auditor"],
        "est déjà celle de Paola",
    ),
    "agree to nothing": (["people", "agree", "999", *OPERATOR], "Rien n’attend sous le numéro 999"),
    "an invitation that nobody wrote": (["people", "enrol", "ABCD-EFGH-JKLM-NPQR-STUV"], "n’est pas, ou n’est plus, valable"),
    "a second founder": (["people", "first", "Zoé", "--mail", "zoe@essai.example"], "Le registre a déjà un exploitant"),
    "lend a role without a code": (
        [
            "delegate",
            "ESSAI-1",
            "--as",
            PAOLA,
            "--role",
            "public_accountant",
            "--to",
            "Tania",
            "--starts-on",
            "2026-11-25",
            "--ends-on",
            "2026-11-30",
        ],
        "Il manque le code à usage unique",
    ),
    "spend a key of jalon": (
        ["attach", "ESSAI-2", "--as", "Tania", "--title", "Note", "--sha256", "0" * 64, "--key", "prefect:1"],
        "jalon s’en sert lui-même",
    ),
    "read /dev/zero": (["approve", "ESSAI-2", "--request", "/dev/zero", "--as", "Bruno"], "c’est un dossier ou un appareil"),
    "a request of another folder": (["approve", "ESSAI-2", "--request", "link.json", "--as", "Bruno"], "lien"),
    "read a pipe": (["approve", "ESSAI-2", "--request", "pipe", "--as", "Bruno"], "c’est un dossier ou un appareil"),
    "a sheet of two thousand million spaces": (["import", "trainees", "ESSAI-2", "bomb.ods", "--as", "Tania"], ""),
    "words that drive a terminal": (["show", "\x1b]0;taken\x07ESSAI-1\u202e"], "Aucun dossier ne porte la référence"),
    "a backup cut short": (["restore", "cut.zip", "--into", "new"], ""),
    "a seal of another ledger": (["verify", "--seal", "seal.json"], ""),
}


@pytest.mark.parametrize("tried", BY_COMMAND)
def test_the_command_line_refuses(folder: Path, tmp_path: Path, note: Note, tried: str) -> None:
    prepared(tmp_path)
    words, said = BY_COMMAND[tried]
    ended = jalon(*words, cwd=tmp_path, env=os.environ | {"JALON_HOME": str(folder)})
    answer = ended.stdout + ended.stderr
    assert ended.returncode not in (0, 1), answer
    assert said in answer, answer
    assert "Traceback" not in answer
    assert not {"\x1b", "\x07", "\u202e"} & set(answer)
    note("command line", tried, next((line.strip(" -") for line in answer.splitlines() if said in line), answer))


def prepared(folder: Path) -> None:
    """What an attacker leaves in a folder."""
    os.mkfifo(folder / "pipe")
    (folder / "link.json").symlink_to("/etc/passwd")
    (folder / "cut.zip").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    (folder / "seal.json").write_text('{"jalon": "seal"}')
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        '<office:body><office:spreadsheet><table:table table:name="A"><table:table-row><table:table-cell office:value-type="string">'
        '<text:p><text:s text:c="2000000000"/></text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    with zipfile.ZipFile(folder / "bomb.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)


# By time, and by codes


def test_a_clock_that_steps_back_writes_nothing(folder: Path, note: Note) -> None:
    home = opened(folder)
    answer = Walk(home.store, "ESSAI-2").ask("attach", at=AT - timedelta(hours=1))
    assert isinstance(answer, Refused)
    assert answer.reasons[0].code == "CLOCK_BEHIND"
    note("flow", "a clock an hour back", answer.reasons[0].reason)
    home.store.close()


@pytest.mark.parametrize(
    ("tried", "code", "said"),
    [
        ("another's code", lambda at: code_at(SECRETS[PAOLA], at), "n’est pas le bon"),
        ("an old code", lambda at: code_at(SECRETS[OMAR], at - timedelta(minutes=5)), "n’est pas le bon"),
        ("no code", lambda _: None, "Il manque le code"),
    ],
)
def test_a_code_is_right_for_one_person_and_a_short_time(
    folder: Path, note: Note, tried: str, code: Callable[[Any], str | None], said: str
) -> None:
    home = opened(folder)
    at = now()
    walk = Walk(home.store, "ESSAI-2")
    answer = walk.ask("delegate", actor=OMAR, at=at, shown=Shown(code(at), at), role="authorising_officer", to="Farida")
    assert isinstance(answer, Refused)
    assert said in answer.reasons[0].reason
    note("flow", tried, answer.reasons[0].reason)
    home.store.close()


# By SQL, with the file in hand


def paid_otherwise(home: Home) -> None:
    def change(entries: list[dict[str, Any]]) -> None:
        entries[-1]["facts"]["settlements"]["1"]["paid"] = "1999.00"

    rewritten(home.store, "ESSAI-1", change)
    sql(home.store, "UPDATE settlements SET paid_cents = 199900")


def lent_a_role(home: Home) -> None:
    rewritten(home.store, "ESSAI-1", lambda entries: entries[-1].update(actor="Tania"))


def by(statement: str) -> Callable[[Home], None]:
    return lambda home: sql(home.store, statement) and None


def unguardedly(statement: str) -> Callable[[Home], None]:
    def attack(home: Home) -> None:
        with unguarded(home.store):
            sql(home.store, statement)

    return attack


BY_SQL: dict[str, Callable[[Home], object]] = {
    "change an amount in row and journal": paid_otherwise,
    "cut the payment off, cleanly": lambda home: cut(home.store, "ESSAI-1", 1),
    "delete a dossier whole": lambda home: deleted(home.store, "ESSAI-2"),
    "lend somebody a deed": lent_a_role,
    "make somebody an accountant in the table": by("UPDATE people_roles SET role = 'public_accountant' WHERE role = 'training_officer'"),
    "send somebody's letters elsewhere": by("UPDATE people SET mail = 'voleur@ailleurs.example' WHERE name = 'Paola'"),
    "delete an entry of the register": unguardedly("DELETE FROM register_journal WHERE id = 1"),
    "delete a letter": by("DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox)"),
    "redirect a letter": by("UPDATE outbox SET role = 'auditor' WHERE id = (SELECT min(id) FROM outbox WHERE kind = 'tell')"),
    "change a stored input": unguardedly("UPDATE journal SET input_digest = 'x' WHERE id = 2"),
    "drop a trigger": by("DROP TRIGGER journal_is_never_deleted"),
    "drop an index": by("DROP INDEX uq_findings_open"),
}


@pytest.mark.parametrize("tried", BY_SQL)
def test_verify_names_what_sql_did(folder: Path, note: Note, tried: str) -> None:
    home = opened(folder)
    assert verified(home).code == 0, told(verified(home))
    BY_SQL[tried](home)
    home.store.close()
    home = opened(folder)
    page = verified(home)
    home.store.close()
    assert page.code == 3
    note("SQL", tried, next(line for line in page.lines if line.startswith("  - ")).removeprefix("  - "))


# By HTTP


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, prefect_cache: Path) -> Iterator[Target]:
    target = Target(tmp_path_factory.mktemp("target"))
    with_store = target.store(create=True)
    Walk(with_store, "ESSAI-1").until(State.IN_TRAINING)
    with_store.close()
    target.begin(prefect_cache)
    try:
        target.run("up", "--port", str(server.free_port()))
        yield target
    finally:
        target.run("down")


COMMAND = {"command": "sh -c 'id > {taken}'"}
BY_HTTP: dict[str, tuple[str, str, Any]] = {
    "a run with a command of one's own": ("POST", "/api/deployments/{approve}/create_flow_run", {"job_variables": COMMAND}),
    "a deployment with another entry point": ("PATCH", "/api/deployments/{approve}", {"entrypoint": "os.system"}),
    "a deployment of one's own": ("POST", "/api/deployments/", {"name": "x", "flow_id": "0" * 8}),
    "a pool with another command": ("PATCH", "/api/work_pools/jalon", {"base_job_template": {}}),
    "a pause of a round": ("POST", "/api/deployments/{deliver}/pause_deployment", None),
    "a round by hand": ("POST", "/api/deployments/{deliver}/create_flow_run", {}),
    "a block": ("POST", "/api/block_documents/", {"name": "x"}),
    "a variable": ("POST", "/api/variables/", {"name": "x", "value": "y"}),
    "an automation": ("POST", "/api/automations/", {"name": "x"}),
    "the state of a run": ("POST", "/api/flow_runs/00000000-0000-0000-0000-000000000000/set_state", {"state": {"type": "COMPLETED"}}),
    "a line in a log": ("POST", "/api/logs/", [{"message": "x"}]),
    "a route that nobody knows": ("POST", "/api/unheard/of", {}),
    "two megabytes": ("POST", "/api/deployments/{approve}/create_flow_run", {"parameters": {"x": "x" * 2_000_000}}),
}


@pytest.mark.parametrize("tried", BY_HTTP)
def test_the_gate_refuses(target: Target, note: Note, tried: str) -> None:
    method, path, content = BY_HTTP[tried]
    ids = {one["name"]: one["id"] for one in target.ask("/deployments/filter", {})}
    taken = target.home / "taken"
    if content and "job_variables" in content:
        content = {"job_variables": {"command": COMMAND["command"].format(taken=taken)}}
    status, answer, _ = target.asked(method, path.format(**ids), content)
    assert status in (403, 404, 413, 422), (status, answer)
    assert not taken.exists()
    note("HTTP", tried, f"{status} {answer['detail']}")
