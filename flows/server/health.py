"""What `jalon doctor` looks at in Prefect: the server, its workers, what is deployed there, and whether the rounds are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from flows.ports.clock import now
from flows.server import processes, server
from flows.server import up as desk
from flows.server.processes import Record
from flows.server.symptoms import FAIL, OK, WARN, Symptom
from flows.settings import Settings
from flows.wording import wall_time
from models.database.faults import Unreachable
from states.overview.table import deployments
from states.values.french import counted, listed

SERVER = "Serveur Prefect"
SILENT_AFTER = timedelta(seconds=60)
LATE_AFTER = timedelta(minutes=5)
LEFT_OUT = ["Skipped", "Cancelled", "Cancelling"]  # rounds that were not made
START, RESTART = "Lancez : jalon up", "Lancez : jalon down, puis jalon up"


def on_prefect(configured: Settings) -> Iterator[Symptom]:
    """Every check of Prefect; when its server does not answer, only that."""
    record = processes.read(configured.home)
    if record is None:
        yield Symptom(SERVER, WARN, "Il n’est pas démarré : ni formulaires, ni rondes.", START)
        return
    env = desk.environment(configured, record.host, record.port)
    if not server.ready(env):
        yield Symptom(SERVER, FAIL, "Il ne répond pas.", START)
        return
    try:
        for look in (_server, _pool, _workers, _deployments, _rounds):
            yield look(configured, record, env)
    except Unreachable as fault:
        yield Symptom(SERVER, FAIL, str(fault), "Ensuite, recommencez : jalon doctor")


def _server(_configured: Settings, record: Record, env: Mapping[str, str]) -> Symptom:
    there, here = server.ask(env, "/admin/version"), version("prefect")
    sentence = f"Prefect {there} répond sur {server.address(record.host, record.port)}"
    if there != here:
        return Symptom(SERVER, WARN, f"{sentence}, mais la version installée est {here}.", RESTART)
    return Symptom(SERVER, OK, f"{sentence}.")


def _pool(_configured: Settings, _record: Record, env: Mapping[str, str]) -> Symptom:
    pools = [pool for pool in server.ask(env, "/work_pools/filter", {}) if pool["name"] == desk.POOL]
    if not pools:
        return Symptom("File de travail", FAIL, f"La file « {desk.POOL} » n’existe pas.", RESTART)
    if pools[0]["is_paused"]:
        return Symptom(
            "File de travail", FAIL, f"La file « {desk.POOL} » est en pause.", "Relancez-la dans l’interface, page « Work Pools »."
        )
    return Symptom("File de travail", OK, f"La file « {desk.POOL} » est ouverte.")


def _workers(_configured: Settings, record: Record, env: Mapping[str, str]) -> Symptom:
    living = sum(worker.lives for worker in record.workers)
    if living < len(record.workers) or not living:
        return Symptom("Workers", FAIL, f"{counted(living, 'worker vit', 'workers vivent')} sur {len(record.workers)}.", START)
    heard = sum(now() - instant < SILENT_AFTER for instant in desk.heard_of(env).values())
    if heard < living:
        return Symptom("Workers", FAIL, f"Le serveur n’entend plus {counted(living - heard, 'worker', 'workers')} sur {living}.", RESTART)
    return Symptom("Workers", OK, f"{counted(living, 'worker vit et répond', 'workers vivent et répondent')} au serveur.")


def _deployments(_configured: Settings, _record: Record, env: Mapping[str, str]) -> Symptom:
    there = {deployment["name"]: deployment for deployment in server.ask(env, "/deployments/filter", {})}
    wanted = deployments()["deployments"]
    missing = [deployment["name"] for deployment in wanted if deployment["name"] not in there]
    if missing:
        return Symptom("Déploiements", FAIL, f"Il manque {listed(missing)}.", RESTART)
    rounds = [deployment["name"] for deployment in wanted if deployment["schedules"]]
    stopped = [name for name in rounds if there[name]["paused"] or not any(schedule["active"] for schedule in there[name]["schedules"])]
    if stopped:
        return Symptom(
            "Déploiements", WARN, f"Les rondes {listed(stopped)} sont en pause.", "Relancez-les dans l’interface, page « Deployments »."
        )
    return Symptom("Déploiements", OK, f"{len(wanted)} déploiements, dont {counted(len(rounds), 'ronde active', 'rondes actives')}.")


def _rounds(configured: Settings, _record: Record, env: Mapping[str, str]) -> Symptom:
    question: dict[str, object] = {
        "deployments": {"name": {"any_": ["deliver"]}},
        "flow_runs": {"start_time": {"is_null_": False}, "state": {"name": {"not_any_": LEFT_OUT}}},
        "sort": "START_TIME_DESC",
        "limit": 1,
    }
    runs = server.ask(env, "/flow_runs/filter", question)
    up_since = datetime.fromtimestamp((configured.home / "desk.json").stat().st_mtime, UTC)
    last = datetime.fromisoformat(runs[0]["start_time"]) if runs else None
    if now() - (last or up_since) > LATE_AFTER:
        if now() - up_since <= LATE_AFTER:
            return Symptom("Rondes", OK, "Prefect vient de démarrer : la prochaine distribution est attendue.")
        sentence = f"La dernière distribution date du {wall_time(last.isoformat())}." if last else "Aucune distribution n’a été faite."
        log = configured.home / "prefect" / "server.log"
        return Symptom("Rondes", FAIL, sentence, f"Voyez {log}. En attendant : jalon deliver")
    if last is None:
        return Symptom("Rondes", OK, "Prefect vient de démarrer : la première distribution est attendue.")
    if runs[0]["state_type"] in ("FAILED", "CRASHED"):
        return Symptom(
            "Rondes", WARN, f"La dernière distribution n’a pas abouti : {(runs[0]['state'] or {}).get('message')}", "Voyez l’interface."
        )
    return Symptom("Rondes", OK, f"Dernière distribution : {wall_time(last.isoformat())}.")
