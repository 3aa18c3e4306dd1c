"""Which content coding an asker takes (RFC 9110 12.5.3)."""

from __future__ import annotations


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip; "" does not."""
    for piece in accept_encoding.lower().split(","):
        coding, _, q = piece.replace(" ", "").partition(";")
        if coding in ("gzip", "x-gzip", "*"):
            return not q.startswith("q=0") or q.strip("q=0.") != ""
    return False
