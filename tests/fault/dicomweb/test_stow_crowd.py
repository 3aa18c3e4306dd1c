"""A body of thousands of parts that are no objects: each is answered, few are logged, and none is held on to."""

from __future__ import annotations

import gc
import json
import logging
import tracemalloc
from pathlib import Path

import pytest

from fileroom.dicomweb.stow import Stow
from fileroom.web.router import Router
from tests.support.archives import running_archive
from tests.support.web import RawClient, serving

PARTS = 3000


def _request() -> bytes:
    body = b"--xx\r\nContent-Type: application/dicom\r\n\r\n\r\n" * PARTS + b"--xx--\r\n"
    kind = b'multipart/related; type="application/dicom"; boundary=xx'
    head = b"POST /dicomweb/studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (kind, len(body)) + body


def test_thousands_of_empty_parts_fill_neither_memory_nor_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="fileroom.dicomweb")
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        router = Router()
        Stow(archive.receiver, "main").add_routes(router)
        with serving(router) as server, RawClient(server) as client:
            client.ask(_request())
            caplog.clear()
            gc.disable()  # what only the collector finds stays for long in a server
            tracemalloc.start()
            try:
                answer = client.ask(_request())
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
                gc.enable()
    assert answer.status == 409
    assert len(json.loads(answer.body)["0008119A"]["Value"]) == PARTS
    assert peak < 2000 * PARTS, peak
    assert len(caplog.records) < 40
    assert f"{PARTS}" in str(caplog.records[-1].__dict__["count"])
