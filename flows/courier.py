"""Delivers what the outbox holds, at least once: letters to people, and the checks that `check` makes. Needs no Prefect."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from flows.checking import Checked
from flows.home import Home
from flows.letters import notification
from flows.ports import mail
from flows.ports.clock import now
from models.outbox import Parcel
from models.store import Unreachable
from states.facts import Role
from states.french import counted


class Delivered(NamedTuple):
    """What one round delivered, and how many parcels wait for a person."""

    letters: int
    checked: int
    broken: tuple[str, ...]
    given_up: int

    @property
    def message(self) -> str:
        done = (
            counted(self.letters, "courrier envoyé", "courriers envoyés"),
            counted(self.checked, "dossier contrôlé", "dossiers contrôlés"),
        )
        task = f" {counted(self.given_up, 'envoi abandonné attend', 'envois abandonnés attendent')} une personne." if self.given_up else ""
        return f"{', '.join(done)}.{task}{' '.join(('', *self.broken))}"


async def deliver_all(home: Home, check: Callable[[str], Awaitable[Checked]]) -> Delivered:
    """Deliver until nothing is due. What cannot be sent is tried again later; in the end it is a person's task."""
    letters = checked = 0
    broken: list[str] = []
    while parcels := home.outbox.take(now=now(), lease=secrets.token_hex(16)):
        letters += sum(_post(home, parcel) for parcel in parcels if parcel.kind == "tell")
        to_check = [parcel for parcel in parcels if parcel.kind == "check"]
        for reference in dict.fromkeys(parcel.reference for parcel in to_check):
            found = await check(reference)
            checked += 1
            broken += [] if found.holds else [f"{reference} : {found.message}"]
            for parcel in (one for one in to_check if one.reference == reference):
                if found.holds:
                    home.outbox.sent(parcel, now=now())
                else:
                    home.outbox.failed(parcel, found.message, now=now(), for_good=True)
    return Delivered(letters, checked, tuple(broken), len(home.outbox.given_up()))


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
