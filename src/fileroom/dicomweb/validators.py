"""ETags and conditional requests (RFC 9110 13).

What is stored never changes, but what is served may (a study is hidden, a series grows), so every answer is
`private, no-cache`: a browser may keep it and must ask whether it still holds. Asking costs one look-up and a 304.

Who asks ahead of somebody else in the same browser says so in the header `Fileroom-Ahead: 1`: the answer then holds for
some seconds, so that the other one finds it without a round trip. The viewer's page does that (viewer/static/early.js).
"""

from __future__ import annotations

from fileroom.web.http import Request, Response

CACHE_CONTROL = ("cache-control", "private, no-cache")
_AHEAD = "fileroom-ahead"
_AHEAD_SECONDS = 10  # from when the page has begun to when the viewer asks, on a long line


def asked_ahead(request: Request) -> tuple[str, str] | None:
    """The Cache-Control for who asks ahead; None for everybody else."""
    if request.headers.get(_AHEAD) == "1":
        return ("cache-control", f"private, max-age={_AHEAD_SECONDS}")
    return None


def not_modified(request: Request, etag: str, *vary: tuple[str, str]) -> Response | None:
    """The 304 for an asker that has this very content; None when it has not. `etag` comes without quotes."""
    held = request.headers.get("if-none-match")
    if held is None:
        return None
    quoted = f'"{etag}"'
    for candidate in held.split(","):
        if candidate.strip().removeprefix("W/") in (quoted, "*"):
            return Response(304, [("etag", quoted), asked_ahead(request) or CACHE_CONTROL, *vary])
    return None


def headers(etag: str, request: Request | None = None) -> list[tuple[str, str]]:
    """The headers of an answer that can be asked for again, by `request` even ahead."""
    return [("etag", f'"{etag}"'), (asked_ahead(request) if request else None) or CACHE_CONTROL]
