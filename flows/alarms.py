"""What Prefect does by itself, created from code: an event starts the checks, a failed run or a refused payment writes to people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import State as RunState
from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.home import shared_home
from flows.ports import mail
from flows.ports.clock import now
from flows.publishing import CHECKED, EVENT, RESOURCE, Desk
from flows.reminders import STATES, alert_letter
from flows.settings import settings
from models.faults import Unreachable
from states.french import counted
from states.lifecycle import STEPS
from states.words import Role

FAILED = [name for name in STATES if name != "Refused"]  # the other answers of jalon are no failures
MONEY = "argent"  # the tag of the deployments that move money
RUN = "prefect.flow-run."


@flow(name="alert", description="Écrit aux exploitants qu’une exécution a échoué, ou qu’une étape d’argent a été refusée.")
async def alert(resource: str) -> RunState[None]:
    """Tell every operator of a flow run, once; `resource` is its name in an event of Prefect."""
    home, run_id = shared_home(settings()), resource.removeprefix(RUN)
    try:
        async with get_client() as client:
            run = await client.read_flow_run(UUID(run_id))
            name = (await client.read_flow(run.flow_id)).name
    except (ValueError, ObjectNotFound):
        return Completed(message="Cette exécution n’existe plus.")
    if name == "alert":
        return Completed(message="Une alerte ne se signale pas elle-même.")
    state = " ".join((run.state.name if run.state and run.state.name else "?").split())[:60]
    key = f"{run_id}:{state}"
    if not home.marks.take("alert", key, now=now(), by=flow_run.id or ""):
        return Completed(message="Déjà signalé.")
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
        return Failed(name="Unreachable", message=str(fault))
    told = f"{counted(len(operators), 'exploitant prévenu', 'exploitants prévenus')}."
    home.marks.tell("alert", key, told, now=now())
    return Completed(message=told)


def automations(deployments: dict[str, UUID]) -> list[AutomationCore]:
    """Every automation of jalon, given the ids of its deployments by name."""
    event_id, reference, run = (_template(text) for text in ("{{ event.id }}", "{{ event.resource.name }}", "{{ event.resource.id }}"))
    checks = RunDeployment(
        source="selected", deployment_id=deployments["checks"], parameters={"reference": reference, "event": event_id}, job_variables=None
    )
    alarm = RunDeployment(source="selected", deployment_id=deployments["alert"], parameters={"resource": run}, job_variables=None)
    failed = {f"prefect.flow-run.{name}" for name in FAILED}
    tagged = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{MONEY}"}
    return [
        _automation("jalon : contrôler après chaque étape", {f"{EVENT}*"}, {"prefect.resource.id": f"{RESOURCE}*", CHECKED: "no"}, checks),
        _automation("jalon : signaler une exécution qui échoue", failed, {"prefect.resource.id": f"{RUN}*"}, alarm),
        _automation(
            "jalon : signaler une étape d’argent refusée", {"prefect.flow-run.Refused"}, {"prefect.resource.id": f"{RUN}*"}, alarm, tagged
        ),
    ]


async def install(client: PrefectClient) -> None:
    """Create the automations, or set them right where they exist. Nothing else of the server is touched."""
    known = {one.name: one for one in await client.read_automations()}
    ids = {name: one.id for name, one in (await Desk(shared_home(settings()), client).deployments()).items()}
    for one in automations(ids):
        if one.name not in known:
            await client.create_automation(one)
        elif AutomationCore.model_validate(known[one.name].model_dump(exclude={"id"})) != one:
            await client.update_automation(known[one.name].id, one)


def _template(text: str) -> dict[str, str]:
    return {"__prefect_kind": "jinja", "template": text}


def _automation(
    name: str, expect: set[str], match: dict[str, str], action: RunDeployment, related: dict[str, str] | None = None
) -> AutomationCore:
    on: dict[str, Any] = {"match": match, **({"match_related": related} if related else {})}
    trigger = EventTrigger(expect=expect, posture=Posture.Reactive, threshold=1, within=timedelta(0), **on)
    return AutomationCore(name=name, description="Créée par jalon.", trigger=trigger, actions=[action])
