"""Taking turns: the same work on each side, pair after pair, in alternating order."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benches import crew
from benches.clients.failure import ClientFailed
from benches.sides import Side
from tests.support.processes import NotReady


@dataclass(frozen=True, slots=True)
class Sample:
    """One side's turn."""

    seconds: float
    count: int  # objects, requests: what the row counts
    cpu_seconds: float  # the server's
    latencies: tuple[float, ...]  # seconds


@dataclass(frozen=True, slots=True)
class Series:
    """All turns of one side; every figure is the median over the turns."""

    samples: tuple[Sample, ...]

    @property
    def rate(self) -> float:
        """Counted things a second."""
        return statistics.median(sample.count / sample.seconds for sample in self.samples)

    @property
    def cpu(self) -> float:
        """CPU seconds of the server for each counted thing."""
        return statistics.median(sample.cpu_seconds / sample.count for sample in self.samples)

    def latency(self, share: float) -> float:
        """Seconds: the median over the turns of that quantile (0.5, 0.95)."""
        return statistics.median(quantile(sample.latencies, share) for sample in self.samples)


Hire = Callable[[Side, int, int], crew.Step]
"""`hire(side, turn, client)` opens one client's connection and returns what it does at each step."""


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def turn(side: Side, number: int, clients: int, steps: int, hire: Hire, per_step: int = 1) -> Sample:
    """One side's turn; `per_step` is how many counted things a step does. Raises ClientFailed."""
    os.sync()  # so that nobody pays for what another left to write
    before = side.cpu_seconds()
    shift = crew.work(clients, steps, lambda client: hire(side, number, client))
    time.sleep(0.05)  # what the server does right after its answers is part of the work
    return Sample(shift.seconds, clients * steps * per_step, max(side.cpu_seconds() - before, 1e-6), shift.latencies)


def take_turns(sides: Sequence[Side], pairs: int, work: Callable[[Side, int], Sample]) -> dict[str, Series]:
    """`pairs` turns of each side, in alternating order, after one turn of each (number 0) that is not counted.

    A side that fails is left out and says why in `side.failed`; the others go on.
    """
    samples: dict[str, list[Sample]] = {side.name: [] for side in sides}
    for number in range(pairs + 1):
        order = list(sides) if number % 2 else list(reversed(sides))
        for side in order:
            if side.failed:
                continue
            try:
                sample = work(side, number)
            except (ClientFailed, NotReady, OSError) as error:
                side.failed = str(error).strip() or type(error).__name__
                continue
            if number:
                samples[side.name].append(sample)
    return {side.name: Series(tuple(samples[side.name])) for side in sides if not side.failed}
