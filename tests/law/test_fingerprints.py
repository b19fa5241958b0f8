"""Nobody changes the law without its number: what it says is held by fingerprints, and what was written before stays readable."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from fingerprints import KEPT, changes, check, fingerprint, kept, told, unread

from states.journal import upcasting
from states.journal.entry import Entry, Facts
from states.journal.fold import Fold, Unreadable, blank
from states.journal.kinds import KINDS
from states.journal.upcasting import Added, Dropped, DroppedKind, Renamed, RenamedKind, Reread, fact_as_read, request_as_read
from states.lifecycle import GUARDS, ROWS
from states.values.law import FIRST_LAW, LAW

TERMS = kept(1)["facts"]["terms"]


def test_the_law_in_force_is_the_one_of_its_number() -> None:
    """When this fails: the law has changed without its number. `python tests/support/fingerprints.py --check` says what to do."""
    assert check() == []


def test_every_law_has_fingerprints_that_stay() -> None:
    assert sorted(path.stem for path in KEPT.iterdir()) == [f"law-{number}" for number in range(FIRST_LAW, LAW + 1)]


def test_the_fingerprints_of_an_earlier_law_are_never_rewritten() -> None:
    """Each law holds the sum of the fingerprints of the one before."""
    for number in range(FIRST_LAW + 1, LAW + 1):
        assert kept(number)["follows"] == hashlib.sha256((KEPT / f"law-{number - 1}.json").read_bytes()).hexdigest()


def test_the_fingerprints_name_every_fact_request_record_and_rule() -> None:
    now = fingerprint()
    assert set(now["facts"]) == {*KINDS, "dossier"}
    assert set(now["requests"]) == {row.asks.__name__ for row in ROWS}
    assert set(now["steps"]) == {row.trigger for row in ROWS}
    named = " ".join(now["code"])
    assert all(f"what {row.trigger} writes" in named for row in ROWS)
    assert all(f"what {code} demands" in named for code in GUARDS)


def test_a_difference_is_named_by_what_it_is() -> None:
    was, now = kept(LAW), kept(LAW)
    now["facts"]["trainees"] = now["facts"]["trainees"] | {"rank": "str", "colour": "str"}
    now["steps"].pop("sign")
    now["code"]["what settle writes (settlement)"] = "0"
    assert changes(was, now, ("facts", "requests", "steps", "code")) == [
        "fact trainees: colour, rank",
        "step sign",
        "what settle writes (settlement)",
    ]


def test_differences_are_told_one_a_line_the_likely_cause_first_and_never_by_the_hundred() -> None:
    rules = [f"what RULE_{n} demands" for n in range(1, 100)]
    lines = told(["step sign", *rules, "the states (State)", "what a rule sees (Case)"]).splitlines()
    assert lines[:3] == [
        "Most of it because of the states (State), which nearly everything uses.",
        "  - the states (State)",
        "  - what a rule sees (Case)",
    ]
    assert (lines[3], lines[-1], len(lines)) == ("  - step sign", "  and 92 more (--all names them)", 12)
    assert told(["step sign", "what a rule sees (Case)"]) == "  - what a rule sees (Case)\n  - step sign"


NEXT: dict[str, tuple[dict[str, str], tuple[upcasting.Change, ...], list[str]]] = {
    "a field is added and its past said": (TERMS | {"grant": "int"}, (Added("terms", "grant", 0),), []),
    "a field is added and its past not said": (TERMS | {"grant": "int"}, (), ["terms.grant"]),
    "a field is renamed": (
        {"ceiling" if name == "cap" else name: kind for name, kind in TERMS.items()},
        (Renamed("terms", "cap", "ceiling"),),
        [],
    ),
    "a field is renamed and nobody says so": (
        {"ceiling" if name == "cap" else name: kind for name, kind in TERMS.items()},
        (),
        ["terms.cap", "terms.ceiling"],
    ),
    "a field changes its type and is reread": (TERMS | {"cap": "str"}, (Reread("terms", "cap", str),), []),
    "a field changes its type": (TERMS | {"cap": "str"}, (), ["terms.cap"]),
    "a field is dropped": ({name: kind for name, kind in TERMS.items() if name != "cap"}, (Dropped("terms", "cap"),), []),
    "a field is gone": ({name: kind for name, kind in TERMS.items() if name != "cap"}, (), ["terms.cap"]),
}


@pytest.mark.parametrize("case", NEXT)
def test_a_new_law_says_how_the_past_of_every_field_is_read(case: str) -> None:
    terms, said, missing = NEXT[case]
    assert unread({"terms": TERMS}, {"terms": terms, "stars": {"light": "int"}}, said) == missing


@pytest.fixture
def law_3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two more laws: the second adds and renames, the third rereads what the second has named."""
    said: dict[int, tuple[upcasting.Change, ...]] = {
        2: (
            Added("committees", "room", "salle du conseil"),
            Renamed("committees", "minutes", "minutes_sha256"),
            Added("Opening", "place", "Béthune"),
            Renamed("DossierFile", "terms.amount", "rate"),
            Reread("TraineesRetained", "trainees.rank", int),
        ),
        3: (Reread("committees", "minutes_sha256", str.lower), Dropped("committees", "room"), Reread("DossierFile", "terms.rate", str)),
    }
    for module in ("states.journal.upcasting", "states.journal.fold"):
        monkeypatch.setattr(f"{module}.LAW", 3)
    monkeypatch.setattr("states.journal.upcasting.CHANGES", said)


