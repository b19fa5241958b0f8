"""The seals of nights, held against the chains of a restored ledger: does it agree with them, and what do they know that it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import select

from models import tables
from models.answers import Invalid
from models.backup.manifest import shown
from models.database.store import Store
from models.verify.registering import REGISTER
from models.verify.seals import NoSeal, read


class Seal(NamedTuple):
    """What a night has sealed: how many entries each chain had, and the digest of the last one."""

    day: str
    heads: Mapping[str, tuple[int, str]]


class Held(NamedTuple):
    """A seal held against chains. `agrees`: how many of its heads are in them; `against`: chains that hold something else there.

    `newer`: the chains of which the seal knows more, and how many entries more; `unknown`: those among them that are not here at all.
    """

    day: str
    heads: int
    agrees: int
    against: tuple[str, ...]
    newer: Mapping[str, int]
    unknown: tuple[str, ...]

    @property
    def of_another(self) -> bool:
        """Whether the seal is of another ledger: nothing that it tells is here, or everything is otherwise."""
        return bool(self.heads) and not self.agrees and len(self.against) + len(self.unknown) == self.heads


Chains = Mapping[str, list[str]]


def read_seal(content: bytes) -> Seal:
    """The content of a file of `seals/`. Raises Invalid when it is none."""
    try:
        found = read(content)
        leaves = [leaf for leaf in found.leaves.values() if "head" in leaf]
        heads = {str(leaf.get("reference", REGISTER)): (int(str(leaf["n"])), str(leaf["head"])) for leaf in leaves}
    except (NoSeal, ValueError, KeyError):
        raise Invalid("Ce fichier n’est pas un sceau de jalon.") from None
    return Seal(found.night, {reference: head for reference, head in heads.items() if head[0]})


def chains_of(store: Store) -> Chains:
    """The digests of every chain, in order, by the reference of its dossier; the register's too."""
    entries, dossiers = tables.journal, tables.partnerships
    question = select(dossiers.c.reference, entries.c.digest).join_from(dossiers, entries).order_by(dossiers.c.id, entries.c.n)
    chains: dict[str, list[str]] = {}
    with store.transaction(write=False) as cursor:
        cursor.execute(store.compile(question))
        for reference, digest in cursor.fetchall():
            chains.setdefault(reference, []).append(digest)
        cursor.execute(store.compile(select(tables.register_journal.c.digest).order_by(tables.register_journal.c.id)))
        chains[REGISTER] = [digest for (digest,) in cursor.fetchall()]
    return chains


def held(seal: Seal, chains: Chains) -> Held:
    """Hold a seal against chains."""
    agrees, against, newer, unknown = 0, [], {}, []
    for reference, (n, head) in sorted(seal.heads.items()):
        chain = chains.get(reference)
        if chain is None:
            unknown.append(reference)
        if n > len(chain or ()):
            newer[reference] = n - len(chain or ())
        elif n and chain is not None:
            agrees += chain[n - 1] == head
            if chain[n - 1] != head:
                against.append(reference)
    return Held(seal.day, len(seal.heads), agrees, tuple(against), newer, tuple(unknown))


def faults_of(name: str, found: Held) -> list[str]:
    """What does not hold of a seal that lies in the same backup, as French sentences."""
    odd = [*found.against, *found.newer]
    if not odd:
        return []
    return [f"Le sceau {shown(name)} ne s’accorde pas avec le journal : {', '.join(odd[:5])}{'…' if len(odd) > 5 else ''}."]
