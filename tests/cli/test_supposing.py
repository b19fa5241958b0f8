"""`jalon entitlement` and `jalon renew`: the sum explained and supposed, and next year's dossier."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from walks import RIGHT, Walk
from witness import dump

from flows.cli.command import run
from models.database.store import Store, sqlite_url
from states.vocabulary import State

REFERENCE = "CDG62-ESSAI-2025"
FEES = {"continuing": "3822.00", "initial": "1911.00"}
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def house(tmp_path: Path) -> Store:
    """Three trainees: one counts, one lives elsewhere, one waits behind a cap of one."""
    store = Store(sqlite_url(tmp_path / "jalon.db"), create=True)
    walk = Walk(store, REFERENCE)
    walk.do("open", terms=RIGHT["open"]["terms"] | {"cap": 1, "fees": FEES})
    walk.do("approve")
    for number, insee in enumerate(("62119", "59350", "62041"), start=1):
        walk.do("retain_trainee", given_name=f"Zoé {number}", rank=number, fee_regime="initial")
        walk.do("verify_residence", trainee=number, insee=insee)
    return store


@pytest.fixture
def say(house: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.setenv("JALON_HOME", str(tmp_path))
    monkeypatch.delenv("JALON_DATABASE_URL", raising=False)

    def typed(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


def supposed(say: Say, *words: str) -> dict[str, Any]:
    code, out, err = say("entitlement", REFERENCE, *(("--what-if", *words) if words else ()), "--json")
    assert code == 0, err
    told: dict[str, Any] = json.loads(out)
    return told


def test_the_breakdown_has_the_promised_shape_in_the_order_of_the_ranks(say: Say) -> None:
    told = supposed(say)
    assert list(told) == ["eligible", "subsidised", "amount", "lines"]
    assert (told["eligible"], told["subsidised"], told["amount"]) == (2, 1, "2000.00")
    assert [list(line) for line in told["lines"]] == [["trainee", "rank", "counted", "status", "reason", "unit"]] * 3
    assert [(line["trainee"], line["counted"], line["unit"]) for line in told["lines"]] == [
        (1, True, "2000.00"),
        (2, False, "0.00"),
        (3, False, "0.00"),
    ]


def test_a_person_reads_who_counts_and_why_and_the_sum(say: Say) -> None:
    code, out, _ = say("entitlement", REFERENCE)
    assert code == 0
    assert "réside hors du département de la convention" in out
    assert "1 stagiaire subventionné sur 2 éligibles" in out


@pytest.mark.parametrize(
    ("suppositions", "amount"),
    [
        (["cap=2"], "4000.00"),
        (["rate=1500"], "1500.00"),
        (["amount_mode=capped_at_fee"], "1911.00"),
        (["amount_mode=capped_at_fee", "cap=2", "fee_initial=100.50"], "201.00"),
        (["cap=20", "trainees=+3"], "10000.00"),
        (["trainees=+0"], "2000.00"),
        (["trainees=3", "cap=20"], "4000.00"),
        (["cap=20", "trainees=21"], "40000.00"),
    ],
)
def test_a_supposition_gives_the_sum_as_it_would_be_and_says_what_it_is(say: Say, suppositions: list[str], amount: str) -> None:
    told = supposed(say, *suppositions)
    assert (told["amount"], told["without_supposition"], told["supposed"]) == (amount, "2000.00", suppositions)


def test_fewer_trainees_than_there_are_are_not_supposed(say: Say) -> None:
    code, out, err = say("entitlement", REFERENCE, "--what-if", "trainees=2")
    assert (code, out) == (2, "")
    assert err == "Le dossier a déjà 3 stagiaires : trainees=2 en suppose moins ; trainees=+2 en ajoute.\n"


def test_a_supposition_changes_nothing(say: Say, house: Store) -> None:
    before = dump(house)
    supposed(say, "cap=2", "trainees=+5", "dropout_policy=none")
    assert dump(house) == before


@pytest.mark.parametrize("wrong", ["cap", "cap=deux", "colour=red", "trainees=-1", "amount_mode=free", "rate=1.005", "dropout_policy="])
def test_a_supposition_that_is_none_is_told_in_one_sentence(say: Say, wrong: str) -> None:
    code, out, err = say("entitlement", REFERENCE, "--what-if", wrong)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_the_terms_in_force_on_another_day_can_be_asked(say: Say, house: Store) -> None:
    walk = Walk(house, REFERENCE)
    walk.acts = 1
    for trigger in ("transmit_act", "publish_act", "sign"):
        walk.do(trigger)
    walk.do("amend", takes_effect_on="2026-03-01", changes={"cap": 2})
    days = {day: json.loads(say("entitlement", REFERENCE, "--on", day, "--json")[1])["amount"] for day in ("2026-02-28", "2026-03-01")}
    assert days == {"2026-02-28": "2000.00", "2026-03-01": "4000.00"}


def test_the_next_year_is_opened_with_the_same_parties_and_terms(say: Say) -> None:
    assert say("renew", REFERENCE, "--as", "Tania")[0] == 0
    told = json.loads(say("show", "CDG62-ESSAI-2026", "--json")[1])
    terms = told["terms"]
    assert (told["state"], terms["academic_year"], terms["year_starts_on"]) == (State.PROPOSED.value, "2026-2027", "2026-09-01")
    assert (terms["rate"], terms["cap"], terms["fee_initial"]) == ("2000.00", 1, "1911.00")
    assert told["trainees"] == []


def test_a_reference_that_holds_no_year_needs_another_one(say: Say) -> None:
    assert say("renew", REFERENCE, "--as", "Tania", "--new-reference", "SUITE")[0] == 0
    code, _, err = say("renew", "SUITE", "--as", "Tania")
    assert code == 2
    assert "--new-reference" in err
