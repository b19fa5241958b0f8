"""What stands beside the facts of a dossier, and the journal tells all the same: dates of findings, what was asked, what is counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import BindParameter, bindparam, select

from models import tables
from models.database.store import Cursor, Store
from models.ledger.chain import canonical
from models.ledger.codec import cents
from models.ledger.dossiers import Loaded
from models.people.register import folded
from states.journal.entry import CARRIED, CONFLICT, Entry
from states.journal.fold import FINDINGS
from states.trainees.identity import keyed
from states.values.french import listed
from states.values.law import LAW

P, F, J = tables.partnerships.c, tables.findings.c, tables.journal.c
NAMED_AT_MOST = 5
COUNTED = {"due_on": "l’échéance", "engaged_cents": "l’engagé", "ordered_cents": "le mandaté", "paid_cents": "le payé"}
Findings = Counter[tuple[str, str, str, str | None]]


class Beside:
    """Reads what stands beside the facts of a dossier, on one database."""

    def __init__(self, store: Store) -> None:
        here: BindParameter[int] = bindparam("partnership_id")
        self._row = store.compile(select(P.last_change, P.last_move, *(P[name] for name in COUNTED)).where(P.id == here))
        self._findings = store.compile(select(F.code, F.subject, F.opened_at, F.resolved_at).where(F.partnership_id == here))
        self._inputs = store.compile(select(J.n, J.input_digest).where(J.partnership_id == here))

    def faults(self, cursor: Cursor, loaded: Loaded, entries: Sequence[Entry]) -> list[str]:
        """What the journal tells otherwise; the entries are those of a chain that holds, and the facts are theirs."""
        here = {"partnership_id": loaded.id}
        cursor.execute(self._row, here)
        row = cursor.fetchone()
        cursor.execute(self._findings, here)
        findings = Counter((code, subject, opened, resolved) for code, subject, opened, resolved in cursor.fetchall())
        cursor.execute(self._inputs, here)
        inputs = dict(cursor.fetchall())
        return [
            *_place_faults(row[:2], entries),
            *_count_faults(loaded, row[2:], entries),
            *_finding_faults(findings, entries),
            *_input_faults(loaded.partnership.pepper, entries, inputs),
        ]


def _place_faults(row: Sequence[int], entries: Sequence[Entry]) -> Iterator[str]:
    change = next((entry.n for entry in reversed(entries) if entry.is_done), 0)
    move = next((entry.n for entry in reversed(entries) if entry.is_done and entry.moves), 0)
    if tuple(row) != (change, move):
        yield "Le dossier ne retient pas les entrées qui l’ont changé et fait avancer en dernier."


def _count_faults(loaded: Loaded, row: Sequence[object], entries: Sequence[Entry]) -> Iterator[str]:
    """What the board counts, where the law in force has counted it; another one may have counted otherwise."""
    from states.overview.outlook import weighed  # the rules: only for who proves more than the chain

    if next((entry.law for entry in reversed(entries) if entry.is_done), None) != LAW:
        return
    due_on, *money = weighed(loaded.partnership)
    counted = (due_on.isoformat() if due_on else None, *map(cents, money))
    wrong = [label for label, kept, right in zip(COUNTED.values(), row, counted, strict=True) if kept != right]
    if wrong:
        yield f"Ce que le tableau de bord compte du dossier n’est pas ce que ses faits disent : {listed(wrong)}."


def _finding_faults(findings: Findings, entries: Sequence[Entry]) -> Iterator[str]:
    """The findings that the journal opened and resolved at other instants; of what an upgrade carried over, it knows none."""
    since = next((entry.recorded_at for entry in entries if entry.outcome == CARRIED), "")
    told = Counter(one for one in _told(entries) if one[2] > since)
    kept = Counter({one: many for one, many in findings.items() if one[2] > since})
    codes = sorted({one[0] for one in (told - kept) + (kept - told)})
    if codes:
        yield f"Des constats ne portent pas les dates que le journal leur donne, ou n’ont jamais été ouverts ({listed(codes)})."


def _told(entries: Sequence[Entry]) -> Iterator[tuple[str, str, str, str | None]]:
    """Each finding that the journal tells of: its code and subject, when it was opened, and when it was resolved."""
    opened: dict[str, str] = {}
    for entry in entries:
        for key, values in (entry.facts or {}).get(FINDINGS, {}).items():
            if values is not None:
                opened.setdefault(key, entry.recorded_at)
            elif key in opened:
                yield _finding(key, opened.pop(key), entry.recorded_at)
    yield from (_finding(key, at, None) for key, at in opened.items())


def _finding(key: str, opened: str, resolved: str | None) -> tuple[str, str, str, str | None]:
    code, _, subject = key.partition(" ")
    return code, subject, opened, resolved


def _input_faults(pepper: str, entries: Sequence[Entry], inputs: Mapping[int, str]) -> Iterator[str]:
    wrong = [str(entry.n) for entry in entries if not _is_of(pepper, entry, inputs.get(entry.n, ""))]
    if wrong:
        shown = [*wrong[:NAMED_AT_MOST], *([f"{len(wrong) - NAMED_AT_MOST} autres"] if len(wrong) > NAMED_AT_MOST else [])]
        whose = f"de l’entrée {shown[0]}" if len(shown) == 1 else f"des entrées {listed(shown)}"
        yield f"L’empreinte de la demande {whose} du journal, ou le secret du dossier, n’est plus celle de ce qui a été demandé."


def _is_of(pepper: str, entry: Entry, kept: str) -> bool:
    """Whether a stored digest is that of the input of an entry.

    An entry that does not keep all of the request (names, an address) says the digest itself; where one of before does not, nobody can
    tell. The version that the caller had seen is in no entry: those that could have led to this end are tried.
    """
    if entry.asked is not None:
        return kept == entry.asked
    if entry.outcome == CARRIED or _keeps_less(entry):
        return True
    question = [entry.reference, entry.trigger, folded(entry.actor)]
    return any(keyed(pepper, canonical([*question, seen, entry.request])) == kept for seen in _seen(entry))


def _keeps_less(entry: Entry) -> bool:
    from states.lifecycle import STEPS  # the rules and the forms: only for who proves more than the chain

    step = STEPS.get(entry.trigger)
    return step is None or bool(step.asks.personal) or "commune" in step.asks.model_fields


def _seen(entry: Entry) -> Iterator[int | None]:
    yield None
    before = entry.version - entry.is_done
    yield before
    if entry.outcome == CONFLICT or entry.objection is not None:
        yield from range(before)
        said = entry.conflict["sentence"] if entry.conflict else ""
        yield from map(int, re.findall(r"\d+", said)[-1:])
