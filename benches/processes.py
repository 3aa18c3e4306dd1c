"""What a server costs: CPU and memory of a process and everything it started, from /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from `state` on (proc(5): field 3 is at index 0). [] when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def family(pid: int) -> list[int]:
    """The process and its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], [])
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time so far, of the process, its living descendants and those that they reaped."""
    return sum(_own_seconds(one) + _reaped_seconds(one) for one in family(pid))


def _own_seconds(pid: int) -> float:
    """To the nanosecond, by the kernel's CPU clock of that process (clock_getcpuclockid(3))."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0  # it ended meanwhile; its parent accounts for it


def _reaped_seconds(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[13:15])) / _TICK if fields else 0.0


def resident_bytes(pid: int) -> int:
    """Memory that is theirs, in all: proportional set size, so that shared pages are counted once."""
    total = 0
    for one in family(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def settle(pid: int, *, quiet_share: float = 0.05, timeout_seconds: float = 300) -> float:
    """Waits until the server's own background work is over: under that share of a core for two seconds.

    Returns the CPU seconds it spent meanwhile.
    """
    started, deadline = cpu_seconds(pid), time.monotonic() + timeout_seconds
    before = started
    while time.monotonic() < deadline:
        time.sleep(2)
        now = cpu_seconds(pid)
        if now - before < 2 * quiet_share:
            break
        before = now
    return cpu_seconds(pid) - started
