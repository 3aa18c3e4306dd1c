"""Who acts, as a line of the ledger says it."""

from __future__ import annotations

import time
from typing import NamedTuple

UNNAMED = "nobody is named"  # who did what nobody's name came with


class Actor(NamedTuple):
    """Who does something, and from where."""

    who: str  # a person's sign-in name, a calling AE title, a service account
    via: str = ""  # the client: an address, and what it called itself
    where: str = ""  # the door here


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
