"""What a step writes: the dossier's row, its entry, the facts and findings in which it differs, names, what is to be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models import tables
from models.database.store import Cursor, Store
from models.database.writes import Write, inserted
from models.ledger.codec import COLLECTIONS, cents, row_of
from models.ledger.dossiers import Loaded
from states.journal.fold import Changed
from states.overview.outlook import weighed
from states.partnership import Partnership

F = tables.findings
OPEN = inserted(tables.partnerships, "id")
WEIGHED = ("due_on", "engaged_cents", "ordered_cents", "paid_cents")  # what the row of a dossier and its line of the board both hold
CHANGED = ("version", "entered_on", *WEIGHED, "last_change", "behind")
STAY = Write("stayed", tables.partnerships, ("n", "head"), ("id", "n"))
CHANGE = STAY._replace(name="changed", values=(*STAY.values, *CHANGED))
MOVE = CHANGE._replace(name="moved", values=(*CHANGE.values, "state", "last_move"))
APPEND = inserted(tables.journal, "id")
POST = inserted(tables.outbox, "id", "lease", "sent_at", "dead_at", "fault")
NAME = inserted(tables.identities)
FORGET = Write("forgotten", tables.identities, (), ("trainee",))
FIND = inserted(F, "id", "resolved_at")
RESOLVE = Write("resolved", F, ("resolved_at",), ("code", "subject"), F.c.resolved_at.is_(None))
REWORD = Write("reworded", F, ("severity", "reason", "source"), ("code", "subject"), F.c.resolved_at.is_(None))
ADD = {name: inserted(table) for name, (table, _) in COLLECTIONS.items()}
AMEND = {
    name: Write(f"amended_{name}", table, tuple(column for column in ADD[name].values if column != "number"), ("number",))
    for name, (table, _) in COLLECTIONS.items()
}
TAKE_AWAY = {name: Write(f"gone_{name}", table, (), ("number",)) for name, (table, _) in COLLECTIONS.items()}

Rows = list[dict[str, object]]
Part = tuple[Write, Rows]


class Writing:
    """Writes the steps of one database."""

    def __init__(self, store: Store) -> None:
        self._sender = store.dialect.sender(store.compile)

    def write(self, cursor: Cursor, loaded: Loaded, after: Loaded, parts: Iterable[Part]) -> int | None:
        """Open the dossier, or move its row on if nobody else has since it was loaded, with all that belongs to it.

        The dossier's id; None when somebody has, and then the transaction must be rolled back.
        """
        before, new = loaded.partnership, after.partnership
        row: dict[str, object] = {"n": after.n, "head": after.head}
        if new.version != before.version:
            row |= _changed(new, after.n)
        if new.state is not before.state:
            row |= {"state": new.state.value, "last_move": after.n}
        if loaded.id == 0:
            row |= {"reference": new.reference, "imported": int(new.imported), "pepper": new.pepper}
            return self._sender.send(cursor, OPEN, row, parts)
        head = STAY if new.version == before.version else CHANGE if new.state is before.state else MOVE
        return self._sender.send(cursor, head, row | {"id_": loaded.id, "n_": loaded.n}, parts)

    def alone(self, cursor: Cursor, parts: Iterable[Part]) -> None:
        """Write what belongs to no dossier."""
        for write, rows in parts:
            for row in rows:
                self._sender.send_alone(cursor, write, row)


def _changed(new: Partnership, n: int) -> dict[str, object]:
    """What the row of a dossier keeps of a change, made by the entry `n`: what the house counts, and that its line is behind."""
    due_on, *money = weighed(new)
    return {
        "version": new.version,
        "entered_on": new.entered_on.isoformat() if new.entered_on else None,
        "due_on": due_on.isoformat() if due_on else None,
        **dict(zip(WEIGHED[1:], map(cents, money), strict=True)),
        "last_change": n,
        "behind": 1,
    }


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
    earlier = {(finding.code, finding.subject): finding for finding in before.findings}
    still = {(finding.code, finding.subject): finding for finding in after.findings}
    gone: Rows = [{"code_": code, "subject_": subject, "resolved_at": at} for code, subject in sorted(earlier.keys() - still)]
    new: Rows = [{**finding._asdict(), "opened_at": at} for key, finding in still.items() if key not in earlier]
    other: Rows = [
        {
            "code_": finding.code,
            "subject_": finding.subject,
            "severity": finding.severity,
            "reason": finding.reason,
            "source": finding.source,
        }
        for key, finding in still.items()
        if earlier.get(key, finding) != finding
    ]
    return ((write, rows) for write, rows in ((RESOLVE, gone), (FIND, new), (REWORD, other)) if rows)
