"""Carries out what the outbox holds, at least once: letters to people, checks of dossiers."""

from __future__ import annotations

import secrets
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State as RunState
from prefect.states import Completed

from flows.checks import checks
from flows.home import Home, shared_home
from flows.letters import notification
from flows.ports import mail
from flows.ports.clock import now
from flows.settings import settings
from models.outbox import Parcel
from models.store import Unreachable
from states.facts import Role


@flow(name="deliver", description="Distribue ce que la boîte d’envoi contient : courriers et contrôles.", retries=3, retry_delay_seconds=10)
async def deliver() -> RunState[None]:
    """Deliver until nothing is due. A letter that cannot be sent is tried again later; in the end it is a person's task."""
    home = shared_home(settings())
    letters = checked = 0
    while parcels := home.outbox.take(now=now(), lease=secrets.token_hex(16)):
        letters += sum(_post(home, parcel) for parcel in parcels if parcel.kind == "tell")
        to_check = [parcel for parcel in parcels if parcel.kind == "check"]
        for reference in dict.fromkeys(parcel.reference for parcel in to_check):
            state = await checks(reference, return_state=True)
            checked += 1
            for parcel in to_check:
                if parcel.reference == reference:
                    _settle_check(home, parcel, state)
    waiting = home.outbox.given_up()
    task = f" {len(waiting)} envois abandonnés attendent une personne." if waiting else ""
    return Completed(message=f"{letters} courriers envoyés, {checked} dossiers contrôlés.{task}")


def _post(home: Home, parcel: Parcel) -> int:
    """Send one parcel to everybody who holds its role; the number of letters sent."""
    role = Role(parcel.role or "")
    people = home.register.holding(role)
    if not people:
        home.outbox.failed(parcel, f"Personne n’a le rôle {role.label} au registre.", now=now())
        return 0
    partnership = home.views.partnership(parcel.reference)
    try:
        for person in people:
            letter = notification(parcel, person, role, partnership)
            mail.write(letter, folder=home.settings.mail_dir, sender=home.settings.mail_from)
    except Unreachable as fault:
        home.outbox.failed(parcel, str(fault), now=now())
        return 0
    home.outbox.sent(parcel, now=now())
    return len(people)


def _settle_check(home: Home, parcel: Parcel, state: RunState[Any]) -> None:
    if state.is_completed():
        home.outbox.sent(parcel, now=now())
    else:
        home.outbox.failed(parcel, state.message or "Le contrôle n’a pas abouti.", now=now(), for_good=state.name == "Broken")
