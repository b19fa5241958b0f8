"""Edits of the law, each made to a copy of the sources: the past stays true, and nobody makes one without being told.

A copy of the program is edited and proves, in a process of its own: the golden lives add up and verify, the database of version 0.1.0
is brought forward, an undo is made, the round of the night goes through. What changed is told twice: by the fingerprints before
anything runs, and by deciding again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from edited import copied, python

from flows import rounds
from models.tables import SCHEMA
from states.values.law import FIRST_LAW, LAW

pytestmark = pytest.mark.long

PROVE = """
import asyncio, json, shutil, sys
from datetime import UTC, date, datetime
from pathlib import Path
from golden_lives import OLD_DATABASE, golden, newest, restored
from playing import enrolled
from flows import rounds
from flows.home import Home
from flows.settings import settings
from models.answers import Done
from models.verify.redeciding import redecided
from models.verify.proof import chain_faults
from states.journal.fold import folded
from states.lifecycle import STEPS
where = Path(sys.argv[1])
home = Home(settings({"JALON_HOME": str(where / "new")}), create=True)
enrolled(home.store)
told = {"faults": [], "anomalies": {}}
for life in golden():
    told["faults"] += chain_faults(life.reference, life.rows)
    folded(life.reference, life.entries)
    for one in redecided(life.reference, life.entries).anomalies:
        told["anomalies"].setdefault(one.label, []).append(one.sentence)
for life in newest():
    restored(home.store, life)
