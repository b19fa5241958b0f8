"""`jalon demo`: once broken off by Ctrl-C, then played whole in the same folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.demo import story
from flows.server import server
from models.database.store import Store, sqlite_url
from models.outbox import Outbox
from models.read.views import Views
from models.verify.proof import Verifier
from states.vocabulary import Role

PLAY = "import sys; from pathlib import Path; from flows.demo.demo import main; raise SystemExit(main(var=Path(sys.argv[1])))"
PAST, EXERCISE, MONEY = "1. Le passé", "2. Exercice : 23 stagiaires fictifs", "3. Exercice : la facture et l’argent"


class Played(NamedTuple):
    """How a demo ended, what it said, and which of its processes were left."""

    code: int
    out: str
    err: str
    left: list[str]


def start(var: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PLAY, str(var)], env=environment, cwd=var, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def processes_of(var: Path) -> list[str]:
    """The processes that live with this demo's own Prefect folder."""
    mark = f"PREFECT_HOME={var / 'demo' / 'prefect'}".encode()
    return [found.parent.name for found in Path("/proc").glob("[0-9]*/environ") if mark in read(found).split(b"\0")]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended
        return b""


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory, prefect_cache: Path) -> Path:
    """The folder of the demo; the empty database of Prefect is shared with other tests."""
    folder = tmp_path_factory.mktemp("var")
    (folder / "cache").symlink_to(prefect_cache)
    return folder


@pytest.fixture(scope="module")
def broken_off(var: Path) -> Played:
    """Ctrl-C while the trainees are being retained."""
    demo = start(var)
    assert demo.stdout is not None
    assert demo.stderr is not None
    said = ""
    while not said.endswith("\n") or EXERCISE not in said:
        line = demo.stdout.readline()
        assert line, demo.stderr.read()
        said += line
    assert processes_of(var)
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    return Played(demo.returncode, said + out, err, processes_of(var))


@pytest.fixture(scope="module")
def played(var: Path, broken_off: Played) -> Played:
    """The whole demo, after the one that was broken off."""
    demo = start(var)
    out, err = demo.communicate(timeout=180)
    return Played(demo.returncode, out, err, processes_of(var))


def test_ctrl_c_stops_the_server_with_the_demo(broken_off: Played) -> None:
    assert broken_off.left == []


def test_ctrl_c_is_told_in_one_sentence(broken_off: Played) -> None:
    assert broken_off.code == 130
    assert broken_off.out.endswith("Interrompu : le serveur de la démonstration est arrêté.\n")
    assert "Traceback" not in broken_off.out + broken_off.err


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP], ids=lambda sign: sign.name)
def test_a_demo_that_is_ended_while_it_starts_leaves_no_server(broken_off: Played, var: Path, tmp_path: Path, sign: signal.Signals) -> None:
    """`kill`, or the window of the terminal closed."""
    (tmp_path / "cache").symlink_to((var / "cache").resolve())
    demo = start(tmp_path)
    while not processes_of(tmp_path):
        assert demo.poll() is None
        time.sleep(0.1)
    demo.send_signal(sign)
    _, err = demo.communicate(timeout=60)
    left = processes_of(tmp_path)
    for process in left:
        os.kill(int(process), signal.SIGKILL)
    assert left == []
    assert "Traceback" not in err


def test_the_demo_ends_well_and_leaves_no_process(played: Played) -> None:
    assert (played.code, played.left) == (0, []), played.err
    assert "Traceback" not in played.out + played.err


def test_the_demo_tells_past_exercise_and_money_in_this_order(played: Played) -> None:
    told = [played.out.index(title) for title in (PAST, EXERCISE, MONEY, "Chronologie de", "Résultat")]
    assert told == sorted(told)


def test_the_sum_paid_is_forty_thousand_euros(played: Played) -> None:
    assert re.search(r"Payé : 40\s000,00\s€, sur 40\s000,00\s€ dus \(40000\.00 EUR\)\.", played.out)


