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
_FAILURES = (ClientFailed, OSError, LookupError, ValueError)
_NOT_STARTED = "another client could not start"


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
    for member, (_, sender) in zip(members, pipes, strict=True):
        member.start()
        sender.close()  # the member's copy is the last: when it dies, the pipe ends
    try:
        answers = [_result(receiver) for receiver, _ in pipes]
    finally:
        for member in members:
            member.join(5)
            member.kill()
    failures = [answer for answer in answers if isinstance(answer, str)]
    if failures:
        raise ClientFailed(next((reason for reason in failures if reason != _NOT_STARTED), _NOT_STARTED))
    results = [answer for answer in answers if not isinstance(answer, str)]
    started, ended = min(start for start, _, _ in results), max(end for _, end, _ in results)
    return Shift(ended - started, tuple(one for _, _, each in results for one in each))


def _client(number: int, steps: int, hire: Callable[[int], Step], barrier: Barrier, answer: Connection) -> None:
    try:
        step = hire(number)
    except _FAILURES as error:
        barrier.abort()
        answer.send(_words(error))
        return
    try:
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
        answer.send(_NOT_STARTED)
    except _FAILURES as error:
        answer.send(_words(error))


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, ClientFailed) else f"{type(error).__name__}: {error}"


def _result(receiver: Connection) -> tuple[float, float, list[float]] | str:
    if not receiver.poll(_TIMEOUT_SECONDS):
        return "a client did not finish in time"
    try:
        result: tuple[float, float, list[float]] | str = receiver.recv()
    except EOFError:
        return "a client ended without a word"
    return result
