"""Another centre lives in the same database with terms of its own: CDG 62 is the first row, and nothing but data."""

from __future__ import annotations

import itertools
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cigognes import (
    AT,
    BEFORE_THE_MONEY,
    CENTRE_SIRET,
    DUE,
    MONEY,
    PEOPLE,
    REFERENCE,
    SECOND_IBAN,
    SESSION,
    UNIVERSITY_SIRET,
)
from enlisting import enlist
from stdnum.fr import siret

from flows.cli.renewing import renewed
from flows.demo import story
from models.answers import Done
from models.database.store import Store
from models.ledger.dossiers import Dossiers
from models.ledger.ledger import Ledger
from models.verify.proof import Verifier
from states.board.appeals import Windows, windows
from states.grammar.guard import Refused
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.payment.calculation import ceiling, entitlement
from states.vocabulary import Role, State

ROOT = Path(__file__).parents[2]
keys = itertools.count(1)


def ask(ledger: Ledger, reference: str, trigger: str, asked: dict[str, Any], people: dict[Role, str]) -> Any:
    content = dict(asked)
    actor = content.pop("as", None) or people[STEPS[trigger].by[0]]
    request = STEPS[trigger].asks.model_validate(content)
    return ledger.fire(reference, trigger, request, actor=actor, at=AT, key=f"centres-{next(keys)}")


def lived(store: Store, *steps: tuple[str, dict[str, Any]]) -> Partnership:
    """The dossier of the Cigognes after `steps`, beside the one of CDG 62 as its resolution tells it."""
    ledger = Ledger(store)
    for people in (story.PEOPLE, PEOPLE):
        for role, name in people.items():
            enlist(store, name, f"{name.split()[0].lower()}@essai.example", [role])
    for scene in story.PAST:
        assert isinstance(ask(ledger, story.REFERENCE, scene.trigger, scene.request, story.PEOPLE), Done)
    for trigger, asked in steps:
        answer = ask(ledger, REFERENCE, trigger, asked, PEOPLE)
        assert isinstance(answer, Done), (trigger, answer)
        assert answer.warnings == ()
    return loaded(store, REFERENCE)


def loaded(store: Store, reference: str) -> Partnership:
    with store.transaction(write=False) as cursor:
        found = Dossiers(store).load(cursor, reference)
    assert found is not None
    return found.partnership


def test_the_numbers_of_the_invented_centre_are_valid_and_not_those_of_the_first_one() -> None:
    assert siret.is_valid(CENTRE_SIRET)
    assert siret.is_valid(UNIVERSITY_SIRET)
    assert not {CENTRE_SIRET, UNIVERSITY_SIRET} & {story.CDG_SIRET, story.UNIVERSITY_SIRET}


def test_another_centre_is_paid_by_its_own_terms_and_the_first_one_notices_nothing(store: Store) -> None:
    partnership = lived(store, *BEFORE_THE_MONEY)
    of_cdg_62 = loaded(store, story.REFERENCE)
    due = entitlement(partnership)
    assert {line.trainee: str(line.unit) for line in due.lines} == {
        **dict.fromkeys(range(1, 9), "1400.00"), 3: "525.00",
        9: "0.00", 10: "0.00", **dict.fromkeys(range(11, 15), "900.00"), 15: "0.00",
    }  # fmt: skip
    others = {line.trainee: line.status for line in due.lines if not line.counted}
    assert others == {9: "OUTSIDE_DEPARTMENT", 10: "WITHDRAWN", 15: "OVER_CAP"}
    assert (due.eligible, due.subsidised, str(due.amount), str(ceiling(partnership))) == (13, 12, DUE, "18000.00")
    ledger = Ledger(store)
    for trigger, asked in MONEY:
        assert isinstance(ask(ledger, REFERENCE, trigger, asked, PEOPLE), Done), trigger
    closed = loaded(store, REFERENCE)
    (settlement,) = closed.settlements
    assert (closed.state, settlement.paid, settlement.ceiling) == (State.CLOSED, Decimal(DUE), Decimal("18000.00"))
    assert loaded(store, story.REFERENCE) == of_cdg_62
    assert of_cdg_62.terms_in_force.rate == Decimal("2000.00")
    assert [(one.reference, one.faults) for one in Verifier(store).verify_all()] == [(REFERENCE, ()), (story.REFERENCE, ())]


