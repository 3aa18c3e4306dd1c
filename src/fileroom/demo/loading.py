"""Making the objects of a demonstration and storing them: a few threads make, one hands over, in order."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fileroom.archive.arrival import Source
from fileroom.archive.receive import Pending, Receiver

if TYPE_CHECKING:
    from fileroom.demo.objects import Planned

_MAKERS = 2  # threads that make objects
_AHEAD = 4  # objects made and not yet handed over
_WAITING_MAX = 2  # objects handed over and not yet durable: few, so that what is told is what is there


@dataclass(frozen=True, slots=True)
class Progress:
    """How far loading is, or how it ended."""

    state: str  # idle | loading | done | stopped | failed
    objects: int = 0  # dealt with
    objects_total: int = 0
    size_bytes: int = 0  # made and stored
    counts: Counter[str] = field(default_factory=Counter)  # by outcome; `here before`: not even made
    error: str = ""  # for a person
    hint: str = ""


class Loading:
    """One run: objects made by a few threads, stored in order, counted."""

    def __init__(self, source: Source, total: int, here: int, tell: Callable[[Progress], None]) -> None:
        self._source = source
        self._total = total
        self._tell = tell
        self._counts: Counter[str] = Counter({"here before": here} if here else {})
        self._size_bytes = 0
        self._waiting: deque[Pending] = deque()

    def progress(self, state: str) -> Progress:
        return Progress(state, self._counts.total(), self._total, self._size_bytes, Counter(self._counts))

    def store(self, receiver: Receiver, planned: list[Planned], stopping: threading.Event) -> None:
        self._tell(self.progress("loading"))
        try:
            for made in _made(planned, stopping):
                with receiver.file(self._source, len(made)) as intake:
                    intake.write(made)
                    self._waiting.append(intake.submit())
                self._size_bytes += len(made)
                while len(self._waiting) > _WAITING_MAX:
                    self._settle()
        finally:
            while self._waiting:
                self._settle()

    def _settle(self) -> None:
        self._counts[str(self._waiting.popleft().wait().outcome)] += 1
        self._tell(self.progress("loading"))


def _made(planned: Iterable[Planned], stopping: threading.Event) -> Iterator[bytes]:
    """The files, in order, made a few ahead."""
    rest = iter(planned)
    ahead: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(_MAKERS, "phantom") as pool:
        try:
            while not stopping.is_set():
                while len(ahead) < _AHEAD and (one := next(rest, None)) is not None:
                    ahead.append(pool.submit(one.make))
                if not ahead:
                    return
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()  # those that nobody has begun
