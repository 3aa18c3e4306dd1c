"""A handler that catches everything hides what it did not expect. It may stand only where a thread, a process or one
caller's turn ends, and each such place is listed here with its reason. One that raises again hides nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import SOURCE, modules, shown

BROAD = {"Exception", "BaseException"}

# "room/module.py function" -> why it must outlive any error.
BOUNDARIES: dict[str, str] = {
    "archive/inflight.py guarded": "the writer thread, which senders wait for: it refuses these objects, goes on",
    "archive/indexing.py _index_all": "the index thread: a batch that fails is tried object by object",
    "archive/indexing.py _index_singly": "one object of a batch: whatever it is, it is this object's own",
    "archive/commit.py adopt": "one large object: who sends it again waits for this one, and is told",
    "audit/book.py _guarded": "the thread that gives lines their place: it looks again, and the archive is not ready",
    "routing/forward.py _loop": "the thread that applies rules: what it did not finish has its turn again",
    "routing/dispatch.py _loop": "the thread that employs the senders: without it nothing would be sent any more",
    "routing/dispatch.py _run": "the thread of one destination: its send waits again, the others go on",
    "dimse/session.py run": "one association's thread: it ends, the others go on",
    "web/connection.py _answer": "one request: a fault in a handler costs that one answer",
}


def _broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in BROAD for kind in kinds)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _swallowing(path: Path) -> Iterator[str]:
    """The functions of that file with a handler that catches everything and does not raise it again."""

    def visit(node: ast.AST, function: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            if isinstance(child, ast.ExceptHandler) and _broad(child) and not _raises_again(child):
                yield f"{path.relative_to(SOURCE).as_posix()} {function}"
            yield from visit(child, inside)

    yield from visit(ast.parse(path.read_text()), "(module)")


def test_everything_is_caught_only_at_the_listed_boundaries() -> None:
    found = {place for path in SOURCE.rglob("*.py") for place in _swallowing(path)}
    assert found - BOUNDARIES.keys() == set(), "catch what you expect, or list the boundary with its reason"
    assert BOUNDARIES.keys() - found == set(), "listed, but no longer there"


def test_contextlib_does_not_swallow_everything_instead() -> None:
    culprits = [
        shown(path)
        for path in modules()
        if SOURCE in path.parents
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"suppress", "contextlib.suppress"}
        and any(isinstance(kind, ast.Name) and kind.id in BROAD for kind in node.args)
    ]
    assert culprits == []
