"""The viewer's files over HTTP: right types, compressed where taken, kept for ever, found again unchanged."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from email.message import Message
from importlib.resources import files

import pytest

from tests.peer.viewer.conftest import Archive

OHIF = files("fileroom.viewer").joinpath("ohif")


def get(archive: Archive, path: str, **headers: str) -> tuple[int, Message, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(archive.server.url + path, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.fixture
def prefix(archive: Archive) -> str:
    return str(json.loads(OHIF.joinpath("viewer.json").read_text())["prefix"])


def named(suffix: str) -> str:
    return next(file.name for file in OHIF.joinpath("files").iterdir() if file.name.endswith(suffix)).removesuffix(
        ".gz"
    )


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        (".wasm.gz", "application/wasm"),
        (".js.gz", "text/javascript; charset=utf-8"),
        (".css.gz", "text/css; charset=utf-8"),
        (".woff2", "font/woff2"),
    ],
)
def test_each_file_has_its_type_and_is_kept(archive: Archive, prefix: str, suffix: str, media_type: str) -> None:
    status, headers, body = get(archive, prefix + named(suffix), accept_encoding="gzip, br")
    assert (status, headers["content-type"]) == (200, media_type)
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    plain_status, plain, whole = get(archive, prefix + named(suffix))
    assert (plain_status, plain["content-encoding"]) == (200, None)
    if suffix.endswith(".gz"):
        assert headers["content-encoding"] == "gzip"
        assert gzip.decompress(body) == whole
        assert plain["etag"] != headers["etag"]
    else:
        assert body == whole


def test_who_has_a_file_is_not_sent_it_again(archive: Archive, prefix: str) -> None:
    path = prefix + named(".js.gz")
    etag = get(archive, path)[1]["etag"]
    status, headers, body = get(archive, path, if_none_match=etag)
    assert (status, headers["etag"], body) == (304, etag, b"")


def test_the_licence_is_carried_and_what_is_unused_is_not(archive: Archive) -> None:
    assert "MIT" in OHIF.joinpath("LICENSE").read_text()
    carried = [file.name for file in OHIF.joinpath("files").iterdir()]
    assert not [name for name in carried if name.endswith(".map") or name in ("ort", "sw.js", "google.js")]


@pytest.mark.parametrize("name", ["nothing.js", "..%2fviewer.json", "../viewer.json", "app-config.js", "%00"])
def test_other_names_are_not_there(archive: Archive, prefix: str, name: str) -> None:
    status, _, body = get(archive, prefix + name)
    assert b'"script"' not in body
    assert status in (400, 404)


def test_scripts_are_sent_in_few_bytes_and_without_what_doubles_them_in_a_browser() -> None:
    about = json.loads(OHIF.joinpath("viewer.json").read_text())
    script = gzip.decompress(OHIF.joinpath("files", about["script"] + ".gz").read_bytes())
    assert script.isascii()
    assert len(script) < 12_000_000
    assert f'__webpack_require__.p="{about["prefix"]}"'.encode() in script
