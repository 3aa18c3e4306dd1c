"""A UID as one segment of a path. Senders choose UIDs: one may hold a slash or anything else that prints."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

_PLAIN = frozenset("0123456789.")


def segment(uid: str) -> str:
    """A UID as one path segment; odd ones are percent-encoded."""
    return uid if _PLAIN.issuperset(uid) and uid.strip(".") else _quoted(uid)


@lru_cache(maxsize=1024)
def _quoted(uid: str) -> str:
    return "".join(f"%{ord(c):02X}" for c in uid) if uid in (".", "..") else quote(uid, safe="")
