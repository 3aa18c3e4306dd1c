"""Child processes that touch hostile pixels for the server: started on demand, killable, limited in memory and time.

They are fresh interpreters (`python -m fileroom.archive.decode_worker`), never forks of the threaded server; they
end when idle, and when the server is gone.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import fileroom
from fileroom.archive.worker_messages import Gone, Message, receive, send
from fileroom.errors import Busy, FileroomError, MalformedObject, StorageFull, UndecodableImage

_LOG = logging.getLogger("fileroom.archive")
_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR")  # no secrets
_REFUSALS: dict[str, type[FileroomError]] = {
    "undecodable": UndecodableImage,
    "malformed": MalformedObject,
    "storage": StorageFull,
    "large": Busy,  # larger than there is space for now
}


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What the workers may take."""

    count_max: int  # processes at once
    memory_bytes: int  # address space of one, beside the object it maps
    seconds_max: float  # for a small image; a large one gets more, see `seconds`
    idle_seconds: float = 10.0  # after which a worker that has nothing to do ends
    wait_seconds: float = 30.0  # a request waits for a free worker before it is Busy

    def seconds(self, size_bytes: int, times_max: int) -> float:
        """What a request may take that makes so many bytes; at most `times_max` times what a small image may.

        With 10 seconds for a small one it may go as slow as 5 MiB a second, a tenth of what decoders usually reach.
        """
        return self.seconds_max * min(1 + (size_bytes >> 20) / 50, times_max)


class Workers:
    """A pool of workers. Thread-safe."""

    def __init__(self, limits: WorkerLimits) -> None:
        self.limits = limits
        self._changed = threading.Condition()
        self._idle: list[Worker] = []  # the one used last is last
        self._all: set[Worker] = set()  # idle or at work
        self._reaper: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[Worker]:
        """A worker of one's own for a while. Raises Busy when none is free in time."""
        worker = self._take()
        try:
            yield worker
        finally:
            self._give_back(worker)

    def close(self) -> None:
        """End all workers; requests under way fail. Idempotent."""
        with self._changed:
            self._closed = True
            workers, self._idle = list(self._all), []
            self._changed.notify_all()
        for worker in workers:
            worker.end()

    def _take(self) -> Worker:
        deadline = time.monotonic() + self.limits.wait_seconds
        with self._changed:
            while True:
                if self._closed:
                    raise Busy("the decoder is shut down")
                if self._idle:
                    return self._idle.pop()
                if len(self._all) < self.limits.count_max:
                    try:
                        worker = Worker(self.limits)
                    except OSError as error:
                        raise Busy(f"no decode worker could be started: {error.strerror}") from error
                    self._all.add(worker)
                    return worker
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise Busy(f"no decode worker was free within {self.limits.wait_seconds:g} seconds")

    def _give_back(self, worker: Worker) -> None:
        keep = worker.healthy and not self._closed
        if not keep:
            worker.end()
        with self._changed:
            if keep:
                worker.idle_since = time.monotonic()
                self._idle.append(worker)
                if self._reaper is None:
                    self._reaper = threading.Thread(target=self._end_idle, name="decode-workers", daemon=True)
                    self._reaper.start()
            else:
                self._all.discard(worker)
            self._changed.notify()

    def _end_idle(self) -> None:
        """Ends workers that are idle for long; ends itself with the last one."""
        with self._changed:
            while self._all and not self._closed:
                now = time.monotonic()
                for worker in [w for w in self._idle if now - w.idle_since >= self.limits.idle_seconds]:
                    self._idle.remove(worker)
                    self._all.discard(worker)
                    worker.end()
                waits = [self.limits.idle_seconds + w.idle_since - now for w in self._idle]
                self._changed.wait(max(0.01, min(waits, default=self.limits.idle_seconds)))
            self._reaper = None


class Worker:
    """One child process and the channel to it. Used by one thread at a time."""

    def __init__(self, limits: WorkerLimits) -> None:
        self.idle_since = 0.0
        self.healthy = True  # it may be asked again
        self.lost = False  # it crashed, or was too slow and killed
        self._channel, theirs = socket.socketpair()
        arguments = [str(theirs.fileno()), str(limits.memory_bytes)]
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = str(Path(fileroom.__file__).parent.parent)
        for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"):
            environment[threads] = "1"  # threads and arenas take address space
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fileroom.archive.decode_worker", *arguments],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # Ctrl-C is the server's; a worker ends when its channel does
            )

    def ask(self, message: Message, descriptors: tuple[int, ...], seconds: float) -> tuple[Message, list[int]]:
        """Give it one message; its answer, and the descriptors in it, which are the caller's to close.

        Raises what the worker says, and UndecodableImage when it crashes or takes longer than `seconds`.
        """
        self.healthy = False
        answer, received = self._answer(message | {"seconds": seconds}, descriptors, seconds)
        self.healthy = "exhausted" not in answer
        if "refusal" in answer:
            for descriptor in received:
                os.close(descriptor)
            raise _REFUSALS.get(str(answer["refusal"]), UndecodableImage)(str(answer.get("message", ""))[:500])
        return answer, received

    def _answer(self, message: Message, descriptors: tuple[int, ...], seconds: float) -> tuple[Message, list[int]]:
        self._channel.settimeout(seconds)
        try:
            send(self._channel, message, descriptors)
            return receive(self._channel)
        except TimeoutError:
            self.lost = True
            _LOG.warning("event=decode_worker_killed reason=timeout seconds=%g", seconds)
            raise UndecodableImage(f"decoding took longer than {seconds:g} seconds") from None
        except (Gone, OSError, ValueError) as error:
            self.lost = True
            code = self.end()
            _LOG.warning("event=decode_worker_died exit_code=%d", code)
            raise UndecodableImage(f"the decoder crashed on it (exit code {code})") from error

    def end(self) -> int:
        """Kill it if it still runs; its exit code. Idempotent."""
        self._channel.close()
        if self._process.poll() is None:
            try:
                self._process.wait(0.05)  # an idle one ends by itself when the channel closes
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()
