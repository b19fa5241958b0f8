"""A backup of an earlier schema is brought forward when it is restored, as a database of before is when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from backups import Place, consistent, members, packed
from old_databases import old_file, old_postgresql, opened
from sqlalchemy import create_engine, inspect
from witness import dump, sql

from models.backup import landing
from models.backup.manifest import MANIFEST, read, written
from models.database.sqlite import Sqlite
from models.database.store import Store
from models.tables import SCHEMA
from models.verify.proof import Verifier

pytestmark = pytest.mark.long

OLD = "0003"  # no jalon of that time made backups; the next schema will do as well


@pytest.fixture(autouse=True)
def _from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "FIRST_SCHEMA", OLD)


def of_before(content: dict[str, bytes], ledger: dict[str, bytes]) -> dict[str, bytes]:
    """A backup whose ledger is one of the old schema."""
    manifest = read(content[MANIFEST])._replace(schema=OLD, seal="")
    return consistent({**ledger, MANIFEST: written(manifest)})


def tables(url: str) -> dict[str, bytes]:
    """Every table of a PostgreSQL database of before, as a backup would hold it."""
    engine = create_engine(url)
    connection = engine.raw_connection()
    found = {}
    for name in inspect(engine).get_table_names():
        if name != "alembic_version":
            with connection.cursor().copy(f'COPY "{name}" TO STDOUT WITH (FORMAT csv, HEADER true)') as copy:
                found[f"ledger/{name}.csv"] = b"".join(map(bytes, copy))
    connection.close()
    engine.dispose()
    return found


def assert_brought_forward(place: Place, file: Path) -> None:
    page = place.restore(file)
    assert page.code == 0, page.lines
    store = place.restored()
    proofs = Verifier(store).verify_all()
    assert len(proofs) > 1
    assert {fault for one in proofs for fault in one.faults} == set()
    store.close()
    assert SCHEMA != OLD
    assert [path.name for path in (place.folder / "new").iterdir() if "schema" in path.name or path.name == "ledger"] == []


def test_a_file_of_before_is_brought_forward(sqlite: Store, tmp_path: Path) -> None:
    place = Place(sqlite, tmp_path, None).furnish()
    old_file(tmp_path / "old")
    content = of_before(members(place.backup()), {"ledger.sqlite": (tmp_path / "old" / "jalon.db").read_bytes()})
    assert_brought_forward(place, packed(tmp_path / "old.zip", content))


def test_rows_of_before_are_brought_forward_on_postgresql(distant: Store, tmp_path: Path, new_postgresql: Callable[[], str]) -> None:
    place = Place(distant, tmp_path, new_postgresql).furnish()
    content = of_before(members(place.backup()), tables(old_postgresql(new_postgresql())))
    assert_brought_forward(place, packed(tmp_path / "old.zip", content))


def test_entries_of_times_that_are_over_come_back_too(old: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Triggers refuse any such entry that is written today: they rest while those of the backup come in."""
    store = opened(old)
    new = None if isinstance(store.dialect, Sqlite) else request.getfixturevalue("new_postgresql")
    place = Place(store, tmp_path, new)
    page = place.restore(place.backup())
    assert page.code == 0, page.lines
    restored = place.restored()
    assert {name: rows for name, rows in dump(restored).items() if name != "marks"} == {
        name: rows for name, rows in dump(store).items() if name != "marks"
    }
    with pytest.raises(Exception, match="this database was upgraded"):
        sql(
            restored,
            "INSERT INTO journal (id, partnership_id, n, input_digest, entry, digest) VALUES (9999, 1, 9999, '', '{}', :d)",
            d="0" * 64,
        )
    restored.close()
    store.close()
