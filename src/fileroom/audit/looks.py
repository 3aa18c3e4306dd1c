"""Looks that go on for a while, told in two lines: that somebody began, durable before anything is shown, and at the
end what it came to. What lies between costs a count.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable

from fileroom.audit.actor import now_ms
from fileroom.audit.event import Event, Outcome
from fileroom.audit.journal import Journal

IDLE_SECONDS = 300.0  # without another request; then it is over
LONGEST_SECONDS = 8 * 3600.0
OPEN_MAX = 20_000  # looks that are open at one time; beyond, all end and begin anew


def new_act() -> str:
    """What ties the lines of one act together."""
    return secrets.token_hex(8)


_AFTER = {Outcome.BEGUN: Outcome.DONE, Outcome.REFUSED: Outcome.REFUSED}


class _Look:
    """One that is open."""

    __slots__ = ("begun", "counts", "event", "last", "ready")

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.event: Event | None = None  # its first line, once that is durable
        self.counts: Counter[str] = Counter()
        self.begun = self.last = time.monotonic()

    def closing(self) -> Event | None:
        if self.event is None:
            return None
        told = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        detail = "; ".join(text for text in (self.event.detail, told) if text)
        return self.event._replace(
            at_ms=now_ms(), outcome=_AFTER[self.event.outcome], objects=self.counts.total(), detail=detail
        )


class Looks:
    """What is being looked at. Thread-safe."""

    def __init__(self, journal: Journal, idle_seconds: float = IDLE_SECONDS) -> None:
        self._journal = journal
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._open: dict[Hashable, _Look] = {}

    def seen(self, key: Hashable, what: str, begin: Callable[[], Event]) -> None:
        """Somebody sees something more of what `key` says; returns once the line that they began is durable.

        `what`: how it is counted, in the plural. `begin`: makes that line, when there is none yet:
        of something begun, or refused.
        """
        with self._lock:
            look = self._open.get(key)
            mine = look is None
            if look is None:
                look = self._open[key] = _Look()
            look.counts[what] += 1
            look.last = time.monotonic()
        if mine:
            self._begin(key, look, begin)
        elif not look.ready.is_set():
            look.ready.wait()

    def _begin(self, key: Hashable, look: _Look, begin: Callable[[], Event]) -> None:
        try:
            event = begin()._replace(act=new_act())
            self._journal.record([event])
            look.event = event
        except BaseException:
            with self._lock:
                self._open.pop(key, None)
            raise
        finally:
            look.ready.set()
        if len(self._open) > OPEN_MAX:
            self.end()

    def sweep(self) -> None:
        """Tell the end of those that nobody goes on with."""
        now = time.monotonic()
        self._end(lambda look: now - look.last > self._idle_seconds or now - look.begun > LONGEST_SECONDS)

    def end(self) -> None:
        """Tell the end of all."""
        self._end(lambda look: True)

    def _end(self, over: Callable[[_Look], bool]) -> None:
        with self._lock:
            ended = {key: look for key, look in self._open.items() if look.ready.is_set() and over(look)}
            for key in ended:
                del self._open[key]
        self._journal.later([line for look in ended.values() if (line := look.closing()) is not None])