told["faults"] += [fault for one in home.verifier.verify_all() for fault in one.faults]
told["night"], told["ended"] = asyncio.run(rounds._nightly(home, date(2026, 11, 25)))
request = STEPS["undo"].asks.model_validate({"entry": 12, "motive": "Erreur"})
at = datetime(2026, 11, 25, 12, tzinfo=UTC)
answer = home.ledger.fire("CDG-ENCOURS-2025", "undo", request, actor="Ornella", at=at, key="undo")
told["undone"] = isinstance(answer, Done)
told["faults"] += home.verifier.verify("CDG-ENCOURS-2025").faults
(where / "old").mkdir()
shutil.copyfile(OLD_DATABASE, where / "old" / "jalon.db")
old = Home(settings({"JALON_HOME": str(where / "old")}))
told["faults"] += [fault for one in old.verifier.verify_all() for fault in one.faults]
answer = old.ledger.fire("CDG-ENCOURS-2025", "undo", request, actor="Ornella", at=max(at, datetime.now(UTC)), key="undo")
told["undone"] &= isinstance(answer, Done)
print(json.dumps(told))
"""


class Edit(NamedTuple):
    """One edit: the file, what stands there and what takes its place; the steps whose decisions it changes; what the check names."""

    path: str
    old: str
    new: str
    anomalies: frozenset[str]
    named: tuple[str, ...]


def edit(path: str, old: str, new: str, *named: str, anomalies: tuple[str, ...] = ()) -> Edit:
    return Edit(path, old, new, frozenset(anomalies), named)


ORDER, SETTLE, RESIDENCE = "Mandater la subvention", "Certifier le service fait et liquider", "Vérifier la résidence d’un stagiaire"
ORDER_NUMBER = '    order_number: Line = Field(title="Numéro du mandat")\n'
EDITS = {
    "a required field is added to a request": edit(
        "states/payment/requests.py",
        ORDER_NUMBER,
        ORDER_NUMBER + '    channel: Line = Field(title="Canal de transmission")\n',
        "request PaymentOrder: channel",
        anomalies=(ORDER,),
    ),
    "a line is limited to twenty characters": edit(
        "states/values/fields.py",
        "StringConstraints(strip_whitespace=True, min_length=1, max_length=200)",
        "StringConstraints(strip_whitespace=True, min_length=1, max_length=20)",
        "request PaymentOrder: order_number, slip_number",
        "request Attachment: title",
        anomalies=("Ouvrir le dossier", "Signer la convention"),
    ),
    "one euro is added to the ceiling": edit(
        "states/payment/calculation.py",
        "return max(terms.cap for terms in versions) * max(terms.rate for terms in versions)",
        "return max(terms.cap for terms in versions) * max(terms.rate for terms in versions) + 1",
        "what settle writes (settlement)",
        anomalies=(SETTLE,),
    ),
    "cents are rounded up": edit(
        "states/payment/calculation.py",
        ".quantize(CENT, ROUND_HALF_UP)",
        '.quantize(CENT, "ROUND_UP")',
        "what settle writes (settlement)",
        anomalies=(SETTLE,),
    ),
    "a rule demands more": edit(
        "states/board/rules.py",
        "def vote_is_adopted(case: Case) -> str | None:",
        "def vote_is_adopted(case: Case) -> str | None:\n    return 'Non.'\n\n\ndef as_it_was(case: Case) -> str | None:",
        "what NOT_ADOPTED demands (vote_is_adopted)",
        anomalies=("Approuver le partenariat", "Acter la signature", "Signer un avenant", "Résilier le partenariat"),
    ),
    "a step goes to somebody else": edit(
        "states/lifecycle.py",
        'Step("hold_committee", "Consigner un comité de pilotage", source=ONCE_ACTED, by=(TRAINING,),',
        'Step("hold_committee", "Consigner un comité de pilotage", source=ONCE_ACTED, by=(SECRETARY,),',
        "step hold_committee",
        anomalies=("Consigner un comité de pilotage",),
    ),
    "a record writes something else": edit(
        "states/trainees/records.py",
        '"verified_by": case.actor.name if case.actor else ""',
        '"verified_by": case.actor.name.upper() if case.actor else ""',
        "what verify_residence writes (residence)",
        anomalies=(RESIDENCE,),
    ),
    "a number of a bank is no longer checked": edit(
        "states/values/fields.py",
        "if not iban_number.is_valid(compact):",
        "if not compact:",
        "what PayeeProposed accepts",
        "what DossierFile accepts",
    ),
    "a constant is another": edit(
        "states/payment/calculation.py", 'CENT = Decimal("0.01")', 'CENT = Decimal("0.1")', "what settle writes", anomalies=(SETTLE,)
    ),
    "a finding is opened earlier": edit(
        "states/engine/findings.py",
        "and fee is not None and terms.rate > fee:",
        "and fee is not None and terms.rate >= fee:",
        "what the facts themselves show (standing findings)",
    ),
    "a rule inside a table is another": edit(
        "states/board/rules.py",
        "lambda seats: seats // 2 + 1",
        "lambda seats: seats // 2 + 2",
        "what NO_QUORUM demands",
        anomalies=("Approuver le partenariat", "Acter la signature"),
    ),
    "what is taken back is weighed otherwise": edit(
        "states/journal/undoing.py",
        "    if not fits:\n        return CHANGED\n",
        "",
        "what may be taken back (named)",
    ),
    "a delay of the law is longer": edit(
        "states/values/law.py", "PRESCRIPTION_YEARS = Figure(4,", "PRESCRIPTION_YEARS = Figure(14,", "what PRESCRIBED demands"
    ),
    "a sentence is said better": edit(
        "states/payment/rules.py",
        "Le ",
        "Ledit ",
    ),
}


def proved(folder: Path, where: Path) -> dict[str, Any]:
    where.mkdir()
    said = python(folder, "-c", PROVE, str(where))
    assert said.returncode == 0, said.stderr
    told: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return told


# Proved in each run: one edit of each thing that is law (a request, a sum, a row, a rule, what stands), and one that is none.
# The others are made to the same things in another place: `make test` checks their fingerprints, `make endurance` proves them too.
PROVED = {
    "a required field is added to a request",
    "one euro is added to the ceiling",
    "a step goes to somebody else",
    "a rule demands more",
    "a finding is opened earlier",
    "a sentence is said better",
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_the_law_is_told_by_the_fingerprints(tmp_path: Path, name: str) -> None:
    change = EDITS[name]
    checked = python(copied(tmp_path / "copy", change[:3]), "tests/support/fingerprints.py", "--check", "--all")
    assert (checked.returncode != 0) == bool(change.named)
    assert [words for words in change.named if words not in checked.stderr] == []
    assert not change.named or "give LAW in states/values/law.py the next number" in checked.stderr


@pytest.mark.parametrize("name", [name if name in PROVED else pytest.param(name, marks=pytest.mark.endurance) for name in EDITS])
def test_an_edit_of_the_law_leaves_the_past_verified_and_is_told_by_deciding_again(tmp_path: Path, name: str) -> None:
    change = EDITS[name]
    told = proved(copied(tmp_path / "copy", change[:3]), tmp_path / "where")
    assert told["faults"] == []
    assert told["undone"]
    assert change.anomalies <= set(told["anomalies"])
    assert bool(told["anomalies"]) == bool(change.anomalies)
    assert told["ended"] == ("Anomaly" if change.anomalies else None)
    assert told["night"].count(" : anomalie. ") == min(rounds.NAMED_AT_MOST, sum(map(len, told["anomalies"].values())))


# A whole new law: a committee has a place, and its minutes bear another name. Law, table, migration and upcasters go together.
NEXT, NEXT_SCHEMA = LAW + 1, f"{int(SCHEMA) + 1:04}"
PLACE = '    place: Line = Field(title="Lieu de la réunion")\n'
NEXT_LAW = (
    ("states/values/law.py", f"FIRST_LAW, LAW = {FIRST_LAW}, {LAW}", f"FIRST_LAW, LAW = {FIRST_LAW}, {NEXT}"),
    (
        "states/training/facts.py",
        "    held_on: date\n    minutes_sha256: str\n",
        "    held_on: date\n    minutes: str\n    place: str | None\n",
    ),
    (
        "states/training/requests.py",
        '    held_on: Day = Field(title="Date du comité de pilotage")\n',
        '    held_on: Day = Field(title="Date")\n' + PLACE,
    ),
    ("states/training/requests.py", "import WHOLE, Day, Sha256", "import WHOLE, Day, Line, Sha256"),
    ("states/training/records.py", "case.request.minutes_sha256)\n", "case.request.minutes_sha256, case.request.place)\n"),
    (
        "models/tables/dossier.py",
        'of_dossier("committees", day("held_on"), words("minutes_sha256"))',
        'of_dossier("committees", day("held_on"), words("minutes"), words("place", nullable=True))',
    ),
    ("models/tables/__init__.py", f'SCHEMA = "{SCHEMA}"', f'SCHEMA = "{NEXT_SCHEMA}"'),
)
UPCASTERS = (
    "states/journal/upcasting.py",
    "\n\ndef since(",
    f"""CHANGES = {{**CHANGES, {NEXT}: (
    Added('committees', 'place', None),
    Renamed('committees', 'minutes_sha256', 'minutes'),
    Added('CommitteeHeld', 'place', 'lieu inconnu'),
)}}


