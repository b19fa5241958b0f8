"""The schema of a database as it says it itself, compared with the one that the migrations of this jalon make.

`declared.json` beside this file is written by `python tests/support/declared.py` from new databases of both kinds; a test compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from models.database.store import Cursor, Store
from models.ledger.chain import canonical
from models.tables import SCHEMA

DECLARED = Path(__file__).with_name("declared.json")
SERVER = "server"
ACTING = ("trigger", "function", "rule", "constraint")  # what changes or refuses writes; who adds an index or a table may well do so
NOUNS = {
    "table": "la table",
    "index": "l’index",
    "trigger": "le déclencheur",
    "function": "la fonction",
    "constraint": "la contrainte",
    "view": "la vue",
    "rule": "la règle",
}


def objects(store: Store, cursor: Cursor) -> dict[str, str]:
    """Each thing of the schema by kind and name, with the beginning of the sha256 of its text. The table of alembic is not ours."""
    return {
        name: text if name == SERVER else hashlib.sha256(text.encode()).hexdigest()[:16]
        for name, text in sorted(store.dialect.objects(cursor).items())
        if "alembic_version" not in name
    }


def schema_digest(found: dict[str, str]) -> str:
    """One digest for all of a schema."""
    return hashlib.sha256(canonical(found)).hexdigest()


@cache
def declared(kind: str) -> dict[str, str]:
    """What a new database of this kind is made of; nothing while a migration was added and nobody has declared it yet."""
    found: dict[str, dict[str, dict[str, str]]] = json.loads(DECLARED.read_text(encoding="utf-8"))
    return found.get(SCHEMA, {}).get(kind, {})


def schema_faults(store: Store, cursor: Cursor) -> Iterator[str]:
    """What a database has lost, changed or gained besides what jalon makes."""
    found, expected = objects(store, cursor), declared(store.url.get_backend_name())
    if not expected:
        return
    same = found.get(SERVER) == expected.get(SERVER)  # another version of a server may word the same thing otherwise
    for name in sorted((expected.keys() | found.keys()) - {SERVER}):
        kind, _, rest = name.partition(" ")
        called = f"{NOUNS[kind]} {rest}"
        if name not in found:
            yield f"La base n’a plus {called}, que le schéma {SCHEMA} demande."
        elif name not in expected and kind in ACTING:
            yield f"La base a {called}, que jalon n’a pas créé."
        elif same and expected.get(name, found[name]) != found[name]:
            yield f"Dans la base, {called} n’a plus le texte que jalon lui donne."
