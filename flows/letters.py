"""The words of a notification, in French: what happened, who did it, what is up to the reader, and the head of the chain."""

from __future__ import annotations

from datetime import date, datetime

from flows.ports.mail import Letter
from models.outbox import Parcel
from models.people import Person
from states.delays import PARIS, due_on
from states.facts import Partnership, Role, State
from states.french import day
from states.lifecycle import STEPS, steps_from


def notification(parcel: Parcel, person: Person, role: Role, partnership: Partnership) -> Letter:
    """The letter that tells `person`, as a holder of `role`, about the journal entry of `parcel`."""
    told = parcel.told
    step = STEPS[told["trigger"]]
    recorded = datetime.fromisoformat(told["recorded_at"]).astimezone(PARIS)
    lines = [
        f"Bonjour {person.name},",
        "",
        _what_happened(told),
        "",
        f"Étape : {step.label}, en date du {day(date.fromisoformat(told['effective_on']))}.",
        f"Faite par {told['actor']} ({Role(told['role']).label}), saisie le {day(recorded.date())} à {recorded:%H:%M}.",
        *(f"À savoir : {reason['reason']}" for reason in told["reasons"]),
        "",
        *_up_to_you(told, role, partnership),
        f"Empreinte du journal à l’entrée {told['n']} : {parcel.digest}",
        "Gardez ce message : cette empreinte permet de prouver, plus tard, que le journal n’a pas été réécrit.",
        "",
        "Message automatique de jalon.",
    ]
    subject = f"[{parcel.reference}] {step.label} : étape faite"
    return Letter(parcel.key, person.name, person.mail, subject, "\n".join(lines) + "\n", recorded)


def _what_happened(told: dict[str, str]) -> str:
    before, after = State(told["from"]), State(told["to"])
    if before is after:
        return f"Un fait nouveau est consigné au dossier {told['reference']}, qui reste « {after.label} »."
    if before is State.UNOPENED:
        return f"Le dossier {told['reference']} est ouvert ; il est « {after.label} »."
    return f"Le dossier {told['reference']} est passé de « {before.label} » à « {after.label} »."


def _up_to_you(told: dict[str, str], role: Role, partnership: Partnership) -> list[str]:
    """What the reader may do next; with a date as long as the dossier has not moved on."""
    steps = [step for step in steps_from(State(told["to"])) if role in step.by and not step.is_recording]
    if not steps:
        return []
    lines = ["Ce que vous pouvez faire maintenant :"]
    for step in steps:
        due = due_on(step.within, partnership) if partnership.state == told["to"] else None
        lines.append(f"  - {step.label}{f', au plus tard le {day(due)}' if due else ''}")
    return [*lines, f"Ce qui manque encore se lit avec : jalon why {told['reference']}", ""]