def since(""",
)
MIGRATION = f'''"""A committee has a place."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "{NEXT_SCHEMA}", "{SCHEMA}"
def upgrade() -> None:
    op.execute("ALTER TABLE committees RENAME COLUMN minutes_sha256 TO minutes")
    op.add_column("committees", sa.Column("place", sa.Text(), nullable=True))
'''


def test_a_new_law_with_its_number_and_its_upcasters_reads_all_that_was_written_before(tmp_path: Path) -> None:
    folder = copied(tmp_path / "copy", *NEXT_LAW, UPCASTERS)
    (folder / "models" / "database" / "migrations" / "versions" / "place.py").write_text(MIGRATION, encoding="utf-8")
    assert f"law {NEXT} has no fingerprints yet: make fingerprints" in python(folder, "tests/support/fingerprints.py", "--check").stderr
    assert python(folder, "tests/support/fingerprints.py").returncode == 0
    assert python(folder, "tests/support/fingerprints.py", "--check").returncode == 0
    told = proved(folder, tmp_path / "where")
    assert (told["faults"], told["anomalies"], told["undone"], told["ended"]) == ([], {}, True, None)
    tested = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/law/test_golden.py", "-k", "adds_up or decides_a_golden")
    assert tested.returncode == 0, tested.stdout
    assert "passed" in tested.stdout


def test_a_new_law_that_does_not_say_how_the_past_is_read_is_stopped_by_the_check(tmp_path: Path) -> None:
    folder = copied(tmp_path / "copy", *NEXT_LAW)
    assert python(folder, "tests/support/fingerprints.py").returncode == 0
    said = python(folder, "tests/support/fingerprints.py", "--check")
    assert said.returncode != 0
    for field in ("committees.minutes", "committees.minutes_sha256", "committees.place", "CommitteeHeld.place"):
        assert f"law {NEXT} does not say how the past of {field} is read" in said.stderr


def test_code_that_is_only_written_otherwise_is_taken_and_code_that_decides_otherwise_is_not(tmp_path: Path) -> None:
    twice = "return max(terms.cap for terms in versions) * max(terms.rate for terms in versions)"
    same = ("states/payment/calculation.py", twice, "return max(terms.rate for terms in versions) * max(terms.cap for terms in versions)")
    folder = copied(tmp_path / "same", same)
    assert python(folder, "tests/support/fingerprints.py", "--check").returncode != 0
    assert python(folder, "tests/support/fingerprints.py").returncode != 0
    assert python(folder, "tests/support/fingerprints.py", "--rewritten").returncode == 0
    assert python(folder, "tests/support/fingerprints.py", "--check").returncode == 0
    folder = copied(tmp_path / "other", EDITS["one euro is added to the ceiling"][:3])
    refused = python(folder, "tests/support/fingerprints.py", "--rewritten")
    assert refused.returncode != 0
    assert f"decides otherwise under law {LAW}: Entrée" in refused.stderr
    folder = copied(tmp_path / "shape", EDITS["a required field is added to a request"][:3])
    assert (
        f"changed under law {LAW}:\n  - request PaymentOrder: channel\n"
        in python(folder, "tests/support/fingerprints.py", "--rewritten").stderr
    )
