"""The Merkle tree, against the values published with RFC 6962's reference implementation and a naive one."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.audit import tree

# The test values of the reference implementation of RFC 6962 (Certificate Transparency)
LINES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
N_01 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
N_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
N_23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
N_45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
N_67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N_0123 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
N_4567 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"


class Kept:
    """A tree as the ledger keeps it: one node a line."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.range = tree.Range()
        self.nodes = [self.range.append(tree.leaf_hash(line)) for line in lines]

    def proof(self, path: list[tree.Spans]) -> list[bytes]:
        allowed = tree.needed(span for spans in path for span in spans)

        def kept(position: int) -> bytes:
            assert position in allowed
            return self.nodes[position]

        def leaf(position: int) -> bytes:
            assert position in allowed
            return tree.leaf_hash(self.lines[position])

        return tree.proof(path, lambda start, width: tree.subtree(start, width, kept, leaf))


def naive_root(lines: list[bytes]) -> bytes:
    """RFC 6962 2.1, word for word."""
    if len(lines) < 2:
        return sha256(b"\x00" + lines[0]).digest() if lines else sha256(b"").digest()
    k = 1
    while k * 2 < len(lines):
        k *= 2
    return sha256(b"\x01" + naive_root(lines[:k]) + naive_root(lines[k:])).digest()


def naive_path(m: int, lines: list[bytes]) -> list[bytes]:
    """RFC 6962 2.1.1, word for word."""
    if len(lines) == 1:
        return []
    k = 1
    while k * 2 < len(lines):
        k *= 2
    if m < k:
        return [*naive_path(m, lines[:k]), naive_root(lines[k:])]
    return [*naive_path(m - k, lines[k:]), naive_root(lines[:k])]


def naive_consistency(m: int, lines: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962 2.1.2, word for word."""
    if m == len(lines):
        return [] if whole else [naive_root(lines)]
    k = 1
    while k * 2 < len(lines):
        k *= 2
    if m <= k:
        return [*naive_consistency(m, lines[:k], whole), naive_root(lines[k:])]
    return [*naive_consistency(m - k, lines[k:], False), naive_root(lines[:k])]


def test_the_roots_are_those_published() -> None:
    grown = tree.Range()
    assert (
        grown.root()
        == tree.EMPTY_ROOT
        == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    )
    for line, root in zip(LINES, ROOTS, strict=True):
        grown.append(tree.leaf_hash(line))
        assert grown.root().hex() == root


@pytest.mark.parametrize(
    ("position", "size", "expected"),
    [
        (0, 1, []),
        (0, 8, [N_1, N_23, N_4567]),
        (5, 8, [N_4, N_67, N_0123]),
        (2, 3, [N_01]),
        (1, 5, [ROOTS[0], N_23, N_4]),
    ],
)
def test_the_inclusion_proofs_are_those_published(position: int, size: int, expected: list[str]) -> None:
    path = Kept(LINES[:size]).proof(tree.inclusion_path(position, size))
    assert [node.hex() for node in path] == expected
    assert tree.verify_inclusion(LINES[position], position, size, path, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(1, 1, []), (1, 8, [N_1, N_23, N_4567]), (6, 8, [N_45, N_67, N_0123]), (2, 5, [N_23, N_4])],
)
def test_the_consistency_proofs_are_those_published(old: int, new: int, expected: list[str]) -> None:
    path = Kept(LINES[:new]).proof(tree.consistency_path(old, new))
    assert [node.hex() for node in path] == expected
    assert tree.verify_consistency(old, new, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]), path)


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=70), st.data())
def test_it_agrees_with_the_rfc_s_own_words_for_any_lines(lines: list[bytes], data: st.DataObject) -> None:
    kept = Kept(lines)
    root = kept.range.root()
    assert root == naive_root(lines)
    position = data.draw(st.integers(0, len(lines) - 1))
    path = kept.proof(tree.inclusion_path(position, len(lines)))
    assert path == naive_path(position, lines)
    assert tree.verify_inclusion(lines[position], position, len(lines), path, root)
    old = data.draw(st.integers(1, len(lines)))
    steps = kept.proof(tree.consistency_path(old, len(lines)))
    assert steps == naive_consistency(old, lines)
    assert tree.verify_consistency(old, len(lines), naive_root(lines[:old]), root, steps)


@given(st.integers(1, 40), st.data())
def test_a_proof_that_was_tampered_with_proves_nothing(size: int, data: st.DataObject) -> None:
    lines = [bytes([number]) for number in range(size)]
    kept = Kept(lines)
    root = kept.range.root()
    position = data.draw(st.integers(0, size - 1))
    path = kept.proof(tree.inclusion_path(position, size))
    assert not tree.verify_inclusion(b"another line", position, size, path, root)
    assert not tree.verify_inclusion(lines[position], position, size, [*path, root], root)
    other = data.draw(st.integers(0, size - 1).filter(lambda at: size == 1 or at != position))
    assert other == position or not tree.verify_inclusion(lines[position], other, size, path, root)
    old = data.draw(st.integers(1, size))
    steps = kept.proof(tree.consistency_path(old, size))
    changed = naive_root([b"another line", *lines[1:old]])
    assert not tree.verify_consistency(old, size, changed, root, steps)
    assert not tree.verify_consistency(old, size, naive_root(lines[:old]), root, [*steps, root])
    if steps:
        assert not tree.verify_consistency(old, size, naive_root(lines[:old]), root, steps[:-1])


def test_a_tree_goes_on_from_the_roots_of_its_complete_subtrees() -> None:
    for size in range(20):
        lines = [bytes([number]) for number in range(size + 9)]
        kept = Kept(lines[:size])
        again = tree.Range(size, [kept.nodes[start + width - 1] for start, width in tree.peaks(size)])
        for line in lines[size:]:
            again.append(tree.leaf_hash(line))
        assert again.root() == naive_root(lines)


def test_what_cannot_be_proven_is_refused() -> None:
    for position, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="does not hold"):
            tree.inclusion_path(position, size)
        assert not tree.verify_inclusion(b"", position, size, [], tree.EMPTY_ROOT)
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="larger"):
            tree.consistency_path(old, new)
        assert not tree.verify_consistency(old, new, tree.EMPTY_ROOT, tree.EMPTY_ROOT, [])
    with pytest.raises(ValueError, match="complete subtrees"):
        tree.Range(3, [])
