"""A long line: `python -m benches.link LISTEN_PORT SERVER_PORT` forwards TCP on loopback, late and slowly.

What `tc netem` does where a kernel has it, for everybody: half a round trip of delay each way, one rate that all
connections share, a round trip for opening a connection, and TCP's slow start, since browsers open several connections
and a fresh one is slow at first (RFC 6928, RFC 5681; no packet is ever lost here).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support import processes

ROUND_TRIP_SECONDS = 0.05
BYTES_A_SECOND = 100e6 / 8
_CHUNK_BYTES = 16384
_INITIAL_BYTES = 10 * 1460  # in flight on a fresh connection
_WINDOW_BYTES_MAX = 1 << 20  # a few round trips' worth: what queues before the line stays short
_IDLE_SECONDS = 0.25  # after so long a silence a sender starts slowly again


class Rate:
    """What passes one way; when a chunk's last byte has left."""

    def __init__(self) -> None:
        self._free = 0.0

    def reserve(self, size: int) -> float:
        now = asyncio.get_running_loop().time()
        self._free = max(now, self._free) + size / BYTES_A_SECOND
        return self._free


class Window:
    """How much of one connection may be in flight: it doubles each round trip."""

    def __init__(self) -> None:
        self._size, self._flying, self._last = float(_INITIAL_BYTES), 0, 0.0
        self._room = asyncio.Event()

    async def take(self, size: int) -> None:
        now = asyncio.get_running_loop().time()
        if not self._flying and now - self._last > _IDLE_SECONDS:
            self._size = float(_INITIAL_BYTES)
        while self._flying and self._flying + size > self._size:
            self._room.clear()
            await self._room.wait()
        self._flying += size

    def acknowledged(self, size: int) -> None:
        self._flying -= size
        self._size = min(self._size + size, _WINDOW_BYTES_MAX)
        self._last = asyncio.get_running_loop().time()
        self._room.set()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: Rate) -> None:
    """One direction of one connection until its end."""
    loop, window = asyncio.get_running_loop(), Window()
    arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    delivery = asyncio.create_task(_deliver(arriving, writer))
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            await window.take(len(chunk))
            arrival = rate.reserve(len(chunk)) + ROUND_TRIP_SECONDS / 2
            arriving.put_nowait((arrival, chunk))
            loop.call_at(arrival + ROUND_TRIP_SECONDS / 2, window.acknowledged, len(chunk))
    finally:
        arriving.put_nowait((loop.time() + ROUND_TRIP_SECONDS / 2, b""))
        await delivery


async def _deliver(arriving: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while True:
            when, chunk = await arriving.get()
            await asyncio.sleep(when - asyncio.get_running_loop().time())
            if not chunk:
                break
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


async def _serve(listen: int, server: int) -> None:
    up, down = Rate(), Rate()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(ROUND_TRIP_SECONDS)  # SYN and its answer
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server)
            await asyncio.gather(
                _carry(reader, far_writer, up), _carry(far_reader, writer, down), return_exceptions=True
            )
            far_writer.close()
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", listen) as listener:
        await listener.serve_forever()


@contextlib.contextmanager
def link(server_port: int, log: Path) -> Iterator[int]:
    """The port on loopback that leads to that server over the line, in a process of its own. Raises NotReady."""
    port = processes.free_port()
    process = processes.start([sys.executable, "-m", "benches.link", str(port), str(server_port)], log)
    try:
        process.wait_until(lambda: processes.accepts_connections(port))
        yield port
    finally:
        process.kill()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
