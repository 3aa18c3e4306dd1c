"""What the door counts, for /metrics and status."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stats:
    """The door's counts since its start."""

    open: int  # associations open now
    counts: Mapping[str, int]  # accepted, rejected, aborted, broken; echo, stored, refused, find, get, move, sent


class Tally:
    """Counts of events by name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, name: str, by: int = 1) -> None:
        with self._lock:
            self._counts[name] += by

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)
