"""The Merkle tree of RFC 6962, pure: hashes in, hashes out.

Each line of the ledger is a leaf. A line keeps one node of the tree: the root of the largest complete subtree that ends
with it. Those are all that a tree of any size is made of, so that the next line, a root and every proof cost a few
dozen of them, whatever the number of lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()  # RFC 6962 2.1: the hash of an empty list

_LEAF, _NODE = b"\x00", b"\x01"  # RFC 6962 2.1: a leaf is never taken for a node

Spans = list[tuple[int, int]]  # complete subtrees: their first leaf, and how many


def leaf_hash(line: bytes) -> bytes:
    """The hash of one leaf (RFC 6962 2.1)."""
    return sha256(_LEAF + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side (RFC 6962 2.1)."""
    return sha256(_NODE + left + right).digest()


def closed_by(position: int) -> int:
    """How many leaves the largest complete subtree has that ends with the leaf at this position, counted from 0."""
    return (position + 1) & -(position + 1)


def peaks(size: int) -> Spans:
    """The complete subtrees that a tree of this size is made of, the largest first."""
    found, start = [], 0
    while start < size:
        width = 1 << ((size - start).bit_length() - 1)
        found.append((start, width))
        start += width
    return found


class Range:
    """The roots of a tree's complete subtrees: all that is needed to go on with it."""

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        """`nodes`: one for each of `peaks(size)`. Raises ValueError for another number of them."""
        self.size = size
        self.nodes = list(nodes)
        if len(self.nodes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees")

    def append(self, leaf: bytes) -> bytes:
        """Add a leaf's hash. Returns the root of the largest complete subtree that ends with it."""
        node, position = leaf, self.size
        while position & 1:
            node = sha256(_NODE + self.nodes.pop() + node).digest()
            position >>= 1
        self.nodes.append(node)
        self.size += 1
        return node

    def root(self) -> bytes:
        """The tree's root (RFC 6962 2.1: MTH)."""
        return _joined(self.nodes)

    def copy(self) -> Range:
        """Another one, of the same tree."""
        return Range(self.size, self.nodes)


def _joined(nodes: Sequence[bytes]) -> bytes:
    """The root over subtrees that get smaller from left to right."""
    if not nodes:
        return EMPTY_ROOT
    root = nodes[-1]
    for node in reversed(nodes[:-1]):
        root = node_hash(node, root)
    return root


def inclusion_path(position: int, size: int) -> list[Spans]:
    """What proves that a leaf is in a tree: from the leaf up, the complete subtrees that each step joins.

    RFC 6962 2.1.1. Raises ValueError for a leaf that is not in it.
    """
    if not 0 <= position < size:
        raise ValueError("the tree does not hold this leaf")
    start, width, steps = 0, size, []
    while width > 1:
        half = 1 << ((width - 1).bit_length() - 1)
        if position < start + half:
            steps.append(_spans(start + half, width - half))
            width = half
        else:
            steps.append(_spans(start, half))
            start, width = start + half, width - half
    return steps[::-1]


def consistency_path(old: int, new: int) -> list[Spans]:
    """What proves that a tree is the beginning of a larger one (RFC 6962 2.1.2).

    Raises ValueError for an old tree that is empty or larger.
    """
    if not 0 < old <= new:
        raise ValueError("the old tree is empty, or larger than the new one")
    start, width, whole, steps = 0, new, True, []  # whole: the old tree's root is this subtree's
    while old - start < width:
        half = 1 << ((width - 1).bit_length() - 1)
        if old - start <= half:
            steps.append(_spans(start + half, width - half))
            width = half
        else:
            steps.append(_spans(start, half))
            start, width, whole = start + half, width - half, False
    if not whole:
        steps.append(_spans(start, width))
    return steps[::-1]


def _spans(start: int, width: int) -> Spans:
    return [(start + offset, part) for offset, part in peaks(width)]


def proof(path: Iterable[Spans], node: Callable[[int, int], bytes]) -> list[bytes]:
    """A proof's hashes, where `node` gives the root of a complete subtree by its first leaf and its width."""
    return [_joined([node(start, width) for start, width in spans]) for spans in path]


def needed(spans: Iterable[tuple[int, int]]) -> set[int]:
    """The positions whose kept nodes `subtree` asks for, to tell the roots of these complete subtrees."""
    positions: set[int] = set()
    for start, width in spans:
        end = start + width - 1
        positions.add(end)
        while width > 1 and closed_by(end) > width:
            width >>= 1
            positions.add(end - width)
    return positions


def subtree(start: int, width: int, kept: Callable[[int], bytes], leaf: Callable[[int], bytes]) -> bytes:
    """The root of a complete subtree, from the nodes that lines keep; `leaf` tells one line's own hash."""
    end, left = start + width - 1, []
    while closed_by(end) != width and width > 1:
        width >>= 1
        left.append(kept(end - width))  # that half ends left of a line that closes no more than it
    node = kept(end) if closed_by(end) == width else leaf(end)
    for other in reversed(left):
        node = node_hash(other, node)
    return node


def verify_inclusion(line: bytes, position: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that this line stands at this position of the tree with this root (RFC 9162 2.1.3.2)."""
    if not 0 <= position < size:
        return False
    at, last, node = position, size - 1, leaf_hash(line)
    for other in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(other, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, other)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a proof shows that the old tree is the beginning of the new one (RFC 9162 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for other in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(other, first), node_hash(other, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, other)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
