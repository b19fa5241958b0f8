"""All that a dossier can be proved by at once: its chain and facts, what stands beside them, its letters, and the seals of the nights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from models.database.store import Cursor, Store
from models.verify.beside import Beside
from models.verify.house import House
from models.verify.letters import Delivered, Letters, Post, Written, delivered, ordered, possible, row_faults, sealed_faults
from models.verify.nights import Nights
from models.verify.proof import Read, Verification, Verifier
from models.verify.seals import DOSSIER, Leaf, title_of
from states.journal.entry import Entry
from states.journal.fold import ODD_JSON
from states.values.french import counted


class Audit(NamedTuple):
    """The proof of one dossier with all that is compared with it; the entries if it holds, and how many rows of the outbox are its own."""

    proof: Verification
    entries: list[Entry]
    partnership_id: int = 0
    letters: int = 0
    delivered: Delivered | None = None
    unwritten: tuple[str, ...] = ()  # what is marked as sent and was never written: told once, as the night that finds it seals it

    @property
    def faults(self) -> tuple[str, ...]:
        """All that does not hold, as French sentences."""
        return (*self.proof.faults, *self.unwritten)

    def leaf(self, before: Leaf | None) -> Leaf:
        """What a night seals of it. Of a dossier that does not hold, what was sealed before: a fault is never made true by a seal."""
        proof = self.proof
        leaf: Leaf = {"kind": DOSSIER, "reference": proof.reference, "n": proof.entries, "head": proof.head}
        if proof.faults:
            return {**(before or leaf), "holds": False}
        return leaf | (self.delivered.fields() if self.delivered else {})


class _Seen:
    """What was seen of one dossier besides its proof."""

    def __init__(self) -> None:
        self.partnership_id = self.letters = 0
        self.delivered: Delivered | None = None
        self.unwritten: list[str] = []


class Auditor:
    """Audits the dossiers of one database against the seals of a folder. `written` tells what letters were written, where it is known.

    `loose` are sentences about letters that belong to no dossier, once all were audited.
    """

    def __init__(self, store: Store, nights: Nights, written: Written | None = None) -> None:
        self.nights = nights
        self.loose: list[str] = []
        self.house = House(store)
        self.post = Post(written) if written is not None else None
        self._verifier = Verifier(store)
        self._beside = Beside(store)
        self._letters = Letters(store)

    def audited(self, reference: str, *, whole: bool = False) -> Audit:
        """Audit one dossier; `whole`: also look for letters too many among those that went long ago. Raises Invalid as `verify` does."""
        seen = _Seen()
        proof, entries = self._verifier.proved(reference, partial(self._also, seen, whole))
        return Audit(proof, [] if proof.faults else entries, seen.partnership_id, seen.letters, seen.delivered, tuple(seen.unwritten))

    def all(self) -> Iterator[Audit]:
        """Audit every dossier, by reference; those that a night has sealed and that are gone come last."""
        references, many = self.references(), self.house.letters()
        for reference in references:
            audit = self.audited(reference)
            if audit.delivered is not None and many.get(audit.partnership_id, 0) > audit.letters:
                audit = self.audited(reference, whole=True)
            yield audit
        yield from (Audit(proof, []) for proof in self.gone(references))
        newest = self.post.newest if self.post is not None else {}
        known = {*references, *self.nights.references()}
        for reference in sorted(newest.keys() - known):
            self.loose.append(f"Le courrier {newest[reference][1]} a été écrit, et le dossier {reference} n’est pas dans la base.")

    def references(self) -> list[str]:
        """Every dossier that is there, by reference."""
        return self._verifier.references()

    def gone(self, references: Sequence[str]) -> Iterator[Verification]:
        """The dossiers that a night has sealed and that are not among these: each as a proof that does not hold."""
        for reference in sorted(set(self.nights.references()) - set(references)):
            sealed = self.nights.heads[reference]
            if sealed:
                many = counted(sealed[-1].n, "entrée", "entrées")
                fault = f"{title_of(sealed[-1].night)} : le dossier {reference} y a {many}, et il n’est plus dans la base."
                yield Verification(reference, 0, "", (fault,))

    def _also(self, seen: _Seen, whole: bool, cursor: Cursor, read: Read) -> Iterator[str]:  # noqa: FBT001 - bound by name above
        heads = {n: digest for n, _, _, digest in read.rows}
        yield from self._head_faults(read.loaded.partnership.reference, heads)
        if self.post is not None:
            yield from self.post.lost(read.loaded.partnership.reference, len(heads))
        if read.entries is None:
            return
        try:
            yield from self._beside.faults(cursor, read.loaded, read.entries)
            yield from self._letter_faults(seen, cursor, read, heads, whole=whole)
        except ODD_JSON:
            yield "Ce qui accompagne le journal ne se relit pas : quelqu’un y a écrit autre chose que jalon."

    def _head_faults(self, reference: str, heads: Mapping[int, str]) -> Iterator[str]:
        """The first sealed head that is no longer in the chain, at its place: all that follows is broken with it."""
        before = 0
        for night, n, head in self.nights.heads.get(reference, ()):
            if n not in heads:
                lost = f"le journal de {reference} y compte {counted(n, 'entrée', 'entrées')}, il n’en a plus que {len(heads)}"
                yield f"{title_of(night)} : {lost} : la fin a été ôtée, ou une copie d’avant remise en place."
                return
            if heads[n] != head:
                which = f"l’entrée {n}" if n == before + 1 else f"une des entrées {before + 1} à {n}"
                yield f"{title_of(night)} : {which} de {reference} a été réécrite depuis, la tête scellée n’est plus à sa place."
                return
            before = n

    def _letter_faults(self, seen: _Seen, cursor: Cursor, read: Read, heads: Mapping[int, str], *, whole: bool) -> Iterator[str]:
        entries, id_ = read.entries or [], read.loaded.id
        keys = [*ordered(entries), *possible(entries)]
        rows = self._letters.read(cursor, id_, keys, whole=whole)
        yield from row_faults(id_, entries, rows)
        own = {key: rows[key] for key in keys if key in rows}
        reference = read.loaded.partnership.reference
        leaf = self.nights.leaf(f"{DOSSIER} {reference}")
        yield from sealed_faults(own, leaf, self.nights.last.night if self.nights.last else "")
        if self.post is not None:
            # Letters of before the first numbered law were written by a jalon that asked nobody to keep them.
            since = {entry.n: heads[entry.n] for entry in entries if entry.law is not None}
            other, seen.unwritten = self.post.compared(own, since, leaf)
            yield from other
        here = sum(row.partnership_id == id_ for row in own.values())
        seen.partnership_id, seen.letters, seen.delivered = id_, here, delivered(own, len(entries))
