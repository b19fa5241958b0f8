"""What runs after each step: the chain verifies, amounts are recomputed, findings are refreshed."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State as RunState
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.home import shared_home
from flows.ports.clock import now
from flows.review import check
from flows.settings import settings
from models.answers import Invalid
from models.database.faults import Unreachable


@flow(name="checks", flow_run_name="{reference}", description="Vérifie un dossier : journal, données, droit à subvention, constats.")
async def checks(reference: str, event: str | None = None) -> RunState[None]:
    """Check one dossier. A broken one ends as `Broken`, in French; a check changes nothing but the findings.

    `event` is the id of the event that asks for it: Prefect may send one twice.
    """
    try:
        home = shared_home(settings())
        if event is not None and not home.marks.take("event", event, now=now(), by=flow_run.id or ""):
            return Completed(message="Déjà contrôlé pour cet événement.")
        try:
            checked = check(home, reference)
        except BaseException:
            if event is not None:
                home.marks.drop("event", event)
            raise
    except (Invalid, Unreachable) as fault:
        return Failed(name=type(fault).__name__, message=str(fault))
    if event is not None:
        home.marks.tell("event", event, "contrôlé", now=now())
    return Completed(message=checked.message) if checked.holds else Failed(name="Broken", message=checked.message)
