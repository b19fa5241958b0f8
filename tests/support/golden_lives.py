"""The golden files: how a whole life is written, once, and how every later version reads it and puts it into a database again.

`python tests/support/golden_lives.py` writes those of the law in force, in a folder of its own, and refuses to touch one that is there.
A `.journal` holds one entry a line, after its digest; a `.facts.json` beside it, what the dossier had become.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from lives import LIVES
from playing import played
from sqlalchemy import text

from models.database.store import Store, sqlite_url
from models.ledger.chain import GENESIS, canonical
from models.ledger.dossiers import Loaded
from models.ledger.reading import parsed
from models.ledger.writing import APPEND, POST, Writing, parts_of
from models.people.register import folded as folded_name
from models.verify.letters import ordered
from states.journal.entry import Entry
from states.journal.fold import Fold, blank, differences, folded, patch
from states.partnership import Partnership
from states.trainees.identity import keyed
from states.values.law import LAW

GOLDEN = Path(__file__).parents[1] / "golden"
SUMS = GOLDEN / "SHA256SUMS"
OLD_DATABASE = GOLDEN / "schema-0003" / "jalon.db"
OLD_PAGES = GOLDEN / "schema-0003" / "before.json"
PEPPER = "5e" * 32  # the secret of a dossier is in no journal


class Golden(NamedTuple):
    """One golden life: the law it was lived under, its rows as `(n, key, entry, digest)`, and its facts in the shape of that law."""

    law: int
    reference: str
    rows: list[tuple[int, str, str, str]]
    facts: dict[str, Any]

    @property
    def entries(self) -> list[Entry]:
        return [parsed(entry) for _, _, entry, _ in self.rows]


def golden() -> list[Golden]:
    """Every golden life of every law, the laws in order."""
    return sorted((read(path) for path in GOLDEN.glob("law-*/*.journal")), key=lambda life: (life.law, life.reference))


def newest() -> list[Golden]:
    """Of each reference the life of the newest law: one database holds a reference once."""
    return list({life.reference: life for life in golden()}.values())


def read(path: Path) -> Golden:
    rows = []
    for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        digest, _, entry = line.partition(" ")
        rows.append((n, json.loads(entry)["key"], entry, digest))
    facts = json.loads(path.with_suffix(".facts.json").read_text(encoding="utf-8"))
    return Golden(int(path.parent.name.removeprefix("law-")), path.stem, rows, facts)


def facts_told(partnership: Partnership) -> dict[str, Any]:
    """Every fact of a dossier as JSON, in the shape of the law in force."""
    start = blank(partnership.reference)
    facts = patch(start, partnership, differences(start, partnership))
    return {"state": partnership.state.value, "version": partnership.version, "facts": facts}


def restored(store: Store, life: Golden) -> None:
    """Put a golden life into a database, entry by entry: its journal to the byte, and the rows that a ledger would have written with it."""
    writing, orders, fold = Writing(store), ordered(life.entries), Fold(blank(life.reference))
    here = Loaded(0, 0, GENESIS, fold.partnership._replace(pepper=PEPPER))
    for entry, (n, key, content, digest) in zip(life.entries, life.rows, strict=True):
        fold.add(entry)
        before, after = here.partnership, fold.partnership._replace(pepper=PEPPER)
        asked = entry.asked or keyed(PEPPER, canonical([entry.reference, entry.trigger, folded_name(entry.actor), None, entry.request]))
        row = {"n": n, "key": key, "input_digest": asked, "entry": content, "digest": digest}
        posted = [
            {"n": n, "key": key, "kind": kind, "role": role, "attempts": 0, "due_at": entry.recorded_at}
            for key, (place, kind, role) in orders.items()
            if place == n
        ]
        parts = [
            (APPEND, [row]),
            *parts_of(before, after, differences(before, after), entry.recorded_at),
            *([(POST, posted)] * bool(posted)),
        ]
        with store.transaction() as cursor:
            id_ = writing.write(cursor, here, Loaded(here.id, n, digest, after), parts)
        assert id_ is not None
        here = Loaded(id_, n, digest, after)


def summed() -> dict[str, str]:
    """The sha256 of every golden file, by its name."""
    found = [path for path in sorted(GOLDEN.rglob("*")) if path.is_file() and path != SUMS and path.suffix != ".md"]
    return {path.relative_to(GOLDEN).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def write() -> None:
    """Write the lives of the law in force. They stay as they are from then on."""
    folder = GOLDEN / f"law-{LAW}"
    if folder.exists():
        sys.exit(f"{folder} is there: golden files are never rewritten. A new law gets a folder of its own.")
    with TemporaryDirectory() as name:
        store = Store(sqlite_url(Path(name) / "jalon.db"), create=True)
        played(store, LIVES)
        folder.mkdir(exist_ok=True)
        for reference in LIVES:
            with store.engine.connect() as connection:
                asked = (
                    "SELECT j.digest, j.entry FROM journal j JOIN partnerships p ON p.id = partnership_id WHERE reference = :r ORDER BY j.n"
                )
                rows = connection.execute(text(asked), {"r": reference}).fetchall()
            (folder / f"{reference}.journal").write_text("".join(f"{digest} {entry}\n" for digest, entry in rows), encoding="utf-8")
            told = facts_told(folded(reference, [parsed(entry) for _, entry in rows]))
            (folder / f"{reference}.facts.json").write_text(json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        store.close()
    new = {name: digest for name, digest in summed().items() if name.startswith(f"{folder.name}/")}
    with SUMS.open("a", encoding="utf-8") as sums:  # the others stay as they were said
        sums.writelines(f"{digest}  {name}\n" for name, digest in new.items())


if __name__ == "__main__":
    write()
