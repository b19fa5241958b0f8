"""Lives that were lived under an earlier law still verify, add up to the same facts, and can be shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drawing import draws
from forging import entries_of, rechain
from golden_lives import SUMS, Golden, facts_told, golden, restored, summed
from hypothesis import given
from hypothesis import strategies as st
from playing import enrolled
from walks import AT, Walk
from witness import drop_triggers, dump

from flows.cli import proving, reading
from flows.desk import dossier_page
from flows.home import Home
from flows.settings import settings as settings_of
from models.answers import Invalid
from models.database.store import Store
from models.ledger.codec import COLLECTIONS
from models.verify.proof import ONCE, Verifier, chain_faults
from models.verify.redeciding import redecided
from states.journal.fold import Unreadable, folded
from states.journal.kinds import KINDS, NOUNS
from states.journal.upcasting import fact_as_read, kind_as_read
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.values.law import FIRST_LAW, LAW
from states.vocabulary import State

LIVES = golden()


def test_a_golden_file_is_never_rewritten() -> None:
    """Whoever adds a file adds its sum; nobody changes one. `python tests/support/golden_lives.py` writes those of a new law."""
    kept = dict(reversed(line.split("  ")) for line in SUMS.read_text(encoding="utf-8").splitlines())
    assert kept == summed()


def test_the_golden_lives_know_every_step_and_every_end() -> None:
    """Also every way in which an attempt ends, a delegation, a code, and an undo that names another entry than the last."""
    entries = [entry for life in LIVES if life.law == LAW for entry in life.entries]
    assert {entry.trigger for entry in entries if entry.is_done} == set(STEPS)
    assert {entry.outcome for entry in entries} == {"done", "refused", "conflict"}
    for field in ("on_behalf_of", "registered", "roles", "objection", "proof", "undoes"):
        assert any(getattr(entry, field) is not None for entry in entries), field
    assert any(entry.undoes is not None and entry.undoes < entry.n - 1 for entry in entries)


def test_everything_that_a_dossier_has_is_compared_and_nothing_is_listed_twice() -> None:
    """What no journal holds is its secret and who its trainees are; findings are compared apart."""
    kinds = set(KINDS)
    assert kinds | set(ONCE) | {"reference", "pepper", "identity_digests", "findings"} == set(Partnership._fields)
    assert set(NOUNS) == kinds == set(COLLECTIONS)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: f"{life.law}-{life.reference}")
def test_a_golden_life_adds_up_to_the_facts_it_had(life: Golden) -> None:
    assert list(chain_faults(life.reference, life.rows)) == []
    told = facts_told(folded(life.reference, life.entries))
    assert (told["state"], told["version"]) == (life.facts["state"], life.facts["version"])
    assert told["facts"] == dict(as_today(life))


def as_written(values: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in values.items() if value is not None}


def as_today(life: Golden) -> Iterator[tuple[str, dict[str, Any]]]:
    """The facts that a life had, in the words of the law in force; what holds nothing is left out."""
    for name, facts in life.facts["facts"].items():
        today = kind_as_read(name, life.law)
        if today in KINDS:
            yield today, {number: as_written(fact_as_read(name, values, life.law, new=True)) for number, values in facts.items()}
        elif today is not None:
            yield today, facts


@pytest.mark.parametrize("life", LIVES, ids=lambda life: f"{life.law}-{life.reference}")
def test_the_law_of_its_number_decides_a_golden_life_as_it_was_decided(life: Golden) -> None:
    found = redecided(life.reference, life.entries)
    assert [one.sentence for one in found.anomalies] == []
    assert found.again + sum(many for _, many in found.left) == len(life.rows)


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    url = {"JALON_DATABASE_URL": request.getfixturevalue("postgresql_url")} if request.param == "postgresql" else {}
    home = Home(settings_of({"JALON_HOME": str(tmp_path), **url}), create=True)
    yield home
    home.store.close()


@pytest.mark.parametrize("law", range(FIRST_LAW, LAW + 1))
def test_golden_lives_put_into_a_database_verify_and_are_shown(home: Home, law: int) -> None:
    """Those of one law at a time: each law lives the same references again."""
    lives = [life for life in LIVES if life.law == law]
    enrolled(home.store)  # the entries say by which register they were decided
    for life in lives:
        restored(home.store, life)
    assert {fault for one in home.verifier.verify_all() for fault in one.faults} == set()
    for life in lives:
        shown = "\n".join(reading.show(home, life.reference).lines)
        page, _ = dossier_page.page(home, life.reference, at=AT, form=lambda *_: None)
        for entry in life.entries:
            assert entry.label in shown
        assert life.rows[-1][3] in page
        assert proving.verify(home, life.reference, law=True).code == 0
        assert home.views.why(life.reference, at=AT).partnership.state == life.facts["state"]


def changed(life: Golden, place: int, bit: int) -> list[tuple[int, str, str, str]]:
    """The rows of a life with one bit of its file changed."""
    content = bytearray("".join(f"{digest} {entry}\n" for _, _, entry, digest in life.rows).encode())
    content[place % len(content)] ^= 1 << bit
    lines = content.decode("utf-8", errors="replace").split("\n")
    found = [(n, line.partition(" ")[2], line.partition(" ")[0]) for n, line in enumerate(lines, start=1) if line]
    keys = {n: key for n, key, _, _ in life.rows}
    return [(n, keys.get(n, ""), entry, digest) for n, entry, digest in found]


@draws(300)
@given(place=st.integers(0, 1_000_000), bit=st.integers(0, 7))
def test_one_changed_bit_of_a_golden_journal_is_named_in_one_sentence(place: int, bit: int) -> None:
    life = next(life for life in LIVES if life.reference == "CDG-REPRISES-2025")
    rows = changed(life, place, bit)
    faults = list(chain_faults(life.reference, rows))
    assert len(faults) == 1
    assert faults[0].startswith("Entrée ")
    assert faults[0].endswith(".")


BAD_FACTS: list[tuple[dict[str, Any], str]] = [
    ({"law": LAW + 2}, f"loi (n° {LAW + 2})"),
    ({"law": 0}, "loi (n° 0)"),
    ({"facts": {"avoirs": {"1": {}}}}, "d’une sorte que ce jalon ne connaît pas (« avoirs »)"),
    ({"facts": {"committees": {"1": {"colour": "red"}}}}, "un fait qu’il enregistre ne se relit pas"),
    ({"facts": {"committees": {"first": {"held_on": "2026-03-10"}}}}, "ne se relisent pas"),
    ({"facts": {"committees": {"1": {"held_on": "10/03/2026"}}}}, "un fait qu’il enregistre ne se relit pas"),
    ({"facts": {"terms": {"1": {"rate": "beaucoup"}}}}, "ne se relisent pas"),
    ({"facts": {"dossier": {"pepper": "00"}}}, "ne se relisent pas"),
    ({"facts": {"dossier": {"entered_on": "demain"}}}, "ne se relisent pas"),
    ({"facts": {"findings": {"X": {"severity": "warn"}}}}, "ne se relisent pas"),
    ({"facts": []}, "ne se relisent pas"),
    ({"facts": {"committees": "none"}}, "ne se relisent pas"),
    ({"dest": "nulle part"}, "un état que ce jalon ne connaît pas (« nulle part »)"),
]


@pytest.mark.parametrize("in_force", [LAW, LAW + 1])
@pytest.mark.parametrize(("change", "sentence"), BAD_FACTS, ids=lambda value: str(value)[:60])
def test_an_entry_that_tells_of_unknown_things_is_unreadable_in_words(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], sentence: str, in_force: int
) -> None:
    """Under the law in force, and once it is an earlier one."""
    for module in ("states.journal.fold", "states.journal.upcasting"):
        monkeypatch.setattr(f"{module}.LAW", in_force)
    life = next(life for life in reversed(LIVES) if life.reference == "CDG-REPRISES-2025")
    entries = life.entries
    entries[7] = entries[7]._replace(**change)
    with pytest.raises(Unreadable) as refused:
        folded(life.reference, entries)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_law_is_named_by_the_proof_and_nothing_changes(store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    drop_triggers(store)
    told = entries_of(store)
    told[2]["law"] = LAW + 1
    rechain(store, told)
    before = dump(store)
    (fault,) = Verifier(store).verify(walk.reference).faults
    assert fault.startswith("Entrée 3 du journal : elle se dit décidée sous une loi que ce jalon ne connaît pas")
    with pytest.raises(Invalid, match="ne se relit pas"):
        walk.ask("undo", entry=4)
    assert dump(store) == before
