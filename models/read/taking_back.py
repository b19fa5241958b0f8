"""What an undo of a dossier may name, judged by the rules that the undo itself will meet: what is offered here is then done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from models.answers import Invalid
from models.database.store import Store
from models.ledger.history import unreadable_journal
from models.people.register import Register
from models.read.dossier import Undoable
from states.dossier.requests import Undoing
from states.engine.decide import why_not
from states.grammar.case import Actor, Lookups, Past
from states.grammar.deadlines import paris_day
from states.journal.entry import Entry
from states.journal.fold import ODD_JSON
from states.journal.undoing import candidates, named, stages_of, taken_with
from states.lifecycle import UNDOING
from states.partnership import Partnership
from states.vocabulary import Role

OBSTACLES_AT_MOST = 3  # of an undo, in a list
YET_TO_SAY = "à dire"  # the motive, which is asked for once the entry is chosen


def undoable(store: Store, partnership: Partnership, entries: Sequence[Entry], actor: Actor, *, at: datetime, most: int) -> list[Undoable]:
    """The newest entries of a journal (in order) that an undo by `actor` may name. Raises Invalid when it cannot be read."""
    registered = tuple(_registered(store, {lent.giver for lent in partnership.lent_to(actor.name, paris_day(at))}))
    found = []
    try:
        stages = stages_of(partnership.reference, entries)
        for entry in candidates(entries)[:most]:
            past = named(partnership.reference, entries, entry.n, stages)
            request, lookups = Undoing(entry=entry.n, motive=YET_TO_SAY, decided_on=None), Lookups(past=past, registered=registered)
            reasons = why_not(partnership, UNDOING, at=at, actor=actor, request=request, lookups=lookups)
            because = _obstacles(past) if past.obstacles else reasons[0].reason if reasons else None
            found.append(Undoable(entry, taken_with(entry), because))
    except ODD_JSON:
        raise unreadable_journal(partnership.reference) from None
    return found


def _registered(store: Store, names: set[str]) -> Iterator[tuple[str, frozenset[Role]]]:
    """The roles that the register gives people now; none to those whom it no longer has."""
    for name in names:
        try:
            yield name, Register(store).actor(name).roles
        except Invalid:
            yield name, frozenset()


def _obstacles(past: Past) -> str:
    shown = past.obstacles[:OBSTACLES_AT_MOST]
    sentence = " ; ".join(f"l’entrée {obstacle.n} (« {obstacle.label} ») {obstacle.because}" for obstacle in shown)
    return f"{sentence[0].upper()}{sentence[1:]}."
