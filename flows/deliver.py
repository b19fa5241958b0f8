"""The delivery of the outbox as a flow: letters, then what follows each step, on the desk or by a run of the checks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import LogCreate
from prefect.client.schemas.objects import State as RunState

from flows.checks import checks
from flows.desk.ends import completed, failed
from flows.desk.publishing import Desk
from flows.home import Home, shared_home
from flows.mail.courier import Follow, deliver_all, follow_at_once
from flows.ports.clock import now
from flows.ports.locks import held
from flows.review import Checked, check
from flows.settings import settings
from models.answers import Answer, Done
from models.database.faults import Unreachable
from models.outbox import Parcel
from states.vocabulary import State

SKIPPED = "Skipped"  # the state of a round that another one made needless


@flow(name="deliver", description="Distribue ce que la boîte d’envoi contient : courriers et contrôles.", retries=3, retry_delay_seconds=10)
async def deliver() -> RunState[None]:
    """Deliver until nothing is due. Retried: whatever was delivered is marked, the rest is taken again."""
    home = shared_home(settings())
    try:
        with held(home.settings.home / "deliver.lock") as alone:
            if not alone:
                return completed("Une autre distribution est en cours.", name=SKIPPED)
            return await (_on_the_desk(home) if home.settings.desk else _without_desk(home))
    except Unreachable as fault:
        return failed("Unreachable", str(fault))


async def _without_desk(home: Home) -> RunState[None]:
    return completed((await deliver_all(home, _run_checks)).message)


async def _on_the_desk(home: Home) -> RunState[None]:
    async with get_client() as client:
        desk = Desk(home, client)
        delivered = await deliver_all(home, _in_a_round(home, desk))
        home.marks.set("deliver", delivered.message, now=now())
        caught_up = await desk.catch_up()
        await desk.offer()
        if delivered.checked or delivered.broken or caught_up:
            await desk.show_lists()
            await desk.show_dashboard(at=now())
    return failed("Broken", delivered.message) if delivered.broken else completed(delivered.message)


async def follow_step(home: Home, answer: Answer, reference: str | None) -> None:
    """Show what became of a step on the desk at once, where there is a desk: what it did, or in the page that it was refused.

    `reference` is that of the step. A round does what this cannot.
    """
    if not home.settings.desk:
        return
    try:
        async with get_client() as client:
            desk = Desk(home, client)
            if isinstance(answer, Done):
                await follow_at_once(home, _after_a_step(desk), answer.reference)
                await desk.show_dashboard(at=now())
            elif reference is not None:
                await desk.show([reference])
    except Exception as fault:  # noqa: BLE001 - the step is done whatever the desk can show of it, and a round shows it later
        get_run_logger().warning("Le bureau n’a pas pu être mis à jour (%s) : une ronde le fera.", type(fault).__name__)


async def log_answer(state: RunState[None], run_id: str | None) -> None:
    """Write the answer of a run in its log too: that is what its page opens on."""
    if not settings().desk or run_id is None:
        return
    event = {"name": "jalon", "level": logging.INFO if state.is_completed() else logging.ERROR, "timestamp": now(), "flow_run_id": run_id}
    logs = [LogCreate.model_validate({**event, "message": line}) for line in (state.message or "").splitlines()]
    with suppress(Exception):  # the state of the run says the same
        async with get_client() as client:
            await client.create_logs(logs)


def _in_a_round(home: Home, desk: Desk) -> Follow:
    """Many dossiers may wait: they are checked here, in one run, and not by a run for each."""

    async def follow(reference: str, parcels: Sequence[Parcel]) -> Checked:
        found = check(home, reference)
        if found.holds:  # else the dossier may not even be legible
            await desk.show([reference])  # first, so that whoever hears of the event finds it
            await desk.announce(parcels, checked=True)
        return found

    return follow


def _after_a_step(desk: Desk) -> Follow:
    """Whoever waits for the run is not kept waiting: the event starts the checks."""

    async def follow(reference: str, parcels: Sequence[Parcel]) -> Checked:
        await desk.show([reference])
        await desk.offer({State(state) for parcel in parcels for state in (parcel.entry.source, parcel.entry.dest)})
        await desk.announce(parcels, checked=False)
        return Checked(holds=True, message="annoncé")

    return follow


async def _run_checks(reference: str, _parcels: Sequence[Parcel]) -> Checked:
    state = await checks(reference, return_state=True)
    if state.name not in ("Completed", "Broken"):
        raise Unreachable(state.message or "Le contrôle n’a pas abouti.")
    return Checked(holds=state.is_completed(), message=state.message or "Le contrôle n’a pas abouti.")
