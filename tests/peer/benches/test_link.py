"""The long line of the benchmark is as long and as thin as it says, and changes nothing on the way."""

from __future__ import annotations

import time
from pathlib import Path

from benches.clients import http
from benches.link import BYTES_A_SECOND, ROUND_TRIP_SECONDS, link
from benches.sinks import nginx


def test_what_comes_over_the_line_is_whole_and_as_late_as_it_should_be(tmp_path: Path) -> None:
    body = bytes(range(256)) * 10_000
    with nginx(tmp_path / "nginx", {"small": b"x", "large": body}) as far, link(far.web, tmp_path / "log") as port:
        begin = time.monotonic()
        connection = http.Connection(port)
        assert connection.get("/small", "*/*", keep=True).body == b"x"
        opened = time.monotonic()
        assert opened - begin > 1.9 * ROUND_TRIP_SECONDS  # to open the connection, to ask
        assert connection.get("/large", "*/*", keep=True).body == body
        # A round trip to ask, some more until the window is wide, then the rate.
        assert time.monotonic() - opened > 2 * ROUND_TRIP_SECONDS + len(body) / BYTES_A_SECOND
