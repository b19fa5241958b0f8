"""The alert as a flow: it writes to the operators that a run has failed, or that a step about money was refused."""

from __future__ import annotations

from uuid import UUID

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State as RunState
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run

from flows.desk.automations import RUN
from flows.desk.ends import completed, failed
from flows.home import shared_home
from flows.mail.reminders import alert_letter
from flows.ports import mail
from flows.ports.clock import now
from flows.settings import settings
from models.database.faults import Unreachable
from states.lifecycle import STEPS
from states.values.french import counted
from states.vocabulary import Role


@flow(name="alert", description="Écrit aux exploitants qu’une exécution a échoué, ou qu’une étape d’argent a été refusée.")
async def alert(resource: str) -> RunState[None]:
    """Tell every operator of a flow run, once; `resource` is its name in an event of Prefect."""
    home, run_id = shared_home(settings()), resource.removeprefix(RUN)
    try:
        async with get_client() as client:
            run = await client.read_flow_run(UUID(run_id))
            name = (await client.read_flow(run.flow_id)).name
    except (ValueError, ObjectNotFound):
        return completed("Cette exécution n’existe plus.")
    if name == "alert":
        return completed("Une alerte ne se signale pas elle-même.")
    state = " ".join((run.state.name if run.state and run.state.name else "?").split())[:60]
    key = f"{run_id}:{state}"
    if not home.marks.take("alert", key, now=now(), by=flow_run.id or ""):
        return completed("Déjà signalé.")
    label = STEPS[name].label if name in STEPS else name
    called, _, reference = run.name.partition(" ")
    title = f"{label} {reference}" if called == name else f"{label} ({run.name})"
    message = (run.state.message or "") if run.state else ""
    operators = home.register.holding(Role.OPERATOR)
    try:
        for person in operators:
            letter = alert_letter(person, run_id, title, state, message, now())
            mail.write(letter, folder=home.settings.mail_dir, sender=home.settings.mail_from)
    except Unreachable as fault:
        home.marks.drop("alert", key)
        return failed("Unreachable", str(fault))
    message = f"{counted(len(operators), 'exploitant prévenu', 'exploitants prévenus')}."
    home.marks.tell("alert", key, message, now=now())
    return completed(message)
