"""The delivery of the outbox as a flow; each check of a dossier is a run of its own flow."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State as RunState
from prefect.states import Completed

from flows.checking import Checked
from flows.checks import checks
from flows.courier import deliver_all
from flows.home import shared_home
from flows.settings import settings
from models.faults import Unreachable


@flow(name="deliver", description="Distribue ce que la boîte d’envoi contient : courriers et contrôles.", retries=3, retry_delay_seconds=10)
async def deliver() -> RunState[None]:
    """Deliver until nothing is due. Retried: whatever was delivered is marked, the rest is taken again."""
    delivered = await deliver_all(shared_home(settings()), _run_checks)
    return Completed(message=delivered.message)


async def _run_checks(reference: str) -> Checked:
    state = await checks(reference, return_state=True)
    if state.name not in ("Completed", "Broken"):
        raise Unreachable(state.message or "Le contrôle n’a pas abouti.")
    return Checked(holds=state.is_completed(), message=state.message or "Le contrôle n’a pas abouti.")
