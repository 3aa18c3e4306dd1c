"""Open pages hear of arrivals, and a server that stops does not wait for them."""

from __future__ import annotations

import http.client
import time

from tests.support import corpus
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store


def _listen(server: FileroomServer) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=20)
    connection.request("GET", "/live")
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "text/event-stream"
    assert answer.readline() == b"retry: 3000\n"
    assert answer.readline() == b"\n"
    return answer


def test_a_listener_hears_of_an_arrival_and_does_not_hold_up_a_stop(fileroom_server: FileroomServer) -> None:
    answer = _listen(fileroom_server)
    (one,) = corpus.small_studies(1)
    said = [word.acknowledged for word in c_store(fileroom_server, [one])]
    assert said == [True]
    begin = time.monotonic()
    assert answer.readline() == b"event: studies\n"
    assert time.monotonic() - begin < 5
    begin = time.monotonic()
    assert fileroom_server.stop() == 0
    assert time.monotonic() - begin < 5
