"""Which handler answers a method and path."""

from __future__ import annotations

from dataclasses import dataclass, field

from fileroom import errors
from fileroom.web.http import Handler, Request, Response, error_response


class NoSuchPage(errors.NotFound):
    """No handler has this path. Its path is not logged: it is not ours and may say anything."""


@dataclass(slots=True)
class _Node:
    """One place in the tree of path segments."""

    fixed: dict[str, _Node] = field(default_factory=dict)
    any_one: _Node | None = None  # `{name}`
    any_rest: _Node | None = None  # `{name...}`
    names: list[str] = field(default_factory=list)  # of the pattern that ends here
    methods: dict[str, Handler] = field(default_factory=dict)


class Router:
    """Maps method and path to a handler.

    `{name}` in a pattern stands for one path segment, not empty; `{name...}` at its end for one or more. A fixed
    segment wins over a name. A segment is split off before it is decoded, so an encoded slash stays inside it.
    """

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Register; GET also answers HEAD (the server drops the body)."""
        node, names = self._root, []
        for piece in pattern[1:].split("/"):
            if piece.startswith("{") and piece.endswith("...}"):
                names.append(piece[1:-4])
                node.any_rest = node = node.any_rest or _Node()
            elif piece.startswith("{"):
                names.append(piece[1:-1])
                node.any_one = node = node.any_one or _Node()
            else:
                node = node.fixed.setdefault(piece, _Node())
        if node.methods and node.names != names:
            raise ValueError(f"{pattern}: the same path with other names exists")
        node.names = names
        node.methods[method] = handler

    def __call__(self, request: Request) -> Response:
        """The answer of the handler. Raises NoSuchPage; 405 with `Allow` when only the method is wrong."""
        values: list[str] = []
        node = _find(self._root, request.segments(), 0, values)
        if node is None:
            raise NoSuchPage("no such page")
        handler = node.methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            return _other_method(request, node)
        return handler(request._replace(params=dict(zip(node.names, values, strict=True))) if values else request)


def _find(node: _Node, segments: list[str], at: int, values: list[str]) -> _Node | None:
    if at == len(segments):
        return node if node.methods else None
    piece = segments[at]
    if (fixed := node.fixed.get(piece)) is not None and (found := _find(fixed, segments, at + 1, values)):
        return found
    if node.any_one is not None and piece:
        values.append(piece)
        if found := _find(node.any_one, segments, at + 1, values):
            return found
        values.pop()
    if node.any_rest is not None and piece:
        values.append("/".join(segments[at:]))
        return node.any_rest
    return None


def _other_method(request: Request, node: _Node) -> Response:
    methods = {*node.methods, "OPTIONS"} | ({"HEAD"} if "GET" in node.methods else set())
    allow = ("allow", ", ".join(sorted(methods)))
    if request.method == "OPTIONS":
        return Response(204, [allow])
    response = error_response(errors.BadRequest("method not allowed here", hint=f"allowed: {allow[1]}"), 405)
    response.headers.append(allow)
    return response
