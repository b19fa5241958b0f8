"""The seals of a folder, read in the order of their nights: each follows the one before, and what they say together is compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from models.verify.merkle import Inclusion, Tree
from models.verify.seals import (
    DOSSIER,
    NIGHT,
    REGISTER,
    SCHEMA,
    Leaf,
    NoSeal,
    Previous,
    Seal,
    hash_of,
    name_of,
    night_leaf,
    read,
    title_of,
    written,
)
from states.values.french import counted
from states.values.plain import Json


class Sealed(NamedTuple):
    """What a night has sealed of a dossier first: `n` entries, the last digest is `head`."""

    night: str
    n: int
    head: str


class Nights:
    """What the nights before have sealed. `faults` are French sentences about the seals themselves, none when each follows the other.

    Each seal is read once and a leaf is kept once, on the first night that says it: what that costs grows with what changed, and not
    with dossiers times nights.
    """

    def __init__(self, files: Iterable[tuple[str, bytes]] = ()) -> None:
        self.faults: list[str] = []
        self.roots: dict[str, str] = {}  # the night of each root
        self.heads: dict[str, list[Sealed]] = defaultdict(list)
        self.registers: list[Sealed] = []  # what each night has sealed of the register of people
        self.last: Seal | None = None
        self._tree, self._leaves, self._places = Tree(), list[Leaf](), dict[str, int]()
        self._whole = False  # whether the tree is the one of the last seal
        for name, content in files:
            self._read(name, content)

    @property
    def many(self) -> int:
        """How many nights are sealed."""
        return len(self.roots)

    @property
    def newest(self) -> str:
        """The newest instant that a seal says, ISO in UTC; empty when none does."""
        return self.last.sealed_at if self.last else ""

    def night_of(self, root: str) -> str | None:
        """The night whose seal has this root (64 hexadecimal digits), as an ISO day; None when no seal of the folder has."""
        return self.roots.get(root.strip().lower())

    def leaf(self, name: str) -> Leaf | None:
        """What was sealed last about something (see `seals.name_of`)."""
        place = self._places.get(name)
        return None if place is None else self._leaves[place]

    def references(self) -> list[str]:
        """Every dossier that some night has sealed."""
        return list(self.heads)

    def _read(self, name: str, content: bytes) -> None:
        try:
            seal = read(content)
        except NoSeal as fault:
            self.faults.append(f"Sceau {name} : {fault}.")
            self._whole = False
            return
        if name != f"{seal.night}.json":
            self.faults.append(f"{seal.title} : son fichier porte un autre nom, {name}.")
        self.faults += self._unlike(seal)
        if not seal.of_before:
            self._grow(seal)
        self._keep(seal)
        self.roots.setdefault(seal.root, seal.night)
        self.last = seal

    def _unlike(self, seal: Seal) -> Iterator[str]:
        """What a seal says otherwise than the one before it."""
        before, said = self.last, seal.previous
        if before is not None and seal.sealed_at and seal.sealed_at < before.sealed_at:
            yield f"{seal.title} : il se dit fait avant celui de la nuit d’avant."
        if seal.of_before:
            return
        if before is None:
            if said is not None:
                yield f"{seal.title} : celui de la nuit d’avant ({said.night}) n’est plus dans le dossier des sceaux."
        elif said is None:
            yield f"{seal.title} : il se dit le premier, et {title_of(before.night).lower()} est avant lui."
        elif said.night != before.night:
            yield f"{seal.title} : il suit celui du {said.night}, qui n’est plus dans le dossier des sceaux."
        elif said.root != before.root:
            yield f"{seal.title} : il suit un autre sceau du {said.night} que celui du dossier, qui a été refait depuis."

    def _grow(self, seal: Seal) -> None:
        """Bring the tree to where it was that night, and compare its root."""
        follows = self._whole and seal.previous is not None and self.last is not None and seal.previous.root == self.last.root
        self.faults += self._going_back(seal)
        if seal.whole:
            self._tree, self._leaves, self._places = Tree(), [], {}
        elif not follows and self._leaves:
            self.faults.append(f"{seal.title} : sa racine ne peut plus être recalculée, faute de celui qu’il suit.")
        try:
            self._tree.put({place: hash_of(leaf) for place, leaf in seal.leaves.items()})
        except ValueError:
            self._whole = False
            self.faults.append(f"{seal.title} : des feuilles de son arbre manquent.")
            return
        for place, leaf in sorted(seal.leaves.items()):
            self._leaves[place : place + 1] = [leaf]
            self._places[name_of(leaf)] = place
        self._whole = seal.whole or follows
        if self._whole and (self._tree.root.hex() != seal.root or self._tree.size != seal.size):
            self._whole = False
            self.faults.append(f"{seal.title} : ses feuilles ne donnent pas sa racine, il a été changé.")

    def _going_back(self, seal: Seal) -> Iterator[str]:
        """The chains that have fewer entries than the night before, or another head for as many, or are gone from the tree."""
        for place, leaf in seal.leaves.items():
            before = self.leaf(name_of(leaf))
            if before is not None and self._places[name_of(leaf)] != place:
                yield f"{seal.title} : {_called(leaf)} n’y est plus à sa place."
            if before is None or type(leaf.get("n")) is not int or type(before.get("n")) is not int:
                continue
            n, was = int(str(leaf["n"])), int(str(before["n"]))
            if n < was or (n == was and leaf["head"] != before["head"]):
                counts = (
                    f"y compte {counted(n, 'entrée', 'entrées')}, {was} la nuit d’avant"
                    if n < was
                    else "y a une autre tête que la nuit d’avant"
                )
                yield f"{seal.title} : {_called(leaf)} {counts}."
        if seal.whole:
            gone = self._places.keys() - {name_of(leaf) for leaf in seal.leaves.values()}
            yield from (f"{seal.title} : {_called(self._leaves[self._places[name]])} n’y est plus." for name in sorted(gone))

    def _keep(self, seal: Seal) -> None:
        for leaf in seal.leaves.values():
            if leaf["kind"] == REGISTER and type(leaf.get("n")) is int:
                self.registers.append(Sealed(seal.night, int(str(leaf["n"])), str(leaf["head"])))
            if leaf["kind"] != DOSSIER or leaf.get("holds") is False:
                continue
            kept, n, head = self.heads[str(leaf["reference"])], int(str(leaf["n"])), str(leaf["head"])
            if not any((one.n, one.head) == (n, head) for one in kept[-1:]):
                kept.append(Sealed(seal.night, n, head))

    def next(self, night: str, sealed_at: str, leaves: Iterable[Leaf]) -> tuple[bytes, str]:
        """The seal of the next night, of these leaves: its file, and its root.

        A leaf that nobody gives any more stays at its place, as one that does not hold: nothing leaves the tree. The first seal of a month
        holds every leaf, so that a file that is lost takes no more than a month with it.
        """
        previous = Previous(self.last.night, self.last.root) if self.last else None
        new = {name_of(leaf): leaf for leaf in (night_leaf(night, sealed_at, previous), *leaves)}
        gone = {name: self._leaves[place] | {"holds": False} for name, place in self._places.items() if name not in new}
        first = (NIGHT, REGISTER, SCHEMA)
        names = [*self._ordered(), *sorted((name for name in new if name not in self._places), key=lambda name: (name not in first, name))]
        leaf_of = new | gone
        all_ = [leaf_of[name] for name in names]
        whole = not self._whole or previous is None or previous.night[:7] != night[:7]
        differing = [(place, leaf) for place, leaf in enumerate(all_) if whole or self._leaves[place : place + 1] != [leaf]]
        tree = Tree() if whole else self._tree
        tree.put({place: hash_of(leaf) for place, leaf in differing})
        return written(tree.root.hex(), len(all_), differing, whole=whole), tree.root.hex()

    def _ordered(self) -> list[str]:
        return sorted(self._places, key=self._places.__getitem__)

    def inclusion(self, reference: str) -> dict[str, Json] | None:
        """What proves the leaf of one dossier under the root of the last seal, without any other; None when that cannot be said."""
        place = self._places.get(f"{DOSSIER} {reference}")
        if place is None or self.last is None or not self._whole:
            return None
        path: list[Json] = [beside.hex() for beside in self._tree.path(place)]
        return {
            "jalon": "path",
            "night": self.last.night,
            "root": self.last.root,
            "size": self._tree.size,
            "place": place,
            "leaf": self._leaves[place],
            "path": path,
        }


def _called(leaf: Leaf) -> str:
    names = {REGISTER: "le registre des personnes", SCHEMA: "le schéma", NIGHT: "la nuit"}
    return names.get(str(leaf["kind"]), str(leaf.get("reference")))


def proved(told: Mapping[str, Json]) -> Leaf:
    """The leaf that a path proves. Raises NoSeal when it leads to another root than it says, or is no path."""
    try:
        leaf, root = _led(told)
    except (ValueError, TypeError, LookupError) as fault:
        raise NoSeal("ce fichier n’est pas un chemin de jalon, ou il a été changé") from fault
    if root != told.get("root"):
        raise NoSeal("ce chemin ne mène pas de sa feuille à sa racine : il a été changé")
    return leaf


def _led(told: Mapping[str, Json]) -> tuple[Leaf, str | None]:
    """The leaf of a path, and the root that it leads to. Raises TypeError, or what JSON of another shape raises."""
    leaf, path, place, size = told["leaf"], told["path"], told["place"], told["size"]
    if not (isinstance(leaf, dict) and isinstance(path, list) and isinstance(place, int) and isinstance(size, int)):
        raise TypeError(told)
    if told["jalon"] != "path":
        raise ValueError(told)
    root = Inclusion(place, size, [bytes.fromhex(str(beside)) for beside in path]).root(hash_of(leaf))
    _ = name_of(leaf)
    return leaf, None if root is None else root.hex()
