"""An undo next to an independent model: the same life, lived without the step."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drawing import draws
from hypothesis import event, given
from hypothesis import strategies as st
from taking_back import DRAWN, OMAR, codes, holds, onward
from walks import RIGHT, Walk
from witness import fresh

from models.answers import Answer, Done
from models.database.store import Store, sqlite_url
from states.partnership import Partnership
from states.vocabulary import State

references = itertools.count(1)


def lived(store: Store, reference: str, steps: list[tuple[str, dict[str, Any]]]) -> tuple[Walk, list[Answer]]:
    """A dossier in which these steps were asked, one after the other."""
    walk = Walk(store, reference)
    walk.do("open", terms=RIGHT["open"]["terms"] | {"dropout_policy": "full", "payee_cooling_days": 0})
    return walk, [walk.ask(trigger, **how) for trigger, how in steps]


def alike_in(name: str, partnership: Partnership, fact: Any) -> dict[str, Any]:
    """The fields of a fact that are told otherwise to compare two lives."""
    places = {act.number: place for place, act in enumerate(partnership.acts)}
    return {"commitment": ""} if name == "trainees" else {"act": places[fact.act]} if name == "appeals" else {}


def alike(partnership: Partnership) -> dict[str, Any]:
    """What two lives have in common, whatever the numbers of their facts; findings are those of the facts."""
    told = {}
    for name, value in partnership._asdict().items():
        if name in ("reference", "version", "pepper", "identity_digests", "findings"):
            continue
        several = isinstance(value, tuple) and value and hasattr(value[0], "number")
        told[name] = [one._replace(number=0, **alike_in(name, partnership, one)) for one in value] if several else value
    return told


@pytest.fixture
def elsewhere(tmp_path: Path, sqlite_blank: Path) -> Iterator[Store]:
    """Another database: an invoice is received once in one."""
    shutil.copyfile(sqlite_blank, tmp_path / "elsewhere.db")
    store = Store(sqlite_url(tmp_path / "elsewhere.db"))
    yield store
    store.close()


@draws(60)
@given(steps=st.lists(st.sampled_from(DRAWN), min_size=8, max_size=26), choice=st.integers(0, 1000))
def test_what_is_left_after_an_undo_is_the_life_without_the_step(sqlite: Store, elsewhere: Store, steps: list[str], choice: int) -> None:
    walk = Walk(sqlite, f"ESSAI-{next(references)}")
    walk.do("open", terms=RIGHT["open"]["terms"] | {"dropout_policy": "full", "payee_cooling_days": 0})
    done: list[tuple[int, str, dict[str, Any]]] = []
    for place, drawn in enumerate(steps):
        partnership = fresh(walk).partnership
        trigger = onward(partnership) if drawn == "onward" else drawn
        if trigger in ("undo", "review_findings") or partnership.state is State.ORDERED:
            continue
        how = asked(walk, trigger, partnership, place)
        answer = walk.ask(trigger, **how)
        if isinstance(answer, Done):
            done.append((answer.n, trigger, how))
    if not done:
        return
    n, trigger, _ = done[choice % len(done)]
    answer = walk.ask("undo", actor=OMAR, entry=n)
    event(type(answer).__name__)
    holds(walk)
    if not isinstance(answer, Done):
        assert set(codes(answer)) <= {"STILL_RELIED_ON", "MONEY_MOVED"}
        return
    event(f"{trigger}, {len(done) - [one[0] for one in done].index(n) - 1} steps later")
    # A deliberation that was taken back leaves a gap in the numbers, which the other life does not have.
    acts = {act.number: place for place, act in enumerate(fresh(walk).partnership.acts, start=1)}
    left = [(step, how | ({"act": acts[how["act"]]} if "act" in how else {})) for one, step, how in done if one != n]
    other, answers = lived(elsewhere, f"ESSAI-{next(references)}", left)
    assert all(isinstance(one, Done) for one in answers)
    assert alike(fresh(other).partnership) == alike(fresh(walk).partnership)


def asked(walk: Walk, trigger: str, partnership: Partnership, place: int) -> dict[str, Any]:
    """The request of one step, with nothing in it that depends on what another life holds."""
    how: dict[str, Any] = {}
    if trigger in ("transmit_act", "publish_act", "record_appeal"):
        how["act"] = partnership.acts[-1].number if partnership.acts else 1
    if trigger == "retain_trainee":
        how |= {"given_name": f"Zoé {place}", "number": 100 + place, "rank": place + 1}
    if trigger == "retain_trainees":
        people = RIGHT["retain_trainees"]["trainees"]
        how["trainees"] = [one | {"given_name": f"Alix {place}", "number": 1000 + 2 * place + at} for at, one in enumerate(people)]
    if trigger in ("verify_residence", "record_dropout", "correct_trainee", "exclude_trainee") and partnership.trainees:
        how["trainee"] = partnership.trainees[place % len(partnership.trainees)].number
    if trigger == "receive_invoice":
        how |= {"number": f"{walk.reference}-{place}", "document_sha256": f"{walk.reference}{place}".encode().hex().ljust(64, "0")}
    return how
