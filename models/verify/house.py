"""What belongs to no single dossier: the schema, the words, the counters and lines of the board, letters that nobody ordered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import Select, bindparam, func, literal_column, or_, select

from models import tables
from models.database.store import Cursor, Store
from models.database.vocabulary import WORDS
from models.ledger.attempt import instant
from models.verify.nights import Nights
from models.verify.schema import schema_faults
from models.verify.seals import title_of
from states.grammar.deadlines import paris_day
from states.values.french import counted, listed

P, L, T, OUT, V, M = (
    table.c for table in (tables.partnerships, tables.outlooks, tables.tallies, tables.outbox, tables.vocabulary, tables.marks)
)
SUMS = ("engaged_cents", "ordered_cents", "paid_cents")
BOARD = ("state", "entered_on", "due_on", *SUMS)  # what the row of a dossier and its line both hold
NAMED_AT_MOST = 5
LATEST = timedelta(hours=10)  # a failed letter is tried again after eight and a half hours at most (see `models.outbox`)
SAID = re.compile(r"Sceau : ([0-9a-f]{16})")  # in what the round of the night says that it did
SHOWN = {"state": "l’état", "role": "le rôle"}


class House:
    """Verifies what belongs to the whole house, on one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        place = (P.state, P.due_on)
        self._counted = store.compile(select(*place, func.count(), *(func.sum(P[name]) for name in SUMS)).group_by(*place))
        self._tallies = store.compile(_tallied())
        self._words = store.compile(select(V.kind, V.word))
        self._letters = store.compile(select(OUT.partnership_id, func.count()).group_by(OUT.partnership_id))
        differ = or_(*(L[name].is_distinct_from(P[name]) for name in BOARD), L.version > P.version)
        same = or_(L.version > P.version, (L.version == P.version) & (P.behind != literal_column("1")))
        lines = select(P.reference).join_from(tables.outlooks, tables.partnerships).where(same, differ).order_by(P.reference)
        nobodys = tables.outbox.outerjoin(tables.partnerships, P.id == OUT.partnership_id)
        self._loose = store.compile(select(func.count()).select_from(nobodys).where(P.id.is_(None)))
        late = select(OUT.key, OUT.due_at).where(OUT.sent_at.is_(None), OUT.dead_at.is_(None), OUT.due_at > bindparam("latest"))
        self._late = store.compile(late.order_by(OUT.due_at, OUT.id).limit(literal_column(str(NAMED_AT_MOST))).offset(literal_column("0")))
        self._rounds = store.compile(select(M.key, M.told).where(M.name == bindparam("name")))
        self._lines = store.compile(lines.limit(literal_column(str(NAMED_AT_MOST))).offset(literal_column("0")))

    def faults(self, nights: Nights, at: datetime) -> list[str]:
        """What does not hold of the house at an aware instant, in French; nothing of any one dossier."""
        with self._store.transaction(write=False) as cursor:
            return [
                *schema_faults(self._store, cursor),
                *self._word_faults(cursor),
                *self._tally_faults(cursor),
                *self._line_faults(cursor),
                *self._loose_faults(cursor),
                *self._late_faults(cursor, at),
                *self._round_faults(cursor, nights, paris_day(at)),
            ]

    def letters(self) -> dict[int, int]:
        """How many rows of the outbox each dossier has, by its id."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._letters)
            return {id_: int(many) for id_, many in cursor.fetchall()}

    def _word_faults(self, cursor: Cursor) -> Iterator[str]:
        known = {(kind, word) for kind, words in WORDS.values() for word in words}
        cursor.execute(self._words)
        for kind, word in sorted(tuple(row) for row in cursor.fetchall()):
            if (kind, word) not in known:
                yield f"La base admet {SHOWN.get(kind, kind)} « {word} », que jalon ne connaît pas."

    def _loose_faults(self, cursor: Cursor) -> Iterator[str]:
        cursor.execute(self._loose)
        if many := int(cursor.fetchone()[0]):
            yield f"La boîte d’envoi a {counted(many, 'envoi', 'envois')} d’aucun dossier de la base."

    def _late_faults(self, cursor: Cursor, at: datetime) -> Iterator[str]:
        """Letters that somebody has put off for longer than a failure ever does: nobody would hear of the step."""
        cursor.execute(self._late, {"latest": instant(at + LATEST)})
        yield from (f"L’envoi {key} attend jusqu’au {due[:10]} : jalon ne remet jamais un envoi si tard." for key, due in cursor.fetchall())

    def _round_faults(self, cursor: Cursor, nights: Nights, today: date) -> Iterator[str]:
        """The nights that a round says it has sealed, and whose seal is gone or another one; a mark ahead of time stops the round."""
        sealed = {night: root for root, night in nights.roots.items()}
        cursor.execute(self._rounds, {"name": "nightly"})
        for key, message in sorted(tuple(row) for row in cursor.fetchall()):
            said = SAID.search(message)
            if key > today.isoformat():
                yield f"La ronde de la nuit du {key} se dit faite d’avance : elle ne scellerait rien."
            elif said and key not in sealed:
                yield f"{title_of(key)} : la ronde dit l’avoir fait, et il n’est plus dans le dossier des sceaux."
            elif said and not sealed[key].startswith(said[1]):
                yield f"{title_of(key)} : la ronde en a fait un autre ({said[1]}…) que celui du dossier des sceaux."

    def _tally_faults(self, cursor: Cursor) -> Iterator[str]:
        cursor.execute(self._counted)
        dossiers = _sums(cursor.fetchall())
        cursor.execute(self._tallies)
        if dossiers != _sums(cursor.fetchall()):
            yield "Les compteurs du tableau de bord ne sont pas ceux que font les dossiers."

    def _line_faults(self, cursor: Cursor) -> Iterator[str]:
        cursor.execute(self._lines)
        found = [row[0] for row in cursor.fetchall()]
        if found:
            yield f"Le tableau de bord ne montre pas ce que dit le dossier : {listed(found)}."


def night_faults(nights: Nights, today: date) -> Iterator[str]:
    """Seals that are dated later than today: a clock that was wrong, or somebody who prepares what is to come."""
    yield from (f"{title_of(night)} : cette nuit n’est pas encore venue." for night in nights.roots.values() if night > today.isoformat())


def _tallied() -> Select[tuple[object, ...]]:
    place = (T.state, T.due_on)
    return select(*place, *(func.sum(T[name]) for name in ("dossiers", *SUMS))).group_by(*place)


def _sums(rows: Iterable[tuple[object, ...]]) -> dict[tuple[object, ...], tuple[int, ...]]:
    """The sums of each state and deadline; those that have come to nothing are left out."""
    found = {(state, due_on): tuple(int(str(value)) for value in sums) for state, due_on, *sums in rows}
    return {place: sums for place, sums in found.items() if any(sums)}
