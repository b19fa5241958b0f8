"""A journal as somebody with all rights on the database could forge it."""

import json
from typing import Any

from witness import journal, sql

from models.database.store import Store
from models.ledger.chain import GENESIS, canonical, digest


def rechain(store: Store, entries: list[dict[str, Any]]) -> None:
    """Write a whole chain of one's own, numbered, linked and sealed as it should be, with its head in the dossier's row."""
    inputs = [told for (told,) in sql(store, "SELECT input_digest FROM journal ORDER BY n")]
    sql(store, "DELETE FROM journal")
    head, version = GENESIS, 0
    for n, told in enumerate(entries, start=1):
        version += told["outcome"] == "done"
        entry = canonical({**told, "n": n, "prev": head, "version": version}).decode()
        head = digest(entry.encode())
        values = {"n": n, "k": told["key"], "i": inputs[n - 1], "e": entry, "d": head}
        sql(store, 'INSERT INTO journal (partnership_id, n, "key", input_digest, entry, digest) VALUES (1, :n, :k, :i, :e, :d)', **values)
    sql(store, "UPDATE partnerships SET n = :n, head = :h, version = :v", n=len(entries), h=head, v=version)


def entries_of(store: Store) -> list[dict[str, Any]]:
    return [json.loads(entry) for _, entry, _ in journal(store, "ESSAI-1")]
