"""The words of a notification, in French: what happened, who did it, what is up to the reader, and the head of the chain."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from flows.ports.mail import Letter
from flows.wording import actor_label
from models.outbox import Parcel
from models.people.register import Person
from states.engine.decide import why_not
from states.grammar.case import Actor
from states.grammar.deadlines import PARIS, due_on
from states.grammar.step import Step
from states.journal.entry import Entry
from states.lifecycle import STEPS, steps_from
from states.partnership import Partnership
from states.values.french import day, euros
from states.vocabulary import Role, State


def notification(parcel: Parcel, person: Person, role: Role, partnership: Partnership) -> Letter:
    """The letter that tells `person`, as a holder of `role`, about the journal entry of `parcel`."""
    entry = parcel.entry
    step = STEPS[entry.trigger]
    recorded = datetime.fromisoformat(entry.recorded_at).astimezone(PARIS)
    lines = [
        f"Bonjour {person.name},",
        "",
        _what_happened(entry),
        "",
        f"Étape : {step.label}, en date du {day(date.fromisoformat(entry.effective_on))}.",
        f"Faite par {actor_label(entry)}, saisie le {day(recorded.date())} à {recorded:%H:%M}.",
        *_details(entry, step),
        *(entry.notes or ()),
        *(f"À savoir : {reason['reason']}" for reason in entry.reasons),
        "",
        *_up_to_you(entry, role, person, partnership),
        f"Empreinte du journal à l’entrée {entry.n} : {parcel.digest}",
        "Gardez ce message : cette empreinte permet de prouver, plus tard, que le journal n’a pas été réécrit",
        f"(jalon verify {entry.reference} --digest suivi de l’empreinte).",
        "",
        "Message automatique de jalon.",
    ]
    subject = f"[{parcel.reference}] {step.label} : étape faite"
    return Letter(parcel.key, person.name, person.mail, subject, "\n".join(lines) + "\n", recorded)


# What the reader of a letter needs of a request; never what concerns a trainee.
SHOWN = ("motive", "number", "amount", "order_number", "slip_number", "fiscal_year", "accounting_reference")


def _details(entry: Entry, step: Step) -> list[str]:
    """« Motif : pièce manquante. », for each field of the request that matters to the reader."""
    if step.asks.personal:
        return []
    fields = {name: value for name in SHOWN if name not in step.asks.unsaid and (value := entry.request.get(name))}
    if "amount" in fields:
        fields["amount"] = euros(Decimal(str(fields["amount"])))
    return [f"{(step.asks.model_fields[name].title or name).removesuffix(', en euros')} : {value}." for name, value in fields.items()]


def _what_happened(entry: Entry) -> str:
    before, after = State(entry.source), State(entry.dest)
    if before is after:
        return f"Un fait nouveau est consigné au dossier {entry.reference}, qui reste « {after.label} »."
    if before is State.UNOPENED:
        return f"Le dossier {entry.reference} est ouvert ; il est « {after.label} »."
    return f"Le dossier {entry.reference} est passé de l’état « {before.label} » à l’état « {after.label} »."


def _up_to_you(entry: Entry, role: Role, person: Person, partnership: Partnership) -> list[str]:
    """What the reader may do next, as long as the dossier has not moved on; whoever certified is not asked to order."""
    if partnership.state != entry.dest:
        return []  # the dossier has moved on since
    at = datetime.fromisoformat(entry.recorded_at)
    actor = Actor(person.name, frozenset(person.roles))
    steps = [step for step in steps_from(partnership.state) if role in step.by and step.dest]
    steps = [step for step in steps if all(reason.code != "SAME_PERSON" for reason in why_not(partnership, step, at=at, actor=actor))]
    if not steps:
        return []
    lines = ["Ce que vous pouvez faire maintenant :"]
    for step in steps:
        due = due_on(step.within, partnership)
        lines.append(f"  - {step.label}{f', attendu le {day(due)}' if due else ''}")
    return [*lines, f"Ce qui manque encore se lit avec : jalon why {entry.reference}", ""]
