"""A house of many dossiers with everything in it that its questions look for: letters that failed, some given up, lines shown."""

from __future__ import annotations

from datetime import timedelta

from walks import AT, RIGHT, Walk

from flows.bench.houses import copied
from models.dashboard import Dashboard
from models.database.store import Store
from models.ledger.dossiers import Dossiers
from models.once import Marks
from models.outbox import Outbox
from states.overview.outlook import outlook
from states.vocabulary import State

# Where the real lives have come to; there are as many copies of each.
LIVES = (State.PROPOSED, State.APPROVED, State.SIGNED, State.ACTED, State.REJECTED, State.TERMINATED, State.PROPOSED, State.TRAINED)


def filled(store: Store, dossiers: int) -> list[str]:
    """Fill an empty database with so many dossiers, delivered and shown but for the real ones; the references of these.

    Some letters of theirs failed, and some were given up.
    """
    unread = RIGHT["open"]["terms"] | {"quorum_verified": False}  # and so each life has a finding
    walks = [Walk(store, f"VIE-{place}").until(state, terms=unread) for place, state in enumerate(LIVES, start=1)]
    references = [walk.reference for walk in walks]
    _shown(store, references)
    copied(store, dossiers // len(LIVES) - 1)
    _failed(store)
    walks[0].do("attach")
    return references


def _shown(store: Store, references: list[str]) -> None:
    dossiers, marks = Dossiers(store), Marks(store)
    with store.transaction(write=False) as cursor:
        found = [loaded.partnership for reference in references if (loaded := dossiers.load(cursor, reference)) is not None]
    Dashboard(store).keep((outlook(partnership, AT), partnership.version) for partnership in found)
    marks.set("deliver", "1 courrier envoyé", now=AT)


def _failed(store: Store) -> None:
    outbox = Outbox(store)
    for place, parcel in enumerate(outbox.take(now=AT + timedelta(days=1), lease="first", most=10)):
        outbox.failed(parcel, "panne", now=AT + timedelta(days=1), for_good=place < 4)
