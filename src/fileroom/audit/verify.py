"""Whether the ledger is as it was written: every line hashed anew, and held against signed checkpoints.

A line changed in place contradicts the node kept with it, which tells which one it was. Somebody who makes the nodes
anew as well contradicts the checkpoints; the hashes kept with those then tell which line it was, or, without them, two
checkpoints tell between which lines. Lines after the last checkpoint are not anchored: they agree with themselves, no
more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fileroom.audit.anchors import Anchor, Leaves
from fileroom.audit.event import NotALine, read
from fileroom.audit.reading import Row
from fileroom.audit.tree import Range, leaf_hash, node_hash, peaks

FINDINGS_MAX = 100  # told one by one; the rest is counted
_CANDIDATES_MAX = 4

Rows = Callable[[], Iterable[Row]]


class What(StrEnum):
    """What is wrong."""

    CHANGED = "changed"  # not what was written
    MISSING = "missing"
    CUT_OFF = "cut off"  # missing at the end
    ADDED = "added"  # where no line can be
    UNREADABLE = "unreadable"  # as it was written, but no event: made by a newer Fileroom
    CHECKPOINT = "checkpoint"  # not signed with the ledger's key, or of another ledger
    NODE = "node"  # the line is right, what is kept with it is not


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    what: What
    first: int  # line
    last: int
    text: str  # for a person


@dataclass(slots=True)
class Report:
    """What was found."""

    size: int = 0  # lines
    root: bytes = b""  # over them, as they are now
    anchored: int = 0  # lines that a checkpoint signed with the ledger's key proves
    matched: int = 0  # lines that any checkpoint agrees with, its signature checked or not
    anchors: list[tuple[Anchor, bool]] = field(default_factory=list)  # and whether the lines agree
    findings: list[Finding] = field(default_factory=list)
    more: int = 0  # findings not told

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def add(self, what: What, first: int, last: int, text: str) -> None:
        """Note a finding; one that goes on where the last one of the kind ended makes that one longer."""
        if self.findings and (before := self.findings[-1]).what == what and before.last + 1 == first:
            self.findings[-1] = Finding(what, before.first, last, before.text)
        elif len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(what, first, last, text))
        else:
            self.more += 1


def verify(rows: Rows, anchors: Sequence[Anchor] = (), leaves: Leaves | None = None) -> Report:
    """Read every row and say what is wrong with it. `rows` is called again when something is.

    `leaves`: the hashes kept with checkpoints, to tell which line it was.
    """
    report = Report()
    roots = _pass(rows(), {a.checkpoint.size for a in anchors}, report)
    failed: list[Anchor] = []
    for one in sorted(anchors, key=lambda a: a.checkpoint.size):
        agrees = roots.get(one.checkpoint.size) == one.checkpoint.root
        report.anchors.append((one, agrees))
        if one.signed is False:
            report.add(What.CHECKPOINT, 0, 0, f"{one.source} is not signed with this ledger's key")
        elif agrees:
            report.matched = max(report.matched, one.checkpoint.size)
            if one.signed:
                report.anchored = max(report.anchored, one.checkpoint.size)
        else:
            failed.append(one)
    if failed or report.findings:
        _locate(rows, report, failed, leaves, leaves.proven(anchors) if leaves else 0)
    return report


def _pass(rows: Iterable[Row], sizes: set[int], report: Report) -> dict[int, bytes]:
    """Hash every line. Returns the roots at these sizes, as far as no line is missing before."""
    grown, chain, whole = Range(), None, True
    roots = {0: grown.root()} if 0 in sizes else {}
    for position, line, node in rows:
        if position != report.size:
            if position < 0:
                report.add(What.ADDED, position, position, "no line can stand there")
                continue
            report.add(What.MISSING, report.size, position - 1, "removed")
            chain, whole = (chain or _Chain(grown)), False
            chain.skip(position)
        leaf, good = leaf_hash(line), True
        if whole:
            before = grown.nodes[:]
            if grown.append(leaf) != node and chain is None:
                chain = _Chain(Range(position, before))
        if chain is not None and not (good := chain.append(leaf, node)):
            report.add(What.CHANGED, position, position, "not what was written, or the node kept with it is not")
        report.size = position + 1
        if whole and report.size in sizes:
            roots[report.size] = grown.root()
        try:
            read(line)
        except NotALine:
            if good:
                report.add(What.UNREADABLE, position, position, "no event that this version can read")
    report.root = grown.root() if whole else b""
    return roots


class _Chain:
    """Goes on past what is wrong: a subtree has the hashes that it may have, computed or kept."""

    def __init__(self, grown: Range) -> None:
        self._size = grown.size
        self._nodes: list[set[bytes]] = [{node} for node in grown.nodes]  # empty: unknown

    def append(self, leaf: bytes, kept: bytes) -> bool:
        """Add a line. Whether the node kept with it can be right."""
        possible, position = {leaf}, self._size
        while position & 1:
            possible = {node_hash(left, right) for left in self._nodes.pop() for right in possible}
            position >>= 1
        good = kept in possible or not possible
        self._nodes.append({kept} if good else {kept, *sorted(possible)[: _CANDIDATES_MAX - 1]})
        self._size += 1
        return good

    def skip(self, size: int) -> None:
        """Lines are missing up to here."""
        known = dict(zip(peaks(self._size), self._nodes, strict=True))
        self._nodes = [known.get(span, set()) for span in peaks(size)]
        self._size = size


def _locate(rows: Rows, report: Report, failed: list[Anchor], leaves: Leaves | None, proven: int) -> None:
    """Say which lines it is, as exactly as what is kept allows."""
    if leaves is not None and proven:
        doubted = [f for f in report.findings if f.what is What.CHANGED and f.first < proven]
        others = [f for f in report.findings if f not in doubted]
        report.findings = []
        _compare(rows(), report, leaves, proven)
        if not report.findings:  # each line is what it was
            report.findings = [Finding(What.NODE, f.first, f.last, "the node kept with it is not") for f in doubted]
        report.findings = sorted([*report.findings, *others], key=lambda f: f.first)
    longest = max((a.checkpoint.size for a in failed), default=0)
    if longest > report.size:
        report.add(What.CUT_OFF, report.size, longest - 1, "a checkpoint proves that they were there")
    for one in failed:
        _explain(report, one)


def _explain(report: Report, failed: Anchor) -> None:
    size, good = failed.checkpoint.size, report.matched
    if size <= good:
        report.add(What.CHECKPOINT, 0, 0, f"{failed.source} contradicts another checkpoint, which the lines agree with")
    elif not any(f.first < size and f.last >= good for f in report.findings if f.what in _LOSSES):
        text = f"among them is one that was changed, removed or put elsewhere: {failed.source} does not agree"
        report.add(What.CHANGED, good, size - 1, text)


_LOSSES = (What.CHANGED, What.MISSING, What.CUT_OFF)


def _compare(rows: Iterable[Row], report: Report, leaves: Leaves, proven: int) -> None:
    """Hold each line against the hash that was kept of it."""
    originals: Iterator[tuple[int, bytes]] = iter(enumerate(leaves))
    at, original = next(originals, (-1, b""))
    for position, line, _ in rows:
        if position >= proven or at < 0:
            return
        if position < at:
            continue
        while at < position:  # lines that are missing were told
            at, original = next(originals)
        leaf = leaf_hash(line)
        if leaf != original:
            goes_on = bool(report.findings) and report.findings[-1].last == position - 1
            report.add(What.CHANGED, position, position, "" if goes_on else _where(leaves, leaf))
        at, original = next(originals, (-1, b""))


def _where(leaves: Leaves, leaf: bytes) -> str:
    was = leaves.find(leaf)
    return "not what was written" if was is None else f"here stands what was line {was}"