def entry(law: int, facts: Facts) -> Entry:
    nothing = dict.fromkeys(Entry._fields)
    return Entry(**nothing | {"dest": "acted", "version": 1, "n": 1, "law": law, "facts": facts})


@pytest.mark.usefixtures("law_3")
def test_a_fact_is_read_through_every_law_since() -> None:
    assert fact_as_read("committees", {"minutes": "AB"}, 1, new=True) == {"minutes_sha256": "ab"}
    assert fact_as_read("committees", {"minutes_sha256": "AB", "room": "B2"}, 2, new=True) == {"minutes_sha256": "ab"}
    assert fact_as_read("committees", {"minutes_sha256": "AB"}, 3, new=True) == {"minutes_sha256": "AB"}
    assert fact_as_read("documents", {"title": "AB"}, 1, new=True) == {"title": "AB"}


def test_a_kind_that_is_gone_is_said_to_be_dropped_or_renamed() -> None:
    assert unread({"terms": TERMS}, {}, ()) == ["terms"]
    assert unread({"terms": TERMS}, {}, (DroppedKind("terms"),)) == []
    assert unread({"terms": TERMS}, {"conditions": TERMS}, (RenamedKind("terms", "conditions"),)) == []


@pytest.mark.usefixtures("law_3")
def test_facts_of_a_kind_that_is_gone_are_read_no_more_and_those_of_a_renamed_one_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {2: (RenamedKind("meetings", "committees"), DroppedKind("stars"), Renamed("committees", "minutes", "minutes_sha256"))}
    monkeypatch.setattr("states.journal.upcasting.CHANGES", said)
    fold = Fold(blank("ESSAI-1"))
    fold.add(entry(1, {"meetings": {"1": {"held_on": "2026-03-10", "minutes": "ab"}}, "stars": {"1": {"light": 3}}}))
    assert [(one.number, one.minutes_sha256) for one in fold.partnership.committees] == [(1, "ab")]


@pytest.mark.usefixtures("law_3")
def test_what_is_only_changed_of_a_fact_gets_no_field_that_it_did_not_change() -> None:
    assert fact_as_read("committees", {"held_on": "2026-03-10"}, 1, new=False) == {"held_on": "2026-03-10"}


@pytest.mark.usefixtures("law_3")
def test_a_request_is_read_through_every_law_since_inside_its_groups_and_lists_too() -> None:
    assert request_as_read("Opening", {"hours": 3}, 1) == {"hours": 3, "place": "Béthune"}
    asked: dict[str, Any] = {"terms": {"amount": 2000}, "reference": "X"}
    assert request_as_read("DossierFile", asked, 1) == {"terms": {"rate": "2000"}, "reference": "X"}
    assert asked == {"terms": {"amount": 2000}, "reference": "X"}  # what was written stays
    assert request_as_read("TraineesRetained", {"trainees": [{"rank": "3"}, {"rank": None}]}, 1) == {
        "trainees": [{"rank": 3}, {"rank": None}]
    }


@pytest.mark.usefixtures("law_3")
def test_a_life_may_hold_entries_of_several_laws() -> None:
    fold = Fold(blank("ESSAI-1"))
    fold.add(entry(1, {"committees": {"1": {"held_on": "2026-03-10", "minutes": "AB"}}}))
    fold.add(entry(2, {"committees": {"2": {"held_on": "2026-04-10", "minutes_sha256": "CD", "room": "B2"}}}))
    fold.add(entry(3, {"committees": {"1": {"minutes_sha256": "EF"}, "2": None}}))
    assert [(one.number, one.minutes_sha256) for one in fold.partnership.committees] == [(1, "EF")]
    with pytest.raises(Unreadable, match="loi"):
        fold.add(entry(4, {}))
