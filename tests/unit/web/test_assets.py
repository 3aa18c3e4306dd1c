"""The pages' own files: small enough for a slow line, and an icon for whoever asks where icons used to lie."""

from __future__ import annotations

import gzip
from importlib.resources import files

from fileroom.web.assets import Assets
from fileroom.web.body import NO_BODY
from fileroom.web.http import Request

ROOMS = ("web", "administration", "reading", "viewer")
PACKED_BYTES_MAX = 60_000


def test_scripts_and_styles_of_all_pages_together_are_small_when_sent() -> None:
    packed = {
        file.name: len(gzip.compress(file.read_bytes()))
        for room in ROOMS
        for file in files(f"fileroom.{room}").joinpath("static").iterdir()
        if file.name.endswith((".js", ".css"))
    }
    assert len(packed) > 10
    assert sum(packed.values()) < PACKED_BYTES_MAX, packed


def test_an_icon_lies_where_browsers_look_for_one() -> None:
    answer = Assets().icon(Request("GET", "/favicon.ico", "x=1", {}, NO_BODY, ("127.0.0.1", 1)))
    assert (answer.status, dict(answer.headers)["content-type"]) == (200, "image/svg+xml")
    (content,) = answer.parts
    assert isinstance(content, bytes)
    assert content.startswith(b"<svg ")
