"""Another centre lives in the same database with terms of its own: CDG 62 is the first row, and nothing but data."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from stdnum.fr import siret

from flows import story
from flows.renewing import renewed
from models.answers import Done
from models.dossiers import Dossiers
from models.ledger import Ledger
from models.people import Register
from models.store import Store
from models.verify import Verifier
from states.appeals import Windows, windows
from states.calculation import ceiling, entitlement
from states.facts import Partnership
from states.guard import Refused
from states.lifecycle import STEPS
from states.words import Role, State

ROOT = Path(__file__).parent.parent
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
REFERENCE = "CDG-DES-CIGOGNES-2025"
CENTRE_SIRET, UNIVERSITY_SIRET = "00000091900019", "00000093500015"
FIRST_IBAN, SECOND_IBAN = "FR7610278030000002012340151", "FR7630087330000001020304521"
SHA = {name: f"{number:x}" * 64 for number, name in enumerate(("convention", "facture", "résultat", "attestation", "RIB"), start=1)}
PEOPLE = {
    Role.TRAINING_OFFICER: "Thea",
    Role.BOARD_SECRETARY: "Sven",
    Role.FINANCE_OFFICER: "Frida",
    Role.AUTHORISING_OFFICER: "Otto",
    Role.PUBLIC_ACCOUNTANT: "Cleo",
}
DOSSIER: dict[str, Any] = {
    "reference": REFERENCE,
    "opened_on": "2025-09-15",
    "parties": {
        "cdg": {"name": "Centre de gestion des Cigognes", "siret": CENTRE_SIRET, "department": "68", "calendar": "alsace-moselle"},
        "university": {
            "name": "Université des Cigognes",
            "siret": UNIVERSITY_SIRET,
            "payee": {"holder": "Agent comptable des Cigognes", "iban": FIRST_IBAN},
        },
    },
    "terms": {
        "academic_year": "2025-2026",
        "rate": "1500.00",
        "cap": 12,
        "department": "68",
        "amount_mode": "capped_at_fee",
        "fees": {"continuing": "1400.00", "initial": "900.00"},
        "dropout_policy": "prorata",
        "quorum_rule": "half_plus_one",
        "proxies_count": True,
        "nature": "service",
        "payment_days": 45,
        "payee_cooling_days": 0,
    },
}
# Of 20 seats, half plus one is 11: nine members are there, and carry two proxies.
BOARD = [f"Élu {number}" for number in range(1, 21)]
SESSION = {
    "seats": 20,
    "present": BOARD[:9],
    "absent": BOARD[9:],
    "proxies": [{"giver": BOARD[9], "holder": BOARD[0]}, {"giver": BOARD[10], "holder": BOARD[1]}],
    "votes_for": 10,
    "votes_against": 1,
}
SIGNED = {
    "signed_on": "2025-11-03",
    "signatories": [
        {"party": "cdg", "name": "É. Klein", "title": "Président"},
        {"party": "university", "name": "M. Roth", "title": "Vice-présidente"},
    ],
    "document_sha256": SHA["convention"],
    "points": ["audience", "objectives", "course", "steering", "commitments", "finance"],
}
CONDITIONS = {"rate": "1500.00", "cap": 12, "department": "68", "academic_year": "2025-2026"}
# Ranks 1 to 8 are paid for in continuing training, the others in initial training. The ninth lives in another department.
HOMES = ["68224"] * 8 + ["67482"] + ["68066"] * 6
TRAINEES = [
    {
        "family_name": f"Storch-{rank}",
        "given_name": "Lise",
        "born_on": "1992-02-29",
        "rank": rank,
        "fee_regime": "continuing" if rank <= 8 else "initial",
        "insee": insee,
        "retained_on": "2026-01-30",
    }
    for rank, insee in enumerate(HOMES, start=1)
]
BEFORE_THE_MONEY: list[tuple[str, dict[str, Any]]] = [
    ("open", DOSSIER),
    ("approve", {"held_on": "2025-09-25", **SESSION}),
    ("transmit_act", {"transmitted_on": "2025-09-29", "receipt_number": "AR-68-1"}),
    ("publish_act", {"published_on": "2025-09-30", "address": "https://cigognes.example/actes/1"}),
    ("sign", SIGNED),
    ("act", {"held_on": "2026-01-29", **SESSION, "conditions": CONDITIONS}),
    ("transmit_act", {"transmitted_on": "2026-01-30", "receipt_number": "AR-68-2"}),
    ("publish_act", {"published_on": "2026-02-02", "address": "https://cigognes.example/actes/2"}),
    ("retain_trainees", {"trainees": TRAINEES}),
    *(
        ("verify_residence", {"trainee": number, "insee": insee, "evidence_kind": "utility_bill", "verified_on": "2026-02-03"})
        for number, insee in enumerate(HOMES, start=1)
    ),
    ("record_dropout", {"trainee": 10, "left_on": "2026-02-06", "reason": "employer"}),  # before the start
    ("start_training", {"starts_on": "2026-02-09", "ends_on": "2026-06-26", "hours": 200}),
    ("record_dropout", {"trainee": 3, "left_on": "2026-04-20", "hours_done": 75, "reason": "resignation"}),
    ("complete_training", {"ended_on": "2026-06-26", "attestation_sha256": SHA["attestation"]}),
    ("present_result", {"presented_on": "2026-07-02", "document_sha256": SHA["résultat"]}),
]
# Eight in continuing training at 1,400, but one of them for 75 of 200 hours; four in initial training at 900: the cap of 12 is
# reached, and the fifteenth waits. 7 x 1,400 + 1,400 x 75 / 200 + 4 x 900 = 9,800 + 525 + 3,600.
DUE = "13925.00"
MONEY: list[tuple[str, dict[str, Any]]] = [
    ("propose_payee", {"holder": "Agence comptable", "iban": SECOND_IBAN, "document_sha256": SHA["RIB"], "proposed_on": "2026-07-02"}),
    (
        "confirm_payee",
        {"called_on": "2026-07-03", "contact": "Agence comptable", "iban": SECOND_IBAN, "confirmed_on": "2026-07-06", "as": "Otto"},
    ),
    (
        "receive_invoice",
        {
            "number": "2026/68",
            "issued_on": "2026-07-06",
            "amount": DUE,
            "supplier_siret": UNIVERSITY_SIRET,
            "iban": SECOND_IBAN,
            "document_sha256": SHA["facture"],
        },
    ),
    ("settle", {"certified_on": "2026-07-08"}),
    ("order_payment", {"order_number": "68-1", "slip_number": "68", "fiscal_year": 2026, "ordered_on": "2026-07-15"}),
    ("pay", {"paid_on": "2026-07-20", "amount": DUE, "accounting_reference": "C-68"}),
    ("close", {"closed_on": "2026-07-31"}),
]
keys = itertools.count(1)


def ask(ledger: Ledger, reference: str, trigger: str, asked: dict[str, Any], people: dict[Role, str]) -> Any:
    content = dict(asked)
    actor = content.pop("as", None) or people[STEPS[trigger].by[0]]
    request = STEPS[trigger].asks.model_validate(content)
    return ledger.fire(reference, trigger, request, actor=actor, at=AT, key=f"centres-{next(keys)}")


def lived(store: Store, *steps: tuple[str, dict[str, Any]]) -> Partnership:
    """The dossier of the Cigognes after `steps`, beside the one of CDG 62 as its resolution tells it."""
    ledger, register = Ledger(store), Register(store)
    for people in (story.PEOPLE, PEOPLE):
        for role, name in people.items():
            register.add(name, f"{name.split()[0].lower()}@essai.example", [role])
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
    "states/fields.py": ["40000.00"],
    "states/french.py": ["62119", "CDG62-ARTOIS-DUSGM-2025", "40000.00", "40 000,00"],
    "states/requests.py": ["CDG62-ARTOIS-DUSGM-2025"],
    "states/trainee_requests.py": ["Par exemple 62119 pour Béthune"],
    "flows/demo.py": ["la convention CDG 62 - Université d’Artois"],
    "flows/ports/sheet_template.py": ["62400.0 is « 62400 »", "par exemple 62119 pour Béthune"],
}
SOURCES = [path for folder in ("states", "models", "flows") for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_program_knows_the_first_centre_but_from_its_data(path: Path) -> None:
    if path == ROOT / "flows" / "story.py":
        return  # the data of the demo
    text = path.read_text(encoding="utf-8")
    for example in EXAMPLES.get(str(path.relative_to(ROOT)), []):
        text = text.replace(example, "")
    assert CENTRE.findall(text) == []
