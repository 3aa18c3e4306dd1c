"""Which content coding an asker takes (RFC 9110 12.5.3)."""

from __future__ import annotations


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip; "" does not."""
    return takes(accept_encoding, "gzip", "x-gzip", "*")


def takes(accept_encoding: str, *codings: str) -> bool:
    """Whether the first of these codings that an Accept-Encoding header names is allowed there."""
    for piece in accept_encoding.lower().split(","):
        coding, _, q = piece.replace(" ", "").partition(";")
        if coding in codings:
            return not q.startswith("q=0") or q.strip("q=0.") != ""
    return False
