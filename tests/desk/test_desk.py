"""`jalon up`, `jalon down` and `jalon doctor`, with real processes: what they start, what they find, what they leave."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from forks import jalon
from offices import Office
from walks import Walk

from flows.cli.doctor import examined
from flows.home import close_all
from flows.ports.clock import now
from flows.server import health as prefect_health
from flows.server import processes, run_settings, server
from flows.server import up as desk
from flows.server.processes import Process, Record
from flows.server.symptoms import Symptom
from flows.settings import settings
from models.database.store import Store, sqlite_url
from models.verify.proof import Verifier
from states.overview.table import ROUNDS, deployments

LOG = "server.log"


class House(Office):
    """One JALON_HOME and the commands that are given there."""

    def examined(self) -> dict[str, Symptom]:
        """What doctor finds, by name."""
        try:
            return {one["name"]: Symptom(**one) for one in examined(settings(self.env)).json["checks"]}
        finally:
            close_all()

    def left(self) -> list[str]:
        """Every process that lives with this home."""
        mark = f"JALON_HOME={self.home}".encode()
        return [found.parent.name for found in Path("/proc").glob("[0-9]*/environ") if mark in _bytes(found).split(b"\0")]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended
        return b""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A home where nothing runs, and nothing is left running."""
    house = House(tmp_path / "home")
    yield house
    record = processes.read(house.home)
    if record is not None:
        processes.stop([*record.workers, record.server])


class Up(House):
    """A home where everything runs."""

    said: str


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, prefect_cache: Path) -> Iterator[Up]:
    """One desk for all tests that find it running; each of them leaves it so. One below begins without Prefect's database."""
    up = Up(tmp_path_factory.mktemp("desk"))
    store = Store(sqlite_url(up.home / "jalon.db"), create=True)
    Walk(store).do("open", at=now())
    store.close()
    up.begin(prefect_cache)
    began = time.monotonic()
    try:
        up.said = up.run("up", "--port", str(server.free_port()))
        up.seconds = time.monotonic() - began
        yield up
    finally:
        up.run("down")


