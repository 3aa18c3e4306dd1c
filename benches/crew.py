"""Several clients at once, each a process of its own, so that they do not wait for one another's interpreter."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from benches.clients.failure import ClientFailed

# Does one client's n-th piece of work.
Step = Callable[[int], None]

_fork = multiprocessing.get_context("fork")  # premade bytes are inherited, not copied
_TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Shift:
    """What a crew did."""

    seconds: float  # from the common start to the last client's end
    latencies: tuple[float, ...]  # seconds of each piece of work, in no order


def work(clients: int, steps: int, hire: Callable[[int], Step]) -> Shift:
    """Each of `clients` does `steps` pieces of work, all starting together.

    `hire(client)` opens that client's connection, before the clock starts, and returns what it does at each step.
    Raises ClientFailed when any client fails.
    """
    barrier = _fork.Barrier(clients)
    pipes = [_fork.Pipe(duplex=False) for _ in range(clients)]
    members = [
        _fork.Process(target=_client, args=(number, steps, hire, barrier, pipes[number][1]), daemon=True)
        for number in range(clients)
    ]
    for member in members:
        member.start()
    try:
        results = [_result(receiver) for receiver, _ in pipes]
    finally:
        for member in members:
            member.join(5)
            member.kill()
    started, ended = min(start for start, _, _ in results), max(end for _, end, _ in results)
    return Shift(ended - started, tuple(one for _, _, each in results for one in each))


def _client(number: int, steps: int, hire: Callable[[int], Step], barrier: Barrier, answer: Connection) -> None:
    try:
        step = hire(number)
        barrier.wait(60)
        latencies = []
        started = before = time.perf_counter()  # CLOCK_MONOTONIC: the same clock in every process
        for place in range(steps):
            step(place)
            now = time.perf_counter()
            latencies.append(now - before)
            before = now
        answer.send((started, before, latencies))
    except threading.BrokenBarrierError:
        answer.send("another client could not start")
    except (ClientFailed, OSError, LookupError, ValueError) as error:
        barrier.abort()
        answer.send(f"{type(error).__name__}: {error}" if not isinstance(error, ClientFailed) else str(error))


def _result(receiver: Connection) -> tuple[float, float, list[float]]:
    if not receiver.poll(_TIMEOUT_SECONDS):
        raise ClientFailed("a client did not finish in time")
    result: tuple[float, float, list[float]] | str = receiver.recv()
    if isinstance(result, str):
        raise ClientFailed(result)
    return result
