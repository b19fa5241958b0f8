"""Faults planted under a step, and what is committed after them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from walks import Walk

from models.database.store import Store


class Faulty:
    """A connection or cursor of the driver that counts its statements and asks `fails(number, sql)` before and after each."""

    def __init__(self, real: Any, statements: list[str], before: Callable[[int, str], bool], after: Callable[[int, str], bool]) -> None:
        self._real, self._rules = real, (statements, before, after)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def cursor(self) -> "Faulty":
        return Faulty(self._real.cursor(), *self._rules)

    def execute(self, statement: str, *parameters: Any) -> None:
        self._count(statement, lambda: self._real.execute(statement, *parameters))

    def executemany(self, statement: str, rows: Any) -> None:
        self._count(statement, lambda: self._real.executemany(statement, rows))

    def _count(self, statement: str, run: Callable[[], Any]) -> None:
        statements, before, after = self._rules
        statements.append(statement)
        if before(len(statements), statement):
            raise OSError("injected")
        run()
        if after(len(statements), statement):
            raise OSError("injected")


def never(number: int, statement: str) -> bool:
    return False


@contextmanager
def faults(store: Store, before: Callable[[int, str], bool] = never, after: Callable[[int, str], bool] = never) -> Iterator[list[str]]:
    """Every new connection of `store` fails as told; yields the statements as they come."""
    real, statements = store.engine.raw_connection, []
    store.close()
    store.engine.raw_connection = lambda: Faulty(real(), statements, before, after)
    try:
        yield statements
    finally:
        store.engine.raw_connection = real
        store.close()


def invoice_of(walk: Walk, trigger: str) -> dict[str, str]:
    """What makes an invoice of this dossier one that no other has received."""
    if trigger != "receive_invoice":
        return {}
    return {"number": walk.reference, "document_sha256": walk.reference.encode().hex().ljust(64, "0")}


NO_QUORUM = {"present": ["Membre 1"], "votes_for": 1}


def committed(_: int, statement: str) -> bool:
    return statement == "COMMIT"
