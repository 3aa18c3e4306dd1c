"""Objects that took a decode worker down: for some minutes they are refused at once, so that others get decoded."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from fileroom.archive.packs import FileRange
from fileroom.errors import UndecodableImage

SUSPECT_SECONDS = 300.0
_SUSPECTS_MAX = 1024  # the oldest is forgotten first

_Key = tuple[int, int, int]  # the pack, and where in it the object ends: the same for its file and its dataset


class Suspects:
    """The objects that a worker hung or crashed on lately. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[_Key, float] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, stored: FileRange) -> None:
        """Raises UndecodableImage for an object that is remembered."""
        if not self._until:
            return
        with self._lock:
            until = self._until.get(_key(stored))
        if until is not None and self._clock() < until:
            raise UndecodableImage("a decoder hung or crashed on this object a moment ago", hint="try in some minutes")

    def add(self, stored: FileRange) -> None:
        """Remember this object for `SUSPECT_SECONDS`."""
        with self._lock:
            key = _key(stored)
            self._until[key] = self._clock() + SUSPECT_SECONDS
            self._until.move_to_end(key)
            while len(self._until) > _SUSPECTS_MAX:
                self._until.popitem(last=False)


def _key(stored: FileRange) -> _Key:
    status = os.fstat(stored.fd)
    return status.st_dev, status.st_ino, stored.offset + stored.length
