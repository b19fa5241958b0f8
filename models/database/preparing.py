"""Statements that are asked often, prepared on PostgreSQL without waiting for the server once more."""

from __future__ import annotations

from collections import Counter
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import Connection, Cursor

OFTEN = 2  # times on one connection before a statement is worth preparing; psycopg itself would begin at the sixth

_executions: WeakKeyDictionary[Connection[Any], Counter[str]] = WeakKeyDictionary()


class Preparing(Cursor[Any]):
    """A cursor of psycopg that sends what is to be prepared together with its values, where psycopg sends it alone before.

    What has no values is never prepared: BEGIN with its locks is several statements, and COMMIT is a short one.
    """

    def execute(self, query: Any, params: Any = None, **how: Any) -> Preparing:
        """See `psycopg.Cursor.execute`."""
        if params is None:
            return super().execute(query, **{"prepare": False, **how})
        if how or not self._is_time_for(query):
            return super().execute(query, params, **how)
        with self.connection.pipeline():
            return super().execute(query, params, prepare=True)

    def _is_time_for(self, query: str) -> bool:
        times = _executions.setdefault(self.connection, Counter())
        times[query] += 1
        return times[query] == OFTEN
