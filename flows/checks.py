"""What runs after each step: the chain verifies, amounts are recomputed, findings are refreshed."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State as RunState
from prefect.runtime import flow_run

from flows.desk.ends import completed, failed
from flows.home import shared_home
from flows.ports.clock import now
from flows.review import check
from flows.settings import settings
from models.answers import Invalid
from models.database.faults import Unreachable
from states.values.plain import legible

NAME_AT_MOST = 60


def _run_name() -> str:
    """The reference, of which somebody may have typed anything."""
    return legible(str(flow_run.parameters.get("reference", "")), keep="")[:NAME_AT_MOST] or "checks"


@flow(name="checks", flow_run_name=_run_name, description="Vérifie un dossier : journal, données, droit à subvention, constats.")
async def checks(reference: str, event: str | None = None) -> RunState[None]:
    """Check one dossier. A broken one ends as `Broken`, in French; a check changes nothing but the findings.

    `event` is the id of the event that asks for it: Prefect may send one twice.
    """
    try:
        home = shared_home(settings())
        if event is not None and not home.marks.take("event", event, now=now(), by=flow_run.id or ""):
            return completed("Déjà contrôlé pour cet événement.")
        try:
            checked = check(home, reference)
        except BaseException:
            if event is not None:
                home.marks.drop("event", event)
            raise
    except (Invalid, Unreachable) as fault:
        return failed(type(fault).__name__, str(fault))
    if event is not None:
        home.marks.tell("event", event, "contrôlé", now=now())
    return completed(checked.message) if checked.holds else failed("Broken", checked.message)
