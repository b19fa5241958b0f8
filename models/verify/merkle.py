"""A Merkle tree as in RFC 6962: leaves and nodes are prefixed apart, so that no node can be passed off as a leaf.

Leaves keep their places: a later tree has the same leaves at the same places, some of them changed, and new ones behind. So a night
that changes few leaves costs as many paths, however many dossiers there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LEAF, NODE = b"\x00", b"\x01"
EMPTY = hashlib.sha256().digest()  # the root of a tree without leaves (RFC 6962, 2.1)


def leaf_hash(content: bytes) -> bytes:
    """The hash of what a leaf says."""
    return hashlib.sha256(LEAF + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two nodes side by side."""
    return hashlib.sha256(NODE + left + right).digest()


class Tree:
    """A tree that grows at its end; `levels[0]` are the hashes of the leaves, and a node without a neighbour stands for itself above."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The hash that stands for all leaves."""
        return self._levels[-1][0] if self.size else EMPTY

    def put(self, leaves: Mapping[int, bytes]) -> None:
        """Put the hashes of leaves at their places. Raises ValueError when that leaves a place empty."""
        bottom, places = self._levels[0], set(leaves)
        for place, content in sorted(leaves.items()):
            if not 0 <= place <= len(bottom):
                raise ValueError(f"no leaf before {place}")
            bottom[place : place + 1] = [content]
        height = 0
        while len(self._levels[height]) > 1:
            height, places = height + 1, {place // 2 for place in places}
            if len(self._levels) == height:
                self._levels.append([])
                places = set(range((len(self._levels[height - 1]) + 1) // 2))
            self._raise(height, places)

    def _raise(self, height: int, places: set[int]) -> None:
        below, here = self._levels[height - 1], self._levels[height]
        for place in sorted(places):
            pair = below[2 * place : 2 * place + 2]
            here[place : place + 1] = [node_hash(*pair) if len(pair) == 2 else pair[0]]

    def path(self, place: int) -> list[bytes]:
        """What proves the leaf at a place: the node beside it, then the one beside the two together, and so on."""
        found = []
        for level in self._levels[:-1]:
            if place ^ 1 < len(level):
                found.append(level[place ^ 1])
            place //= 2
        return found


class Inclusion(NamedTuple):
    """That a leaf is in a tree: its place, how many leaves the tree has, and the hashes beside it on the way to the root."""

    place: int
    size: int
    path: Sequence[bytes]

    def root(self, leaf: bytes) -> bytes | None:
        """The root that a leaf's hash leads to (RFC 9162, 2.1.3.2); None when the path has not the length of that place."""
        place, last, found = self.place, self.size - 1, leaf
        if not 0 <= place <= last:
            return None
        for beside in self.path:
            if last == 0:
                return None
            if place % 2 or place == last:
                found = node_hash(beside, found)
                while place % 2 == 0 and place:
                    place, last = place // 2, last // 2
            else:
                found = node_hash(found, beside)
            place, last = place // 2, last // 2
        return found if last == 0 else None