def kill(process: Process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    limit = time.monotonic() + 10
    while process.lives:
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_up_says_where_everything_is_and_how_to_stop_it(up: Up, record_property: Callable[[str, object], None]) -> None:
    record_property("measured", f"A fresh `jalon up`: {up.seconds:.1f} s")
    address = f"http://127.0.0.1:{up.record.port}"
    for told in ("Tout est prêt en", f"{address}\n", f"{address}/v2/artifacts/key/tableau-de-bord", "jalon down", LOG):
        assert told in up.said


def test_what_runs_is_remembered_for_nobody_else(up: Up) -> None:
    private = {name: stat.S_IMODE((up.home / name).stat().st_mode) for name in ("desk.json", "jalon.db", "prefect")}
    assert private == {"desk.json": 0o600, "jalon.db": 0o600, "prefect": 0o700}
    assert up.record.server.lives
    assert [one.lives for one in up.record.workers] == [True]


def test_everything_is_deployed_and_the_rounds_are_active(up: Up) -> None:
    there = {one["name"]: one for one in up.ask("/deployments/filter", {})}
    assert there.keys() == {one["name"] for one in deployments()["deployments"]}
    scheduled = {
        name: [(s["schedule"]["cron"], s["active"]) for s in told["schedules"]] for name, told in there.items() if told["schedules"]
    }
    assert scheduled == {name: [(cron, True)] for name, _, _, cron in ROUNDS}
    assert all(one["enforce_parameter_schema"] and one["pull_steps"] == [] for one in there.values())


def submitted(up: Up) -> str:
    there = {one["name"]: one for one in up.ask("/deployments/filter", {})}
    return str(up.ask(f"/deployments/{there['checks']['id']}/create_flow_run", {"parameters": {"reference": "ESSAI-1"}})["id"])


def when(up: Up, run: str, types: set[str]) -> str:
    """The type of the state of a run, once it is one of these."""
    limit = time.monotonic() + 60
    while (state := up.ask(f"/flow_runs/{run}")["state"])["type"] not in types:
        assert time.monotonic() < limit, state
        time.sleep(0.2)
    return str(state["type"])


ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def test_the_worker_takes_a_run(up: Up) -> None:
    assert when(up, submitted(up), ENDED) == "COMPLETED"


def test_doctor_finds_nothing_to_mend(up: Up) -> None:
    assert {one["level"] for one in json.loads(up.run("doctor", "--json"))["checks"]} == {"ok"}


def test_a_second_up_changes_nothing_and_says_so(up: Up) -> None:
    before = up.record
    said = up.run("up", "--port", "4999")
    assert said.startswith("Tout tourne déjà : rien n’a été changé.")
    assert "Pour changer d’adresse ou de port" in said
    assert f"http://127.0.0.1:{before.port}\n" in said
    assert up.record == before


def test_a_dead_worker_alone_is_started_again_even_when_two_ask(up: Up) -> None:
    before = up.record
    run = submitted(up)
    when(up, run, {"PENDING", "RUNNING"})
    kill(before.workers[0])
    assert up.examined()["Workers"].level == "fail"
    both = [up.start("up"), up.start("up")]
    said = "".join(one.communicate(timeout=60)[0] for one in both)
    assert [one.returncode for one in both] == [0, 0], said
    assert said.count("Un worker ne vivait plus : il est relancé.") == 1
    assert said.count("Tout tourne déjà") == 1
    after = up.record
    assert (after.server, after.port, len(after.workers)) == (before.server, before.port, 1)
    assert after.workers[0].lives
    assert after.workers != before.workers
    assert when(up, run, ENDED) == "COMPLETED"  # what the dead one had taken


def test_a_killed_server_and_a_deleted_database_of_prefect_lose_nothing(up: Up) -> None:
    before = up.record
    kill(before.server)
    for file in (up.home / "prefect").glob("prefect.db*"):
        file.unlink()
    said = up.run("up")
    assert said.startswith("Le dernier démarrage n’a pas été arrêté par « jalon down » et son serveur ne répond plus")
    assert not before.workers[0].lives
    assert up.record.port == before.port
    assert {one.level for one in up.examined().values()} == {"ok"}
    store = Store(sqlite_url(up.home / "jalon.db"))
    assert [one.faults for one in Verifier(store).verify_all()] == [()]
    store.close()


def test_down_stops_everything_and_up_finds_its_port_again(up: Up) -> None:
    port = up.record.port
    assert up.run("down") == f"Arrêté : 1 worker et le serveur Prefect (port {port}).\n"
    assert up.left() == []
    assert processes.read(up.home) is None
    assert up.run("down") == "Rien ne tourne : il n’y a rien à arrêter.\n"
    assert up.examined()["Serveur Prefect"].level == "warn"
    assert (up.home / "prefect" / "port").read_text() == f"{port}\n"


def test_doctor_says_what_is_missing_before_anything_exists_and_makes_nothing(house: House) -> None:
    assert house.run("doctor", code=1).endswith("1 point à corriger ; 1 point à surveiller.\n")
    found = house.examined()
    assert (found["Base"].level, found["Serveur Prefect"].level) == ("fail", "warn")
    assert all(one.todo for one in found.values() if one.level != "ok")
    assert not house.home.exists()


def test_doctor_warns_of_an_inbox_that_everybody_may_read(house: House) -> None:
    (house.home / "inbox").mkdir(parents=True, mode=0o755)
    assert house.examined()["Corbeille d’arrivée"].level == "warn"
    (house.home / "inbox").chmod(0o700)
    assert house.examined()["Corbeille d’arrivée"].level == "ok"


def test_doctor_warns_of_letters_that_nobody_delivers(house: House) -> None:
    store = house.store(create=True)
    Walk(store).do("open", at=now() - timedelta(minutes=4))
    assert house.examined()["Boîte d’envoi"].level == "ok"
    Walk(store, "ESSAI-2").do("open", at=now() - timedelta(minutes=6))
    store.close()
    found = house.examined()["Boîte d’envoi"]
    assert (found.level, found.todo) == ("warn", "Lancez : jalon deliver, ou jalon up")


@pytest.mark.parametrize(
    ("run_ago", "up_ago", "state", "level"),
    [
        (1, 60, "COMPLETED", "ok"),
        (1, 60, "FAILED", "warn"),
        (6, 60, "COMPLETED", "fail"),
        (None, 60, "", "fail"),
        (600, 1, "COMPLETED", "ok"),
    ],
)
def test_a_late_round_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, run_ago: int | None, up_ago: int, state: str, level: str
) -> None:
    house.home.mkdir()
    processes.keep(house.home, Record("127.0.0.1", 4200, Process(0, "")))
    began = (now() - timedelta(minutes=up_ago)).timestamp()
    os.utime(house.home / "desk.json", (began, began))
    start = now() - timedelta(minutes=run_ago or 0)
    runs = [{"start_time": start.isoformat(), "state_type": state, "state": {"message": "Pourquoi."}}] if run_ago else []
    monkeypatch.setattr(server, "ask", lambda *_: runs)
    assert prefect_health._rounds(settings(house.env), house.record, {}).level == level


