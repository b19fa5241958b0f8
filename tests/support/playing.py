"""How a whole life of `lives.py` is played on a ledger, each scene ending as it says."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import cigognes
from enlisting import TEST_VAULT, Enlisted, enlist_all
from lives import ALL, PEOPLE, SECOND_OFFICER, SECRETS, Life, recovered

from flows.demo import story
from flows.ports.gazetteer import communes
from models.answers import Answer, Conflict, Done
from models.database.store import Store
from models.ledger.ledger import Ledger
from models.people.codes import Shown, code_at
from models.people.register import CLOCK
from states.grammar.guard import Refused
from states.lifecycle import STEPS
from states.vocabulary import Role

BEGAN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def counting() -> Callable[[int], str]:
    """Salts that are the same each time: a golden life hides nobody."""
    numbers = itertools.count(1)
    return lambda size: hashlib.sha512(f"golden {next(numbers)}".encode()).hexdigest()[: 2 * size]


def enrolled(store: Store) -> None:
    """The people of all lives."""
    found = [
        Enlisted(
            name, f"{role.value}.{name.split()[0].lower()}@essai.example".encode("ascii", "ignore").decode(), [role], SECRETS.get(name)
        )
        for people in (story.PEOPLE, PEOPLE, cigognes.PEOPLE)
        for role, name in people.items()
    ]
    second = Enlisted(SECOND_OFFICER, "tancrede@essai.example", [Role.TRAINING_OFFICER, Role.FINANCE_OFFICER], SECRETS[SECOND_OFFICER])
    enlist_all(store, [*found, second])


def played(store: Store, lives: dict[str, tuple[Life, ...]]) -> None:
    """Play whole lives; each scene must end as it says."""
    enrolled(store)
    ledger, minutes = Ledger(store, vault=TEST_VAULT, entropy=counting(), gazetteer=communes), itertools.count()
    for reference, scenes in lives.items():
        for place, scene in enumerate(scenes):
            answer = _asked(ledger, reference, scene, f"{reference}:{place}", BEGAN + timedelta(minutes=next(minutes)))
            assert ended(answer) == scene.ends, (reference, place, scene.trigger, answer)
        if scenes is ALL:
            _money_back(ledger, reference, BEGAN + timedelta(minutes=next(minutes)))


def _money_back(ledger: Ledger, reference: str, at: datetime) -> None:
    """The amount to recover is the ledger's own."""
    from models.read.views import Views

    owed = Views(ledger.store).partnership(reference).recoveries[-1].amount
    for place, scene in enumerate(recovered(str(owed))):
        answer = _asked(ledger, reference, scene, f"{reference}:back:{place}", at + timedelta(seconds=place))
        assert ended(answer) == scene.ends, answer


def _asked(ledger: Ledger, reference: str, scene: Life, key: str, at: datetime) -> Answer:
    content = {name: value for name, value in scene.request.items() if value is not None}
    if content.get("entry", 0) < 0:
        content["entry"] += _next_entry(ledger, reference)
    who: Any = scene.person or (CLOCK if scene.trigger == "review_findings" else PEOPLE[STEPS[scene.trigger].by[0]])
    code = code_at(SECRETS[who], at) if scene.coded == "right" else scene.coded
    return ledger.fire(
        reference,
        scene.trigger,
        STEPS[scene.trigger].asks.model_validate(content),
        actor=who,
        at=at,
        key=scene.key or key,
        via="golden",
        expected_version=scene.seen,
        shown=Shown(code, at) if code else None,
    )


def _next_entry(ledger: Ledger, reference: str) -> int:
    with ledger.store.transaction(write=False) as cursor:
        loaded = ledger.dossiers.load(cursor, reference)
    assert loaded is not None
    return loaded.n + 1


def ended(answer: Answer) -> tuple[str, ...]:
    """How an answer ended, as a scene says it."""
    if isinstance(answer, Refused):
        return tuple(one.code for one in answer.reasons)
    assert isinstance(answer, Done | Conflict)
    return () if isinstance(answer, Done) else ("conflict",)
