"""Uploads onto a disk with little room: said clearly, and nothing of the file stays."""

from __future__ import annotations

from pathlib import Path

import orjson

from fileroom.administration.upload import Upload
from fileroom.web.pages import Pages
from fileroom.web.router import Router
from tests.support import corpus
from tests.support.archives import running_archive
from tests.support.web import RawClient, serving


def test_a_disk_that_is_nearly_full_is_said_and_nothing_of_the_file_stays(small_disk: Path, tmp_path: Path) -> None:
    (one,) = corpus.small_studies(1)
    body = one.part10
    head = f"POST /upload?name=one.dcm HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        router = Router()
        Upload(Pages(("web", "administration"), "test"), archive.receiver, small_disk / "spool", "main").add_routes(
            router
        )
        with serving(router) as server, RawClient(server) as client:
            answer = client.ask(head + body)
        assert answer.status == 507
        told = orjson.loads(answer.body)
        assert "full" in told["error"]
        assert told["hint"]
        assert list((small_disk / "spool").iterdir()) == []
        assert archive.retriever.instances(one.study_uid) == []