def test_a_recycled_number_is_never_stopped(house: House) -> None:
    house.home.mkdir()
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        processes.keep(house.home, Record("127.0.0.1", 4200, Process(bystander.pid, "another time"), (Process(bystander.pid, "x"),)))
        assert house.run("down") == "Plus rien ne tournait : la trace du dernier démarrage est effacée.\n"
        assert bystander.poll() is None
        assert processes.read(house.home) is None
    finally:
        bystander.kill()
        bystander.wait()


def test_an_unreadable_trace_counts_as_a_dead_server(house: House) -> None:
    house.home.mkdir()
    (house.home / "desk.json").write_text("{")
    assert not house.record.server.lives
    assert house.examined()["Serveur Prefect"].level == "fail"


def test_a_port_that_somebody_else_uses_is_refused_in_one_sentence(house: House) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = house.run("up", "--port", str(port), code=5)
    assert said == f"Le port {port} est pris par un autre programme ou interdit : choisissez-en un autre avec --port.\n"
    assert processes.read(house.home) is None


def test_a_network_address_needs_a_password_first(house: House) -> None:
    said = house.run("up", "--host", "0.0.0.0", code=2)
    assert "PREFECT_SERVER_API_AUTH_STRING" in said
    assert not house.home.exists()


@pytest.mark.parametrize("secret", ["admin", "admin:", ":motdepasse-long", "admin:court", "admin:mot de passe clé", "a:" + "\n" * 20])
def test_half_a_password_opens_nothing(tmp_path: Path, secret: str) -> None:
    house = House(tmp_path / "home", PREFECT_SERVER_API_AUTH_STRING=secret)
    for host in ("0.0.0.0", "127.0.0.1"):
        refused = jalon("up", "--host", host, cwd=tmp_path, env=house.env)
        said = refused.stderr
        assert (refused.returncode, refused.stdout) == (2, "")
        assert said.startswith("La valeur de PREFECT_SERVER_API_AUTH_STRING ne protège pas assez")
        assert "mot de passe de 12 caractères au moins" in said
    assert not house.home.exists()


def test_a_password_is_in_the_environment_of_the_server_only_and_on_no_command_line(house: House) -> None:
    kept = settings(house.env)
    env = desk.environment(kept, "0.0.0.0", 4200, {**house.env, "PREFECT_SERVER_API_AUTH_STRING": "cdg:secret", "PREFECT_PROFILE": "x"})
    assert env["PREFECT_SERVER_CSRF_PROTECTION_ENABLED"] == "true"
    assert env["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"
    assert "PREFECT_PROFILE" not in env
    assert "secret" not in "".join(run_settings.of_runs(env).values())
    assert "secret" not in " ".join(server.command_of("0.0.0.0", 4200))


def test_a_server_of_a_moment_never_touches_the_database_of_the_one_that_stays(house: House) -> None:
    base = {"PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://prefect@host/prefect"}
    assert "PREFECT_API_DATABASE_CONNECTION_URL" not in server.environment(house.home, 4200, base)
    assert desk.environment(settings(house.env), "127.0.0.1", 4200, base).items() >= base.items()


def test_ctrl_c_during_a_start_stops_what_it_had_started(house: House) -> None:
    command = house.start("up", "--port", str(server.free_port()))
    assert command.stdout is not None
    assert "Démarrage du serveur Prefect" in command.stdout.readline()
    while processes.read(house.home) is None:
        time.sleep(0.02)
    started = house.record.server
    command.send_signal(signal.SIGINT)
    said, _ = command.communicate(timeout=30)
    assert command.returncode == 130, said
    assert "Ce qui avait été démarré est arrêté." in said
    assert not started.lives
    assert house.left() == []
    assert processes.read(house.home) is None


def test_a_start_that_fails_says_where_the_log_is(house: House) -> None:
    (house.home / "prefect").mkdir(parents=True)
    (house.home / "prefect" / "prefect.db").write_text("not a database, and long enough to be taken for one by nobody at all")
    said = house.run("up", "--port", str(server.free_port()), code=5)
    assert f"voyez {house.home / 'prefect' / LOG}" in said
    assert house.left() == []
    assert processes.read(house.home) is None
