"""A line of the history of a dossier: what the command line, the pages, the letters and programs read of an entry, worked out once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from states.grammar.deadlines import PARIS
from states.journal.entry import REFUSED, Entry
from states.journal.standing import undone

JSON = ("n", "trigger", "from", "to", "outcome", "actor", "role", "effective_on", "recorded_at")


class HistoryLine(NamedTuple):
    """An entry with its digest, how many days after the fact it was recorded, and the number of the entry that has taken it back."""

    entry: Entry
    digest: str
    days_late: int
    undone_by: int | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of a refusal; none when it is none."""
        return tuple(reason["code"] for reason in self.entry.reasons) if self.entry.outcome == REFUSED else ()

    @property
    def motive(self) -> str:
        """The motive that was given, on one line; empty when none was asked for."""
        return str(self.entry.request.get("motive") or "").replace("\n", " ")

    def as_json(self) -> dict[str, object]:
        """The line as programs read it."""
        fields = self.entry.fields()
        names = (*JSON, *(name for name in ("on_behalf_of", "notes") if name in fields))
        return {**{name: fields[name] for name in names}, "days_late": self.days_late, "hash": self.digest}


def line_of(entry: Entry, digest: str, undoing: Entry | None = None) -> HistoryLine:
    """The line of one entry; `undoing` is the entry that has taken it back."""
    recorded = datetime.fromisoformat(entry.recorded_at).astimezone(PARIS).date()
    late = max(0, (recorded - date.fromisoformat(entry.effective_on)).days)
    return HistoryLine(entry, digest, late, None if undoing is None else undoing.n)


def lines_of(sealed: Iterable[tuple[Entry, str]]) -> list[HistoryLine]:
    """The lines of a journal, in order: `sealed` are its entries, each with its digest."""
    pairs = list(sealed)
    gone = undone(entry for entry, _ in pairs)
    return [line_of(entry, digest, gone.get(entry.n)) for entry, digest in pairs]
