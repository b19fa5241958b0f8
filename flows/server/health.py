"""What `jalon doctor` looks at in Prefect: the server, its workers, what is deployed there, and whether the rounds are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from flows.ports.clock import now
from flows.server import installing, processes, server, sizes
from flows.server import up as desk
from flows.server.processes import Record
from flows.server.routes import SIZES
from flows.server.symptoms import FAIL, OK, WARN, Symptom
from flows.settings import Settings
from flows.wording import wall_time
from models.database.faults import Unreachable
from states.overview.table import deployments
from states.values.french import counted

SERVER = "Serveur Prefect"
SILENT_AFTER = timedelta(seconds=60)
LATE_AFTER = timedelta(minutes=5)
TOLD_AT_MOST = 20  # differences
KEPT = (
    ("runs", "exécution", "exécutions"),
    ("logs", "ligne de journal", "lignes de journal"),
    ("events", "événement", "événements"),
    ("artifacts", "version de page", "versions de pages"),
)
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
        yield _server(record, env)
        yield from _declared(env)
        yield _workers(record, env)
        yield _rounds(configured, record, env)
        yield _growth(configured, env)
    except Unreachable as fault:
        yield Symptom(SERVER, FAIL, str(fault), "Ensuite, recommencez : jalon doctor")


def _server(record: Record, env: Mapping[str, str]) -> Symptom:
    there, here = server.ask(env, "/admin/version"), version("prefect")
    sentence = f"Prefect {there} répond sur {server.address(record.host, record.port)}"
    if there != here:
        return Symptom(SERVER, WARN, f"{sentence}, mais la version installée est {here}.", RESTART)
    return Symptom(SERVER, OK, f"{sentence}.")


def _workers(record: Record, env: Mapping[str, str]) -> Symptom:
    living = sum(worker.lives for worker in record.workers)
    if living < len(record.workers) or not living:
        return Symptom("Workers", FAIL, f"{counted(living, 'worker vit', 'workers vivent')} sur {len(record.workers)}.", START)
    heard = sum(now() - instant < SILENT_AFTER for instant in desk.heard_of(env).values())
    if heard < living:
        return Symptom("Workers", FAIL, f"Le serveur n’entend plus {counted(living - heard, 'worker', 'workers')} sur {living}.", RESTART)
    return Symptom("Workers", OK, f"{counted(living, 'worker vit et répond', 'workers vivent et répondent')} au serveur.")


def _declared(env: Mapping[str, str]) -> Iterator[Symptom]:
    """Each difference between the server and what the table declares: deployments, schedules, entry points, pool, automations, limits."""
    found = installing.differences(env)
    for sentence in found[:TOLD_AT_MOST]:
        yield Symptom("Déclaration", WARN, sentence, START)
    if (left := len(found) - TOLD_AT_MOST) > 0:
        yield Symptom("Déclaration", WARN, f"Et {counted(left, 'autre différence', 'autres différences')}.", START)
    if not found:
        wanted = deployments()["deployments"]
        rounds = counted(sum(bool(one["schedules"]) for one in wanted), "ronde active", "rondes actives")
        yield Symptom(
            "Déclaration", OK, f"{len(wanted)} déploiements, dont {rounds} ; file, automatisations et limites sont celles déclarées."
        )


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


def _growth(configured: Settings, env: Mapping[str, str]) -> Symptom:
    """How much Prefect keeps, and how much more than the night before, when the purge wrote it down."""
    there = server.ask(env, SIZES, of_api=False)
    told = ", ".join(counted(there[name], one, many) for name, one, many in KEPT)
    before = sizes.before(configured.home / "prefect", now())
    more = f" ; {_megabytes(there['bytes'] - before.bytes, signed=True)} depuis le {wall_time(before.at.isoformat())}" if before else ""
    kept = f"les {configured.prefect_days} derniers jours sont gardés"
    return Symptom("Base de Prefect", OK, f"{_megabytes(there['bytes'])}, {told}{more} ; {kept}.")


def _megabytes(many: int, *, signed: bool = False) -> str:
    return f"{many / 10**6:{'+' if signed else ''}.1f} Mo".replace(".", ",")
