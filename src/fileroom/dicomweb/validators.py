"""ETags and conditional requests (RFC 9110 13).

What is stored never changes, but what is served may (a study is hidden, a series grows), so every answer is
`private, no-cache`: a browser may keep it and must ask whether it still holds. Asking costs one look-up and a 304.
"""

from __future__ import annotations

from fileroom.web.http import Request, Response

CACHE_CONTROL = ("cache-control", "private, no-cache")


def not_modified(request: Request, etag: str, *vary: tuple[str, str]) -> Response | None:
    """The 304 for an asker that has this very content; None when it has not. `etag` comes without quotes."""
    held = request.headers.get("if-none-match")
    if held is None:
        return None
    quoted = f'"{etag}"'
    for candidate in held.split(","):
        if candidate.strip().removeprefix("W/") in (quoted, "*"):
            return Response(304, [("etag", quoted), CACHE_CONTROL, *vary])
    return None


def headers(etag: str) -> list[tuple[str, str]]:
    """The headers of an answer that can be asked for again."""
    return [("etag", f'"{etag}"'), CACHE_CONTROL]
