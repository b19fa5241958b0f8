"""A seal that somebody has kept outside, as it comes back: the file, the letter with it, the root alone, or the path of one dossier."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from typing import NamedTuple

import orjson
from sqlalchemy import bindparam, select

from models import tables
from models.database.store import Store
from models.verify.merkle import Tree
from models.verify.nights import Nights, proved
from models.verify.seals import DOSSIER, Leaf, NoSeal, Seal, hash_of, read, title_of
from states.values.french import counted

ROOTS = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
NAMED_AT_MOST = 20
P, J = tables.partnerships.c, tables.journal.c


class Received(NamedTuple):
    """What a file from outside says: a root, and the seal or the leaf that it belongs to, where the file holds one."""

    root: str
    seal: Seal | None = None
    leaf: Leaf | None = None

    def leaves(self) -> list[Leaf]:
        """The dossiers that it tells of and that held then."""
        found = [self.leaf] if self.leaf else [*self.seal.leaves.values()] if self.seal else []
        return [leaf for leaf in found if leaf["kind"] == DOSSIER and leaf.get("holds") is not False]


def received(content: bytes) -> Received:
    """What a file holds. Raises NoSeal."""
    if content.lstrip()[:1] == b"{":
        return _of_json(content)
    letter = email.message_from_bytes(content, policy=email.policy.default)
    body = letter.get_body(("plain",)) if letter.keys() else None
    text = body.get_content() if body is not None else content.decode("utf-8", errors="replace")
    roots = ROOTS.findall(str(text).lower())
    if len(set(roots)) != 1:
        raise NoSeal("ce fichier ne porte pas la racine d’un sceau, ou en porte plusieurs")
    for part in letter.iter_attachments() if letter.keys() else ():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload.lstrip()[:1] == b"{":
            attached = _of_json(payload)
            if attached.root != roots[0]:
                raise NoSeal("le courrier porte une autre racine que le sceau qui y est joint : l’un des deux a été changé")
            return attached
    return Received(roots[0])


def _of_json(content: bytes) -> Received:
    try:
        fields = orjson.loads(content)
    except ValueError as fault:
        raise NoSeal("ce fichier n’est pas un sceau de jalon, ou il a été changé") from fault
    if isinstance(fields, dict) and fields.get("jalon") == "path":
        leaf = proved(fields)
        return Received(str(fields["root"]), leaf=leaf)
    seal = read(content)
    if seal.whole and not seal.of_before:
        _assert_whole(seal)
    return Received(seal.root, seal=seal)


def _assert_whole(seal: Seal) -> None:
    tree = Tree()
    try:
        tree.put({place: hash_of(leaf) for place, leaf in seal.leaves.items()})
    except ValueError as fault:
        raise NoSeal("des feuilles de ce sceau manquent") from fault
    if (tree.root.hex(), tree.size) != (seal.root, seal.size):
        raise NoSeal("les feuilles de ce sceau ne donnent pas sa racine : il a été changé")


class Comparing:
    """Compares what comes from outside with the seals of the folder, and with the chains of a database."""

    def __init__(self, store: Store, nights: Nights) -> None:
        self._store = store
        self._nights = nights
        here = P.reference == bindparam("reference")
        self._head = store.compile(
            select(P.n, J.digest)
            .select_from(tables.partnerships.outerjoin(tables.journal, (J.partnership_id == P.id) & (J.n == bindparam("n"))))
            .where(here)
        )

    def faults(self, told: Received) -> list[str]:
        """What is no longer as it was then, as French sentences."""
        leaves = told.leaves()
        heads = list(self._heads(leaves, told.seal.title if told.seal else "Ce chemin"))
        if len(leaves) > 1 and len(heads) == len(leaves):
            heads = [
                f"Aucune des {len(leaves)} têtes de ce sceau n’est dans cette base : il est d’une autre maison, ou tout a été réécrit."
            ]
        more = len(heads) - NAMED_AT_MOST
        rest = [f"Et {counted(more, 'autre dossier', 'autres dossiers')} de même."] if more > 0 else []
        return [*self._unknown(told), *heads[:NAMED_AT_MOST], *rest]

    def _unknown(self, told: Received) -> Iterator[str]:
        night = self._nights.night_of(told.root)
        if night is None:
            yield "Cette racine n’est celle d’aucune nuit du dossier des sceaux : ce sceau en a été ôté, ou il y a été refait."
        elif told.seal is not None and told.seal.night != night:
            yield f"Ce fichier se dit de la nuit du {told.seal.night}, et sa racine est celle de la nuit du {night} : il a été changé."

    def _heads(self, leaves: list[Leaf], title: str) -> Iterator[str]:
        with self._store.transaction(write=False) as cursor:
            for leaf in leaves:
                reference, n = str(leaf["reference"]), int(str(leaf["n"]))
                cursor.execute(self._head, {"reference": reference, "n": n})
                found = cursor.fetchone()
                if found is None:
                    yield f"{title} : le dossier {reference} y a {counted(n, 'entrée', 'entrées')}, et il n’est plus dans la base."
                elif found[1] is None:
                    has = counted(int(found[0]), "entrée", "entrées")
                    yield f"{title} : le journal de {reference} y compte {n}, et n’en a plus autant ({has})."
                elif found[1] != leaf["head"]:
                    yield f"{title} : le journal de {reference} a été réécrit depuis, l’entrée {n} n’est plus celle qui a été scellée."


def title(nights: Nights, root: str) -> str | None:
    """« Sceau de la nuit du 24 novembre 2026 », of the night that has this root; None when none has."""
    night = nights.night_of(root)
    return None if night is None else title_of(night)
