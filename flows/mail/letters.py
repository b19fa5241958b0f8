"""The words of a notification, in French: what happened, who did it, what is up to the reader, and the head of the chain."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flows.ports.mail import Letter
from models.outbox import Parcel
from models.people.register import Person
from states.engine.decide import why_not
from states.grammar.case import Actor
from states.grammar.deadlines import PARIS, due_on
from states.grammar.step import Step
from states.lifecycle import STEPS, steps_from
from states.partnership import Partnership
from states.values.french import day, euros
from states.vocabulary import Role, State


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
        f"Faite par {told['actor']} ({Role(told['role']).label}){_lent(told)}, saisie le {day(recorded.date())} à {recorded:%H:%M}.",
        *_details(told, step),
        *told.get("notes", ()),
        *(f"À savoir : {reason['reason']}" for reason in told["reasons"]),
        "",
        *_up_to_you(told, role, person, partnership),
        f"Empreinte du journal à l’entrée {told['n']} : {parcel.digest}",
        "Gardez ce message : cette empreinte permet de prouver, plus tard, que le journal n’a pas été réécrit",
        f"(jalon verify {told['reference']} --digest suivi de l’empreinte).",
        "",
        "Message automatique de jalon.",
    ]
    subject = f"[{parcel.reference}] {step.label} : étape faite"
    return Letter(parcel.key, person.name, person.mail, subject, "\n".join(lines) + "\n", recorded)


# What the reader of a letter needs of a request; never what concerns a trainee.
TOLD = ("motive", "number", "amount", "order_number", "slip_number", "fiscal_year", "accounting_reference")


def _details(told: dict[str, Any], step: Step) -> list[str]:
    """« Motif : pièce manquante. », for each field of the request that matters to the reader."""
    if step.asks.personal:
        return []
    kept = [name for name in TOLD if name not in step.asks.unsaid]
    asked = {name: told["request"][name] for name in kept if told["request"].get(name)}
    if "amount" in asked:
        asked["amount"] = euros(Decimal(asked["amount"]))
    return [f"{(step.asks.model_fields[name].title or name).removesuffix(', en euros')} : {value}." for name, value in asked.items()]


def _lent(told: dict[str, Any]) -> str:
    return f", par délégation de {told['on_behalf_of']}" if told.get("on_behalf_of") else ""


def _what_happened(told: dict[str, str]) -> str:
    before, after = State(told["from"]), State(told["to"])
    if before is after:
        return f"Un fait nouveau est consigné au dossier {told['reference']}, qui reste « {after.label} »."
    if before is State.UNOPENED:
        return f"Le dossier {told['reference']} est ouvert ; il est « {after.label} »."
    return f"Le dossier {told['reference']} est passé de l’état « {before.label} » à l’état « {after.label} »."


def _up_to_you(told: dict[str, str], role: Role, person: Person, partnership: Partnership) -> list[str]:
    """What the reader may do next, as long as the dossier has not moved on; whoever certified is not asked to order."""
    if partnership.state != told["to"]:
        return []  # the dossier has moved on since
    at = datetime.fromisoformat(told["recorded_at"])
    actor = Actor(person.name, frozenset(person.roles))
    steps = [step for step in steps_from(partnership.state) if role in step.by and step.dest]
    steps = [step for step in steps if all(one.code != "SAME_PERSON" for one in why_not(partnership, step, at=at, actor=actor))]
    if not steps:
        return []
    lines = ["Ce que vous pouvez faire maintenant :"]
    for step in steps:
        due = due_on(step.within, partnership)
        lines.append(f"  - {step.label}{f', attendu le {day(due)}' if due else ''}")
    return [*lines, f"Ce qui manque encore se lit avec : jalon why {told['reference']}", ""]
