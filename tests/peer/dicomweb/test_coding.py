"""A place to compress comes back however an answer ends: sent, asked for by HEAD only, or cut off in the middle."""

from __future__ import annotations

import random
import time

from fileroom.dicomweb.coding import Coding
from fileroom.web.http import Request, Response
from tests.support.web import GET, RawClient, serving

# Half of it compresses: far more than a socket holds is left to send.
BODY = random.Random(1).randbytes(8_000_000) + bytes(8_000_000)


def test_a_place_comes_back_however_the_answer_ends() -> None:
    coding = Coding(1)

    def app(request: Request) -> Response:
        return coding.coded(Response(200, [], [BODY]))

    def is_coded(client: RawClient) -> bool:
        return client.ask().headers.get("content-encoding") == "zstd"

    with serving(app) as server, RawClient(server) as client:
        assert is_coded(client)
        assert client.ask(GET.replace(b"GET", b"HEAD", 1), head=True).headers["content-encoding"] == "zstd"
        assert is_coded(client)
        slow = RawClient(server, receive_buffer=4096)
        slow.send(GET)
        slow.until(b"\r\n\r\n")
        assert not is_coded(client)  # the only place is taken: what it asks for goes out as it is
        slow.__exit__()
        until = time.monotonic() + 10
        while not is_coded(client):
            assert time.monotonic() < until, "the place did not come back"
