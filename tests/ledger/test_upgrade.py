"""A database of before is brought forward with its data: same facts, same history, same pages."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from enlisting import opened_secrets
from golden_lives import OLD_DATABASE
from old_databases import AT, BEFORE, old_file, old_postgresql, opened, rows_of
from witness import child

from flows.cli import reading
from flows.cli.doctor import examined
from flows.desk import dossier_page
from flows.home import Home
from flows.ports.clock import now
from flows.settings import settings
from models.answers import Done
from models.database.faults import Unreachable
from models.database.store import Store, Upgrading, sqlite_url
from models.tables import SCHEMA
from models.verify.proof import Verifier
from models.verify.redeciding import redecided
from states.lifecycle import STEPS

pytestmark = pytest.mark.long  # databases of before
CARRIED = "carry_over"


def test_the_old_file_is_of_the_schema_that_version_0_1_0_made() -> None:
    with closing(sqlite3.connect(f"{OLD_DATABASE.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        entries = [json.loads(entry) for (entry,) in database.execute("SELECT entry FROM journal")]
    assert not any("law" in entry or "facts" in entry for entry in entries)
    assert {entry["trigger"] for entry in entries} == set(STEPS)


def test_every_row_of_before_stays_and_the_old_entries_to_the_byte(old: str) -> None:
    before = rows_of(old)
    opened(old).close()
    after = rows_of(old)
    for name in before.keys() - {"alembic_version", "partnerships", "journal"}:
        assert [row[: len(before[name][0])] for row in opened_secrets(name, after[name])] == before[name], name
    assert set(before["journal"]) < set(after["journal"])
    assert len(after["journal"]) == len(before["journal"]) + len(before["partnerships"])
    same = [(row[0], *row[1:5], row[7:9]) for row in before["partnerships"]]  # all but the number and the head of the last entry
    assert [(row[0], *row[1:5], row[7:9]) for row in after["partnerships"]] == same
    assert after["alembic_version"] == [(SCHEMA,)]


def test_every_dossier_of_before_verifies_and_its_facts_are_carried_over_whole(old: str) -> None:
    store = opened(old)
    verifier = Verifier(store)
    assert verifier.references() == sorted(BEFORE)
    for reference in verifier.references():
        proof, entries = verifier.proved(reference)
        assert proof.faults == ()
        assert (entries[-1].trigger, entries[-1].law, entries[-1].faults) == (CARRIED, 1, None)
        assert not any(entry.facts is not None for entry in entries[:-1])
        found = redecided(reference, entries)
        assert (found.again, found.anomalies) == (0, ())
    store.close()


def without_the_carry_over(page: dict[str, Any]) -> dict[str, Any]:
    assert page["history"][-1]["trigger"] == CARRIED
    return {**page, "history": page["history"][:-1]}


def test_a_dossier_shows_the_same_before_and_after(old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same facts, history, findings, sums, people and pages: only the line of the upgrade is new, and with it the head."""
    monkeypatch.setattr(dossier_page, "LINES_AT_MOST", dossier_page.LINES_AT_MOST + 1)  # the new line hides no old one
    home = Home(settings({"JALON_HOME": str(tmp_path), "JALON_DATABASE_URL": old}), agreed=True)
    for reference, before in BEFORE.items():
        dossier = home.views.dossier(reference, on=date(2026, 11, 25))
        assert json.loads(json.dumps(without_the_carry_over(dossier.as_json()))) == before["show"]
        assert [person.as_json() for person in home.views.people(reference)] == before["people"]
        assert home.views.entitlement(reference, on=date(2026, 11, 25)) == before["entitlement"]
        assert reading.money(dossier.partnership) == before["money"]
        assert plain(reading.timeline(dossier.history)[:-1]) == plain(before["timeline"])
        assert "Reprendre le journal d’avant" in reading.timeline(dossier.history)[-1]
        assert but_undo(json.loads(json.dumps(home.views.why(reference, at=AT).as_json()))) == but_undo(before["why"])
        text_now, _ = dossier_page.page(home, reference, at=AT, form=lambda *_: None)
        assert set(lines_of(before["page"])) - set(lines_of(text_now)) <= NO_LONGER_SAID
    home.store.close()


# Where nothing was ever paid, a rule says why since; and an attempt without a proof is no longer told as the deed of whom it names.
NO_LONGER_SAID = {
    "- Ordonner une récupération",
    "- Reconnaître un stagiaire inéligible",
    "| 64 | 30/06/2026 | 23/11/2026 11:08 | Mandater la subvention | refusé (`PERSON_UNPROVED`) | Ornella (ordonnateur) |",
}