def test_one_trainee_is_over_the_cap_and_two_live_elsewhere(played: Played) -> None:
    assert played.out.count("OVER_CAP") == 1
    assert played.out.count("OUTSIDE_DEPARTMENT") == 2
    assert "réside hors du département de la convention" in played.out


def test_four_refusals_are_told_with_their_reasons(played: Played) -> None:
    lines = played.out.splitlines()
    after = [lines[place + 1 :] for place, line in enumerate(lines) if line.startswith("  refusé ")]
    told = [" ".join(takewhile(lambda line: line.startswith("      "), rest)) for rest in after]
    assert [re.findall(r"([A-Z_]{4,}) :", reasons) for reasons in told] == [
        ["INVOICE_BEFORE_TRAINING_END"],
        ["AMOUNT_EXCEEDS_ENTITLEMENT"],
        ["ACT_NOT_EXECUTORY"],
        ["WRONG_ROLE", "SAME_PERSON"],
    ]
    assert "La facture est datée du 20 mai 2026, avant la fin de la formation (29 mai 2026)." in played.out


def test_the_proof_is_told(played: Played, var: Path) -> None:
    assert re.search(r"jalon verify : tout se tient \(\d+ entrées, tête [0-9a-f]{16}\.\.\.\)", played.out)


def test_the_ledger_of_the_demo_is_closed_and_verifies(played: Played, var: Path) -> None:
    store = Store(sqlite_url(var / "demo" / "jalon.db"))
    told = Views(store).show(story.REFERENCE)
    verified = Verifier(store).verify(story.REFERENCE)
    store.close()
    assert told["state"] == "closed"
    assert told["entitlement"] == {"eligible": 21, "subsidised": 20, "amount": "40000.00"}
    assert verified.faults == ()
    assert verified.entries == len(told["history"])


def test_every_accepted_step_of_the_demo_was_a_run_of_its_own(played: Played, var: Path) -> None:
    store = Store(sqlite_url(var / "demo" / "jalon.db"))
    keys = [line.entry.key for line in Views(store).history(story.REFERENCE)]
    store.close()
    assert all(key.startswith("prefect:") for key in keys)
    assert len(set(keys)) == len(keys)


def test_the_letters_of_the_demo_are_files_and_none_is_left_unsent(played: Played, var: Path) -> None:
    letters = list((var / "mail").glob("*.eml"))
    assert f"{len(letters)} courriers écrits" in played.out
    store = Store(sqlite_url(var / "demo" / "jalon.db"))
    waiting = Outbox(store).waiting(), Outbox(store).given_up()
    store.close()
    assert waiting == (0, ())
    assert {Role.BOARD_SECRETARY, Role.PUBLIC_ACCOUNTANT} <= {letter.name.split(".")[3] for letter in letters}
    assert not list((var / "demo" / "inbox").iterdir())


def dashboard(var: Path) -> subprocess.Popen[str]:
    command = [Path(sys.executable).parent / "jalon", "dashboard", "--home", var / "demo" / "prefect", "--port", str(server.free_port())]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_dashboard_opens_on_the_runs_of_the_demo_until_ctrl_c(played: Played, var: Path) -> None:
    opened = dashboard(var)
    assert opened.stdout is not None
    address = re.search(r"http://127\.0\.0\.1:\d+", opened.stdout.readline() + opened.stdout.readline())
    assert address is not None
    with urllib.request.urlopen(f"{address[0]}/api/flow_runs/count", data=b"{}", timeout=30) as answer:
        assert int(answer.read()) > 60
    opened.send_signal(signal.SIGINT)
    out, err = opened.communicate(timeout=60)
    assert (opened.returncode, out, err) == (0, "Arrêté.\n", "")
    assert processes_of(var) == []


def test_a_dashboard_that_is_ended_while_it_starts_leaves_no_server(played: Played, var: Path) -> None:
    opened = dashboard(var)
    while not processes_of(var):
        assert opened.poll() is None
    time.sleep(1)
    opened.send_signal(signal.SIGTERM)
    opened.communicate(timeout=60)
    left = processes_of(var)
    for process in left:
        os.kill(int(process), signal.SIGKILL)
    assert left == []
