"""The tree of the seals is that of RFC 6962, and proves one leaf without the others."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.verify.merkle import EMPTY, Inclusion, Tree, leaf_hash, node_hash

# The published example of certificate transparency: eight leaves, and the root of each of the eight trees.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def tree(leaves: list[bytes]) -> Tree:
    built = Tree()
    built.put({place: leaf_hash(leaf) for place, leaf in enumerate(leaves)})
    return built


def as_defined(leaves: list[bytes]) -> bytes:
    """The recursive definition of RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaf_hash(leaves[0]) if leaves else hashlib.sha256().digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(as_defined(leaves[:split]), as_defined(leaves[split:]))


@pytest.mark.parametrize("size", ROOTS)
def test_the_roots_are_those_of_the_published_example(size: int) -> None:
    assert tree([bytes.fromhex(one) for one in INPUTS[:size]]).root.hex() == ROOTS[size]


def test_a_tree_without_leaves_has_the_root_of_the_standard() -> None:
    assert Tree().root == EMPTY == as_defined([])


def test_a_node_is_never_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
def test_a_tree_that_grew_and_changed_is_the_tree_made_at_once(leaves: list[bytes], data: st.DataObject) -> None:
    grown = Tree()
    place = 0
    while place < len(leaves):
        many = data.draw(st.integers(1, 5))
        new = {here: leaf_hash(leaves[here]) for here in range(place, min(place + many, len(leaves)))}
        for changed in data.draw(st.sets(st.integers(0, max(place - 1, 0)), max_size=3)) if place else ():
            leaves[changed] += b"!"
            new[changed] = leaf_hash(leaves[changed])
        grown.put(new)
        place += many
    assert grown.root == tree(leaves).root == as_defined(leaves)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
def test_a_path_proves_its_leaf_at_its_place_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    place, built = data.draw(st.integers(0, len(leaves) - 1)), tree(leaves)
    path = built.path(place)
    proof = Inclusion(place, len(leaves), path)
    assert proof.root(leaf_hash(leaves[place])) == built.root
    assert proof.root(leaf_hash(leaves[place] + b"!")) != built.root
    assert Inclusion(place, len(leaves), [*path, path[-1] if path else EMPTY]).root(leaf_hash(leaves[place])) is None
    assert Inclusion(len(leaves), len(leaves), path).root(leaf_hash(leaves[place])) is None
    if path:
        assert Inclusion(place, len(leaves), path[:-1]).root(leaf_hash(leaves[place])) is None
        assert Inclusion(place, len(leaves), [EMPTY, *path[1:]]).root(leaf_hash(leaves[place])) != built.root


def test_a_leaf_cannot_be_put_beyond_the_end() -> None:
    with pytest.raises(ValueError, match="no leaf before 1"):
        Tree().put({1: EMPTY})
