"""The demo's whole story (61 steps, 23 trainees), fired on any ledger: what the bench measures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from flows.bench.timing import timed
from flows.demo import story
from models.answers import Done
from models.database.store import Store
from models.ledger.ledger import Ledger
from models.people.register import Founder, Register
from states.grammar.request import Request
from states.lifecycle import STEPS
from states.vocabulary import Role

LIVES = 30
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


Figures = dict[str, float | str | None]  # what one measure gives, by name
Measures = dict[str, Figures | None]  # by name; None: not measured here


class Asked(NamedTuple):
    """One transition of the story, ready to fire."""

    trigger: str
    person: str
    request: Request


def whole_story(reference: str) -> list[Asked]:
    """Every accepted transition of the demo, for a dossier of another reference."""
    officer = Role.TRAINING_OFFICER
    scenes = [
        *story.PAST,
        *(story.Scene("retain_trainee", officer, request) for request in story.trainees()),
        *(story.Scene("verify_residence", officer, request) for request in story.residences()),
        *story.TRAINING,
        *(scene for scene in story.MONEY if not scene.refused),
    ]
    transitions = []
    for scene in scenes:
        content = dict(scene.request)
        if scene.trigger == "open":
            content["reference"] = reference
        if scene.trigger == "receive_invoice":
            content |= {"number": f"{reference}-1", "document_sha256": story.stand_in(reference)}
        transitions.append(Asked(scene.trigger, story.PEOPLE[scene.role], STEPS[scene.trigger].asks.model_validate(content)))
    return transitions


def fired(ledger: Ledger, reference: str, transitions: list[Asked]) -> float:
    """Fire a whole story; the seconds it took."""
    return sum(step(ledger, reference, place, transition) for place, transition in enumerate(transitions))


def step(ledger: Ledger, reference: str, place: int, transition: Asked) -> float:
    """Fire one step of a story; the seconds it took."""
    trigger, person, request = transition
    answer, took = timed(lambda: ledger.fire(reference, trigger, request, actor=person, at=AT, key=f"{reference}:{place}", via="bench"))
    assert isinstance(answer, Done), answer  # a refused story would be fast, and mean nothing
    return took


def peopled(store: Store) -> Ledger:
    """A ledger on an empty database, with the people of the story."""
    people = [Founder(name, f"{role.value.replace('_', '-')}@bench.invalid", (role,)) for role, name in story.PEOPLE.items()]
    Register(store).found(people, at=AT, via="bench")
    return Ledger(store)


def lives(store: Store) -> list[str]:
    """The demo's whole life, `LIVES` times; the references."""
    ledger = peopled(store)
    references = [f"BENCH-{number}" for number in range(1, LIVES + 1)]
    for reference in references:
        fired(ledger, reference, whole_story(reference))
    return references
