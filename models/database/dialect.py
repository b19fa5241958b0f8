"""What jalon asks of a database. A third one would be one more file beside `sqlite.py` and `postgresql.py`, named in `known.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar

from sqlalchemy import Engine, Select, Table
from sqlalchemy.engine import URL
from sqlalchemy.sql import ClauseElement, ColumnElement
from sqlalchemy.sql.elements import SQLCoreOperations

from models.database.writes import Write

if TYPE_CHECKING:
    from models.database.snapshots import Landing, Snapshot

Row = Mapping[str, object]
Expression = SQLCoreOperations[object]  # of a statement: a column, or what is computed of some
R = TypeVar("R", bound=tuple[object, ...])
Fetched: TypeAlias = Any  # a row as a driver gives it: the columns asked for, or None where there is no row


class Cursor(Protocol):
    """What all drivers share."""

    rowcount: int

    @property
    def connection(self) -> Any: ...
    def execute(self, sql: str, parameters: Row = ..., /) -> object: ...
    def executemany(self, sql: str, parameters: Sequence[Row], /) -> object: ...
    def fetchone(self) -> Fetched: ...
    def fetchall(self) -> list[Fetched]: ...


class Promises(NamedTuple):
    """What a database says of itself to an operator: its settings in one sentence, and what is wrong with its files."""

    settings: str
    faults: tuple[str, ...]


class Sender(Protocol):
    """Sends what one step writes, as its database takes it best."""

    def send(self, cursor: Cursor, head: Write, row: Row, writes: Iterable[tuple[Write, Sequence[Row]]]) -> int | None:
        """Write the row of a dossier, then the rows that belong to it; the dossier's id, or None when its row is not the one expected.

        In the second case the transaction must be rolled back: some of the rest may be written.
        """

    def send_alone(self, cursor: Cursor, write: Write, row: Row) -> None:
        """Write one row that belongs to no dossier."""


class Dialect(ABC):
    """One kind of database. Without state: the same object serves every database of its kind."""

    drivers: tuple[str, ...]  # as the address of a database names them
    outlives_connections: bool  # whether a kept connection may have died while the database lives on

    @abstractmethod
    def assert_ours(self, url: URL, *, create: bool) -> None:
        """Look at a database before it is opened. Raises Unreachable when it is none, or somebody else's."""

    @abstractmethod
    def engine(self, url: URL) -> Engine:
        """The engine of a database, whose connections leave BEGIN and COMMIT to jalon."""

    @abstractmethod
    def version_table(self) -> str:
        """A question that answers with one value when the database says its schema, otherwise with nothing or NULL."""

    @abstractmethod
    def assert_durable(self, cursor: Cursor) -> None:
        """Raises Unreachable when the database may forget what it has committed."""

    @abstractmethod
    def promises(self, cursor: Cursor) -> Promises:
        """What an operator wants to know of the database."""

    @abstractmethod
    def objects(self, cursor: Cursor) -> dict[str, str]:
        """What the schema is made of, as the database tells it: tables, indexes, triggers... by kind and name, each with its text.

        And its `server`, where there is one, whose next version may tell the same thing otherwise.
        """

    @abstractmethod
    def assert_leave(self, url: URL, schema: str, *, agreed: bool) -> None:
        """Raises OtherSchema when a database of before must not be brought forward unless somebody has agreed."""

    @abstractmethod
    def keep_copy(self, url: URL, schema: str) -> Path | None:
        """Put a copy beside the database, where it is a file. Raises Unreachable when that cannot be done."""

    @abstractmethod
    def snapshot(self, engine: Engine, folder: Path) -> AbstractContextManager[Snapshot]:
        """One moment of the database, while others go on writing; `folder` is an empty one for what must lie somewhere meanwhile."""

    @abstractmethod
    def weight(self, cursor: Cursor) -> int:
        """How many bytes the database takes."""

    @abstractmethod
    def assert_empty(self, url: URL) -> None:
        """Raises Occupied when a backup cannot be put there: there is something already."""

    @abstractmethod
    def landed(self, url: URL, folder: Path, schema: str) -> AbstractContextManager[Landing]:
        """The database of a snapshot of a schema, whose files lie in `folder`. Raises Damaged, Occupied when its place is not empty."""

    @abstractmethod
    def begin(self, cursor: Cursor, *, write: bool, locks: Sequence[str], parameters: Row, waits: bool) -> None:
        """Begin a transaction: reads of one page see one moment, a write reads what is committed by now.

        `locks` are texts that `lock` has given, `parameters` theirs: nobody else may write to those rows. It is one round trip. One
        that does not wait fails, here or at its first statement, where another holds what it would write to.
        """

    @abstractmethod
    def compiled(self, statement: ClauseElement, engine: Engine) -> str:
        """The text of a statement, with parameters by name, for the driver."""

    @abstractmethod
    def lock(self, rows: Select[R]) -> Select[R] | None:
        """What locks these rows for a writer, or None where BEGIN has locked the whole database."""

    @abstractmethod
    def unheld(self, rows: Select[R], table: Table) -> Select[R]:
        """These rows, without those that another writer holds, and held from now on."""

    @abstractmethod
    def sender(self, compiled: Callable[[ClauseElement], str]) -> Sender:
        """What sends the writes of a step."""

    @abstractmethod
    def upsert(self, table: Table, key: str, values: Mapping[str, object], version: str) -> ClauseElement:
        """Insert a row, or replace the one of the same `key` unless that one's `version` is a newer one."""

    @abstractmethod
    def array(self, *columns: Expression) -> ColumnElement[str]:
        """Columns of one row, as the text of a JSON array."""

    @abstractmethod
    def arrays(self, *columns: Expression) -> ColumnElement[str]:
        """Columns of all rows, as the text of a JSON array of arrays; NULL or `[]` when there is none."""

    @abstractmethod
    def listed(self, texts: ColumnElement[str]) -> Select[tuple[str]]:
        """The texts in a JSON array, one a row."""

    @abstractmethod
    def violated(self, cause: BaseException) -> bool:
        """Whether the driver's fault is a violated constraint, which is the caller's to read."""

    @abstractmethod
    def constraint(self, cause: BaseException) -> str | None:
        """The name of the constraint that the driver's fault is about; None when it is another fault, or another driver's."""

    @abstractmethod
    def sentence(self, cause: BaseException) -> str | None:
        """A fault of the driver in one French sentence; None when it is nothing of this driver."""
