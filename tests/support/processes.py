"""Real servers as child processes: started on free ports, ended with the tests, never left behind."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Below the kernel's ephemeral range, so that no outgoing connection takes a port between the look and the bind.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now. Never the same one twice in a process."""
    return next(_ports)


def _free_ports() -> Iterator[int]:
    numbers = list(PORTS)
    random.SystemRandom().shuffle(numbers)
    for number in numbers:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
        yield number


_ports = _free_ports()


class NotReady(AssertionError):
    """A server died or did not answer in time; the message holds the end of its log."""


@dataclass(slots=True)
class Process:
    """A running child, with its output in a file."""

    popen: subprocess.Popen[bytes]
    log: Path
    stop_signal: int = signal.SIGTERM

    @property
    def pid(self) -> int:
        return self.popen.pid

    def alive(self) -> bool:
        return self.popen.poll() is None

    def kill(self) -> None:
        """SIGKILL, now; returns when it is gone."""
        if self.alive():
            self.popen.kill()
        self.popen.wait(10)

    def stop(self, timeout_seconds: float = 20) -> int:
        """Asks it to end and waits; returns the exit code. Kills it when it does not end in time."""
        if self.alive():
            self.popen.send_signal(self.stop_signal)
        try:
            return self.popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise NotReady(f"did not end within {timeout_seconds} s of being asked\n{self.tail()}") from None

    def tail(self, size: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-size:]

    def wait_until(self, ready: Callable[[], bool], timeout_seconds: float = 60) -> None:
        """Polls `ready` until it says yes. Raises NotReady with the log when the child dies or time is up."""
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if not self.alive():
                raise NotReady(f"{self.popen.args!r} ended with {self.popen.returncode}\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise NotReady(f"{self.popen.args!r} was not ready in {timeout_seconds} s\n{self.tail()}")
            time.sleep(0.02)


def start(
    command: Sequence[str | os.PathLike[str]],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    stop_signal: int = signal.SIGTERM,
    death_signal: str = "KILL",
) -> Process:
    """Starts a server whose output goes to `log`. It gets `death_signal` when the tests die, however they die.

    `environment` is the whole of what it gets, this process's own when None. `user` drops from root to that user
    (PostgreSQL refuses to run as root).
    """
    wrapper = ["setpriv", "--pdeathsig", death_signal]
    if user is not None and os.geteuid() == 0:
        wrapper += ["--reuid", user, "--regid", user, "--init-groups"]
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [*wrapper, *(os.fspath(word) for word in command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
        )
    return Process(popen, log, stop_signal)


def accepts_connections(port: int) -> bool:
    """Whether something listens on that loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
