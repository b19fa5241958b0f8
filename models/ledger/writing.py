"""What a step writes: the dossier's row, its entry, the facts and findings in which it differs, names, what is to be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from models import tables
from models.database.store import Cursor, Store
from models.database.writes import Write, inserted
from models.ledger.codec import COLLECTIONS, row_of
from models.ledger.dossiers import Loaded
from states.journal.fold import Changed
from states.partnership import Partnership

F = tables.findings
OPEN = inserted(tables.partnerships, "id")
MOVE = Write("moved", tables.partnerships, ("state", "version", "n", "head", "entered_on"), ("id", "n"))
APPEND = inserted(tables.journal, "id")
POST = inserted(tables.outbox, "id", "lease", "sent_at", "dead_at", "fault")
NAME = inserted(tables.identities)
FORGET = Write("forgotten", tables.identities, (), ("trainee",))
FIND = inserted(F, "id", "resolved_at")
RESOLVE = Write("resolved", F, ("resolved_at",), ("code", "subject"), F.c.resolved_at.is_(None))
REWORD = Write("reworded", F, ("severity", "reason", "source"), ("code", "subject"), F.c.resolved_at.is_(None))
ADD = {name: inserted(table) for name, (table, _) in COLLECTIONS.items()}
AMEND = {
    name: Write(f"amended_{name}", table, tuple(one for one in ADD[name].values if one != "number"), ("number",))
    for name, (table, _) in COLLECTIONS.items()
}
TAKE_AWAY = {name: Write(f"gone_{name}", table, (), ("number",)) for name, (table, _) in COLLECTIONS.items()}

Rows = list[dict[str, Any]]
Part = tuple[Write, Rows]


class Writing:
    """Writes the steps of one database."""

    def __init__(self, store: Store) -> None:
        self._sender = store.dialect.sender(store.compile)

    def write(self, cursor: Cursor, loaded: Loaded, after: Loaded, parts: Iterable[Part]) -> int | None:
        """Open the dossier, or move its row on if nobody else has since it was loaded, with all that belongs to it.

        The dossier's id; None when somebody has, and then the transaction must be rolled back.
        """
        new, entered_on = after.partnership, after.partnership.entered_on
        row: dict[str, Any] = {
            "state": new.state.value,
            "version": new.version,
            "n": after.n,
            "head": after.head,
            "entered_on": entered_on.isoformat() if entered_on else None,
        }
        if loaded.id == 0:
            row |= {"reference": new.reference, "imported": int(new.imported), "pepper": new.pepper}
            return self._sender.send(cursor, OPEN, row, parts)
        return self._sender.send(cursor, MOVE, row | {"id_": loaded.id, "n_": loaded.n}, parts)

    def alone(self, cursor: Cursor, parts: Iterable[Part]) -> None:
        """Write what belongs to no dossier."""
        for write, rows in parts:
            for row in rows:
                self._sender.send_alone(cursor, write, row)


def parts_of(before: Partnership, after: Partnership, changes: Iterable[Changed], at: str) -> Iterator[Part]:
    """What `changes` says of the facts, and the findings in which `after` differs from `before`."""
    for name, added, differing, gone in changes:
        if added:
            yield ADD[name], [row_of(fact) for fact in added]
        if differing:
            yield AMEND[name], [row_of(fact) | {"number_": fact.number} for _, fact in differing]
        if gone:
            yield TAKE_AWAY[name], [{"number_": number} for number in gone]
            if name == "trainees":
                yield FORGET, [{"trainee_": number} for number in gone]
    if before.findings is not after.findings and before.findings != after.findings:
        yield from _findings(before, after, at)


def _findings(before: Partnership, after: Partnership, at: str) -> Iterator[Part]:
    """Open the new ones, resolve those that are gone; one that only says it otherwise stays open since when it was."""
    known = {(one.code, one.subject): one for one in before.findings}
    still = {(one.code, one.subject): one for one in after.findings}
    gone = [{"code_": code, "subject_": subject, "resolved_at": at} for code, subject in sorted(known.keys() - still)]
    new = [{**one._asdict(), "opened_at": at} for key, one in still.items() if key not in known]
    other = [
        {"code_": one.code, "subject_": one.subject, "severity": one.severity, "reason": one.reason, "source": one.source}
        for key, one in still.items()
        if known.get(key, one) != one
    ]
    return ((write, rows) for write, rows in ((RESOLVE, gone), (FIND, new), (REWORD, other)) if rows)
