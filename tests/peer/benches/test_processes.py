"""CPU and memory are counted for a server and everything it started."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from benches import processes
from tests.support.processes import start

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"


def test_the_time_of_a_child_that_ended_is_counted(tmp_path: Path) -> None:
    child = f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {BUSY!r}])\n"
    script = child + "print('done', flush=True)\ntime.sleep(60)"
    server = start([sys.executable, "-c", script], tmp_path / "log")
    try:
        server.wait_until(lambda: "done" in server.tail(), 30)
        assert 0.28 < processes.cpu_seconds(server.pid) < 2
        assert processes.resident_bytes(server.pid) > 1_000_000
    finally:
        server.kill()


def test_the_time_of_a_living_child_is_counted(tmp_path: Path) -> None:
    script = f"import os, time\npid = os.fork()\n{BUSY}print('done', flush=True)\ntime.sleep(60)"
    server = start([sys.executable, "-c", script], tmp_path / "log")
    try:
        server.wait_until(lambda: server.tail().count("done") == 2, 30)
        assert len(processes.family(server.pid)) == 2
        assert 0.58 < processes.cpu_seconds(server.pid) < 3
    finally:
        for one in processes.family(server.pid)[1:]:
            os.kill(one, signal.SIGKILL)
        server.kill()
