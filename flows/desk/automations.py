"""What Prefect does by itself, created from code: an event starts the checks, a failed run or a refused payment starts the alert."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from flows.desk.publishing import CHECKED, EVENT, RESOURCE
from flows.mail.reminders import STATES

FAILED = [name for name in STATES if name != "Refused"]  # the other answers of jalon are no failures
MONEY = "argent"  # the tag of the deployments that move money
RUN = "prefect.flow-run."


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


def _template(text: str) -> dict[str, str]:
    return {"__prefect_kind": "jinja", "template": text}


def _automation(
    name: str, expect: set[str], match: dict[str, str], action: RunDeployment, related: dict[str, str] | None = None
) -> AutomationCore:
    on = {"match": match, **({"match_related": related} if related else {})}
    when = {"expect": expect, "posture": Posture.Reactive, "threshold": 1, "within": timedelta(0)}
    trigger = EventTrigger.model_validate({**when, **on})
    # Enabled in so many words: an update tells the server only what was said.
    return AutomationCore(name=name, description="Créée par jalon.", enabled=True, trigger=trigger, actions=[action])