def test_its_quorum_is_half_plus_one_with_proxies_and_that_of_the_first_centre_is_not(store: Store) -> None:
    lived(store, BEFORE_THE_MONEY[0])
    short = {"held_on": "2025-09-25", **SESSION, "proxies": SESSION["proxies"][:1], "votes_for": 9}
    answer = ask(Ledger(store), REFERENCE, "approve", short, PEOPLE)
    assert isinstance(answer, Refused)
    assert [one.code for one in answer.reasons] == ["NO_QUORUM"]
    assert "10 présents, pouvoirs compris, pour 20 sièges, il en faut 11" in answer.reasons[0].reason


def test_its_windows_end_after_good_friday_which_is_a_holiday_there_and_not_in_the_first_centre(store: Store) -> None:
    partnership = lived(store, *BEFORE_THE_MONEY[:8])
    act = partnership.acts[1]
    assert windows(act, partnership.appeals, partnership.centre.calendar or "") == Windows(date(2026, 4, 7), date(2026, 3, 31))
    calendar_of_cdg_62 = loaded(store, story.REFERENCE).centre.calendar or ""
    assert windows(act, partnership.appeals, calendar_of_cdg_62).third_parties_until == date(2026, 4, 3)  # Good Friday


def test_the_next_year_opens_as_a_new_dossier_with_the_same_terms_and_the_account_that_was_confirmed(store: Store) -> None:
    partnership = lived(store, *BEFORE_THE_MONEY, *MONEY)
    file = renewed(partnership)
    following = "CDG-DES-CIGOGNES-2026"
    assert file["reference"] == following
    assert isinstance(ask(Ledger(store), following, "open", file, PEOPLE), Done)
    new, old = loaded(store, following), partnership
    year = {"academic_year": "2026-2027", "year_starts_on": date(2026, 9, 1), "year_ends_on": date(2027, 8, 31)}
    assert new.terms == (old.terms_in_force._replace(**year, takes_effect_on=date(2026, 9, 1)),)
    assert new.payee == ("Agence comptable", SECOND_IBAN) == old.payee
    assert new.centre == old.centre
    assert (new.state, new.imported, new.acts, new.trainees) == (State.PROPOSED, False, (), ())
    assert Verifier(store).verify(following).faults == ()


# What may be said of the first centre outside of its data: examples in forms and sentences, the title of its demo, its resolution.
CENTRE = re.compile(r"CDG ?62|Artois|Pas-de-Calais|(?<![0-9.])62[0-9]{3}(?![0-9])|[\"']62[\"']|40 ?000[.,]00", re.IGNORECASE)
EXAMPLES = {
    "states/values/fields.py": ["40000.00"],
    "states/values/french.py": ["62119", "CDG62-ARTOIS-DUSGM-2025", "40000.00", "40 000,00"],
    "states/dossier/requests.py": ["CDG62-ARTOIS-DUSGM-2025"],
    "states/trainees/requests.py": ["Par exemple 62119 pour Béthune"],
    "flows/demo/demo.py": ["la convention CDG 62 - Université d’Artois"],
    "flows/intake/sheet_template.py": ["62400.0 is « 62400 »", "par exemple 62119 pour Béthune"],
}
SOURCES = [path for folder in ("states", "models", "flows") for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_program_knows_the_first_centre_but_from_its_data(path: Path) -> None:
    if path == ROOT / "flows" / "demo" / "story.py":
        return  # the data of the demo
    text = path.read_text(encoding="utf-8")
    for example in EXAMPLES.get(str(path.relative_to(ROOT)), []):
        text = text.replace(example, "")
    assert CENTRE.findall(text) == []