def but_undo(why: dict[str, Any]) -> dict[str, Any]:
    """What may come next, but for the undo, which has another label and another rule now, and for a rule that is new since."""
    left = [step for step in why["next"] if step["trigger"] != "undo"]
    return {**why, "next": [{**step, "unmet": [one for one in step["unmet"] if one["code"] != "NOTHING_PAID"]} for step in left]}


def plain(timeline: list[str]) -> list[str]:
    """The lines of a timeline, whatever the widths of its columns, without the numbers of the undos that are now named."""
    unproved = re.compile(r"(?:quelqu’un au nom de )?(\w+)(?: \([^)]*\)|, sans preuve) refusé : PERSON_UNPROVED")  # is said otherwise since
    undone = re.compile(r" : annulé par l’entrée \d+$|annulé par l’entrée \d+ ; ")
    return [unproved.sub(r"\1 refusé", re.sub(r"\s+", " ", undone.sub("", line))) for line in timeline if not line.startswith("─")]


def lines_of(page: str) -> list[str]:
    """The lines of a page that say something of the dossier: not its head, nor the numbers of lines that are left out."""
    undone = re.compile(r", annulé par l’entrée \d+")
    return [
        undone.sub("", line) for line in page.splitlines() if not line.startswith(("Tête de la chaîne", "Et ")) and "Annuler" not in line
    ]


def test_a_copy_of_the_file_is_put_beside_it_first_for_its_owner_alone(tmp_path: Path) -> None:
    url = old_file(tmp_path / "old")
    before = rows_of(url)
    store = opened(url)
    assert store.upgraded is not None
    kept = store.upgraded.copy
    assert kept == tmp_path / "old" / "jalon.db.schema-0003"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    store.close()
    assert rows_of(sqlite_url(kept)) == before
    again = Store(url)
    assert again.upgraded is None
    again.close()


def test_postgresql_is_upgraded_after_an_instruction_and_a_yes(postgresql_url: str, tmp_path: Path) -> None:
    url = old_postgresql(postgresql_url)
    before = rows_of(url)
    for leave in (None, Upgrading(AT)):
        with pytest.raises(Unreachable) as refused:
            Store(url, upgrading=leave)
        assert "jalon upgrade" in str(refused.value)
    assert "pg_dump --format=custom --file=jalon-0003.dump" in str(refused.value)
    assert "jalon upgrade --yes" in str(refused.value)
    assert rows_of(url) == before
    environment = {"JALON_HOME": str(tmp_path), "JALON_DATABASE_URL": url}
    said = child(
        "from flows.cli.command import run; import sys; sys.exit(run(['upgrade', '--yes', '--json']))", **environment
    ).communicate()
    assert json.loads(said[0]) == {"schema": SCHEMA, "from": "0003", "copy": None}
    again = child("from flows.cli.command import run; import sys; sys.exit(run(['upgrade']))", **environment).communicate()
    assert again == (f"La base est déjà du schéma {SCHEMA}.\n", "")


def test_the_doctor_looks_at_a_database_of_before_and_changes_nothing(tmp_path: Path) -> None:
    url = old_file(tmp_path)
    before = rows_of(url)
    page = examined(settings({"JALON_HOME": str(tmp_path)}))
    assert "La base est du schéma 0003, d’avant ce jalon" in "\n".join(page.lines)
    assert rows_of(url) == before
    assert [path.name for path in tmp_path.iterdir()] == ["jalon.db"]


def test_a_step_of_before_is_taken_back_by_name_after_the_upgrade(old: str) -> None:
    """The entries of before hold no facts; the reader of their time tells what they led to."""
    home = Home(settings({"JALON_DATABASE_URL": old}), agreed=True)
    undoing = STEPS["undo"].asks
    before = home.views.partnership("CDG-ENCOURS-2025")

    def undo(entry: int, who: str = "Thaïs") -> Any:
        request = undoing.model_validate({"entry": entry, "motive": "Erreur"})
        return home.ledger.fire("CDG-ENCOURS-2025", "undo", request, actor=who, at=now(), key=f"undo-{entry}-{who}")

    assert isinstance(undo(11), Done)  # the dropout, with a committee after it
    after = home.views.partnership("CDG-ENCOURS-2025")
    assert before.trainee(1).left_on is not None
    assert after.trainee(1) == before.trainee(1)._replace(left_on=None, hours_done=None, left_because=None)
    assert after._replace(trainees=(), version=0, findings=()) == before._replace(trainees=(), version=0, findings=())
    refused = undo(2, "Ornella")
    assert "l’entrée 6 (« Acter la signature », par Basile) a fait avancer le dossier depuis" in refused.reasons[0].reason
    assert [reason.code for reason in undo(13).reasons] == ["NOTHING_TO_UNDO"]  # what was carried over
    assert home.verifier.verify("CDG-ENCOURS-2025").faults == ()
    home.store.close()
