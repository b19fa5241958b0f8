"""A house that was sealed, and what somebody with the files in hand does to it afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from walks import AT, Walk
from witness import sql, unguarded

from flows.cli import proving
from flows.cli.screen import Page
from flows.home import Home
from flows.mail import courier
from flows.night import sealed
from flows.ports import clock
from flows.review import Checked
from flows.settings import settings
from models.database.store import Store
from models.ledger.chain import GENESIS, canonical, digest
from states.vocabulary import State

NIGHTS = tuple(date(2026, 11, day) for day in (23, 24, 25))
HELD = Checked(holds=True, message="")


def morning(night: date) -> datetime:
    """The instant at which a night is sealed."""
    return datetime(night.year, night.month, night.day, 22, 0, tzinfo=AT.tzinfo)


def opened(folder: Path, url: str | None = None) -> Home:
    """The house in a folder, made where there is none."""
    return Home(settings({"JALON_HOME": str(folder), **({"JALON_DATABASE_URL": url} if url else {})}), create=True)


def sealed_house(folder: Path, url: str | None = None) -> Home:
    """A house whose letters went, sealed on two nights, with a step more on the second day."""
    home = house(folder, url)
    delivered(home)
    assert night(home, NIGHTS[0])[1] is None
    Walk(home.store, "ESSAI-2").do("attach", at=morning(NIGHTS[0]))
    delivered(home, morning(NIGHTS[0]))
    assert night(home, NIGHTS[1])[1] is None
    return home


def house(folder: Path, url: str | None = None) -> Home:
    """A house of its own: two dossiers, PAID and SIGNED."""
    home = opened(folder, url)
    Walk(home.store).until(State.PAID)
    Walk(home.store, "ESSAI-2").until(State.SIGNED)
    return home


def delivered(home: Home, at: datetime = AT) -> None:
    """Send what waits, at an instant; nothing is done of what follows the steps."""

    async def follow(_reference: str, _parcels: object) -> Checked:
        return HELD

    with at_instant(at):
        asyncio.run(courier.deliver_all(home, follow))


@contextmanager
def at_instant(at: datetime) -> Iterator[None]:
    """The clock of the couriers and of the pages stands still."""
    places = (courier, proving)
    for place in places:
        place.now = lambda: at
    try:
        yield
    finally:
        for place in places:
            place.now = clock.now


def night(home: Home, day: date) -> tuple[str, str | None]:
    """What the round of a night says, as Prefect would call it: with its mark."""
    home.marks.take("nightly", day.isoformat(), now=morning(day))
    message, failed = sealed(home, day, morning(day))
    home.marks.tell("nightly", day.isoformat(), message, now=morning(day))
    return message, failed


def verified(home: Home, reference: str | None = None, *, at: datetime | None = None) -> Page:
    """What `jalon verify` says, the day after the last night."""
    with at_instant(at or morning(NIGHTS[-1]) + timedelta(hours=10)):
        return proving.verify(home, reference)


def told(page: Page) -> str:
    return "\n".join(page.lines)


def rewritten(store: Store, reference: str, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the entries of a dossier and write its whole chain again, so that every digest, link and head is right."""
    ((id_,),) = sql(store, "SELECT id FROM partnerships WHERE reference = :r", r=reference)
    rows = sql(store, "SELECT entry, input_digest FROM journal WHERE partnership_id = :i ORDER BY n", i=id_)
    entries = [json.loads(entry) | {"input": asked} for entry, asked in rows]
    change(entries)
    with unguarded(store):
        sql(store, "DELETE FROM journal WHERE partnership_id = :i", i=id_)
        head, version = GENESIS, 0
        for n, entry in enumerate(entries, start=1):
            asked = entry.pop("input")
            version += entry["outcome"] == "done"
            content = canonical({**entry, "n": n, "prev": head, "version": version}).decode()
            head = digest(content.encode())
            values = {"p": id_, "n": n, "k": entry["key"], "i": asked, "e": content, "d": head}
            sql(
                store,
                'INSERT INTO journal (partnership_id, n, "key", input_digest, entry, digest) VALUES (:p, :n, :k, :i, :e, :d)',
                **values,
            )
        last = max(n for n, entry in enumerate(entries, start=1) if entry["outcome"] == "done")
        move = max(n for n, entry in enumerate(entries, start=1) if entry["from"] != entry["to"])
        values = {"n": len(entries), "h": head, "v": version, "c": last, "m": move, "i": id_}
        sql(store, "UPDATE partnerships SET n = :n, head = :h, version = :v, last_change = :c, last_move = :m WHERE id = :i", **values)


def cut(store: Store, reference: str, many: int) -> None:
    """Take the last entries away, with their letters and facts: the payment, and the dossier is as it was before it."""
    rewritten(store, reference, lambda entries: entries.__delitem__(slice(-many, None)))
    ((id_, n),) = sql(store, "SELECT id, n FROM partnerships WHERE reference = :r", r=reference)
    sql(store, "DELETE FROM outbox WHERE partnership_id = :i AND n > :n", i=id_, n=n)


def deleted(store: Store, reference: str) -> None:
    """Delete a dossier whole."""
    ((id_,),) = sql(store, "SELECT id FROM partnerships WHERE reference = :r", r=reference)
    with unguarded(store):
        for (table,) in sql(store, TABLES[store.url.get_backend_name()]):
            sql(store, f'DELETE FROM "{table}" WHERE partnership_id = :i', i=id_)
    sql(store, "DELETE FROM partnerships WHERE id = :i", i=id_)


TABLES = {
    "sqlite": "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'partnership_id' WHERE m.type = 'table'",
    "postgresql": "SELECT table_name FROM information_schema.columns WHERE column_name = 'partnership_id' AND table_schema = 'public'",
}
