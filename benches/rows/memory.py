"""Memory of the whole server: idle, and while a 450 MB tomosynthesis comes in, goes out and serves frames to eight."""

from __future__ import annotations

import threading
import time

from benches import crew, processes
from benches.bench import Bench
from benches.clients import http
from benches.clients.failure import ClientFailed
from benches.library import send
from benches.rows import frames
from benches.sides import FILEROOM, Side
from benches.table import Line
from tests.support import corpus

_MB = 1_000_000


class _Watch(threading.Thread):
    """The most memory a server took, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.most = 0

    def run(self) -> None:
        while not self._over.wait(0.1):
            self.most = max(self.most, processes.resident_bytes(self._pid))

    def end(self) -> int:
        self._over.set()
        self.join()
        return self.most


def run(bench: Bench) -> list[Line]:
    bench.say("memory")
    idle: dict[str, str] = {}
    busy: dict[str, str] = {}
    met = {"idle": "", "busy": ""}
    with bench.sides("memory") as sides:
        for side in sides:
            time.sleep(2)
            bytes_idle = processes.resident_bytes(side.pid)
            idle[side.name] = f"{bytes_idle / _MB:,.0f} MB"
            try:
                bytes_busy = _busy(bench, side)
                busy[side.name] = f"{bytes_busy / _MB:,.0f} MB"
            except (ClientFailed, OSError) as error:
                bytes_busy = 1 << 62
                busy[side.name] = f"failed: {str(error)[:160]}"
            if side.name == FILEROOM:
                met = {"idle": _yes(bytes_idle <= 250 * _MB), "busy": _yes(bytes_busy <= 1000 * _MB)}
    what = "memory with a 450 MB tomosynthesis in, out, and its frames to 8 clients"
    return [
        Line(
            "memory, idle",
            idle.get(FILEROOM, "failed"),
            idle.get("Orthanc", ""),
            must="250 MB at most",
            met=met["idle"],
        ),
        Line(what, busy.get(FILEROOM, "failed"), busy.get("Orthanc", ""), must="1 GB at most", met=met["busy"]),
    ]


def _yes(met: bool) -> str:
    return "yes" if met else "no"


def _busy(bench: Bench, side: Side) -> int:
    volume = corpus.tomosynthesis(500, frames=bench.count(172, 12))
    watch = _Watch(side.pid)
    watch.start()
    try:
        send(side, [volume], associations=1)
        whole = f"{side.dicomweb}/studies/{volume.study_uid}"
        accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        http.Connection(side.web).get(whole, accept)
        choices = [(volume, frame) for frame in range(1, len(volume.pixels) // volume.frame_bytes + 1)]
        hire = frames.reading(choices)
        steps = bench.count(4, 1) if side.name == FILEROOM else 1  # the peer may take a minute for each
        crew.work(8, steps, lambda client: hire(side, 1, client))
    finally:
        most = watch.end()
    return most
