"""Delivers what the outbox holds, at least once: letters to people, and what follows each step. Needs no Prefect."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from flows.home import Home
from flows.mail.letters import notification
from flows.mail.people import mistaken_letter
from flows.ports import mail
from flows.ports.clock import now
from flows.review import Checked
from models.answers import Invalid
from models.database.faults import Unreachable
from models.outbox import Held, Parcel
from states.values.french import counted
from states.vocabulary import Role

HELD_AT_MOST = 100  # parcels that are told one by one


class Delivered(NamedTuple):
    """What one round delivered, how many parcels wait for a person, and how many for another try; `held` are the first of these."""

    letters: int
    checked: int
    broken: tuple[str, ...]
    given_up: int
    still_held: int = 0
    held: tuple[Held, ...] = ()

    @property
    def message(self) -> str:
        done = (
            counted(self.letters, "courrier envoyé", "courriers envoyés"),
            counted(self.checked, "dossier contrôlé", "dossiers contrôlés"),
        )
        task = f" {counted(self.given_up, 'envoi abandonné attend', 'envois abandonnés attendent')} une personne." if self.given_up else ""
        later = f" {counted(self.still_held, 'envoi attend', 'envois attendent')} un nouvel essai." if self.still_held else ""
        return f"{', '.join(done)}.{later}{task}{' '.join(('', *self.broken))}"


# What follows the steps of one dossier, for all its parcels at once: the checks, or the pages and events of a desk.
Follow = Callable[[str, Sequence[Parcel]], Awaitable[Checked]]


async def deliver_all(home: Home, follow: Follow) -> Delivered:
    """Deliver until nothing is due. What cannot be done is tried again later; in the end it is a person's task."""
    letters, checked = _warned(home), 0
    broken: list[str] = []
    while parcels := home.outbox.take(now=now(), lease=secrets.token_hex(16)):
        letters += sum(_post(home, parcel) for parcel in parcels if parcel.kind == "tell")
        steps = [parcel for parcel in parcels if parcel.kind == "check"]
        for reference in dict.fromkeys(parcel.reference for parcel in steps):
            found = await followed(home, follow, reference, [step for step in steps if step.reference == reference])
            checked += found is not None
            broken += [f"{reference} : {found.message}"] if found is not None and not found.holds else []
    held = home.outbox.held(HELD_AT_MOST)
    return Delivered(letters, checked, tuple(broken), home.outbox.dead(), home.outbox.still_held(), held)


async def follow_at_once(home: Home, follow: Follow, reference: str) -> None:
    """Do now what follows the steps of one dossier. Nothing is marked: when the lease is over, a round makes sure of it."""
    parcels = home.outbox.take(now=now(), lease=secrets.token_hex(16), follows=reference)
    if parcels:
        await follow(reference, parcels)


async def followed(home: Home, follow: Follow, reference: str, parcels: Sequence[Parcel]) -> Checked | None:
    """Do what follows one dossier's parcels; None when it could not be done, to be tried again."""
    try:
        found = await follow(reference, parcels)
    except Exception as fault:  # noqa: BLE001 - one dossier must not hold up the others
        for parcel in parcels:
            home.outbox.failed(parcel, _in_short(fault), now=now())
        return None
    for parcel in parcels:
        if found.holds:
            home.outbox.sent(parcel, now=now())
        else:
            home.outbox.failed(parcel, found.message, now=now(), for_good=True)
    return found


def _warned(home: Home) -> int:
    """Tell those in whose name wrong codes are given, once an hour; how many letters."""
    written = 0
    for name, failures in home.register.mistaken():
        hour = (failures.at or "")[:13]
        if not home.marks.take("codes", f"{name}.{hour}", now=now()):
            continue
        try:
            letter = mistaken_letter(home.register.person(name), failures, now())
            mail.write(letter, folder=home.settings.mail_dir, sender=home.settings.mail_from)
        except Unreachable:
            home.marks.drop("codes", f"{name}.{hour}")  # tried again by the next round
            continue
        home.marks.tell("codes", f"{name}.{hour}", "écrit", now=now())
        written += 1
    return written


def _in_short(fault: Exception) -> str:
    """A sentence that is meant for people, or the kind of the fault: the message of a driver may quote a row."""
    return str(fault) if isinstance(fault, Unreachable | Invalid) else type(fault).__name__


def _post(home: Home, parcel: Parcel) -> int:
    """Send one parcel to everybody who holds its role; the number of letters sent."""
    role = Role(parcel.role or "")
    people = home.register.holding(role)
    if not people:
        home.outbox.failed(parcel, f"Personne n’a le rôle {role.label} au registre.", now=now())
        return 0
    try:
        partnership = home.views.partnership(parcel.reference)
        for person in people:
            letter = notification(parcel, person, role, partnership)
            mail.write(letter, folder=home.settings.mail_dir, sender=home.settings.mail_from)
    except Exception as fault:  # noqa: BLE001 - one letter must not hold up the others
        home.outbox.failed(parcel, _in_short(fault), now=now())
        return 0
    home.outbox.sent(parcel, now=now())
    return len(people)
