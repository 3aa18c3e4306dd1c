"""The elements of stored objects as a page, whatever the objects are: it answers soon, in little memory, and says
what it leaves out."""

from __future__ import annotations

import time

import pytest

from tests.support import corpus
from tests.support.corpus import Instance
from tests.support.fileroom import FileroomServer
from tests.support.hostile import deflate_bomb, hostile
from tests.support.memory import MB, high_water
from tests.support.raw_elements import element, item, sequence
from tests.support.senders import get, stow


def page_of(server: FileroomServer, one: Instance, *, elements: bool = True) -> str:
    leaf = f"/instances/{one.sop_uid}/tags" if elements else ""
    status, body = get(server, f"/studies/{one.study_uid}/series/{one.series_uid}{leaf}", "text/html")
    assert status == 200, body[:500]
    return body.decode()


def test_what_is_nested_without_end_is_said_and_the_rest_is_there(fileroom_server: FileroomServer) -> None:
    deep = b""
    for _ in range(10_000):
        deep = sequence(0x00400275, item(deep))
    one = hostile("deep", deep + element(0x00400280, "ST", b"still here"))
    assert all(said.acknowledged for said in stow(fileroom_server, [one]))
    text = page_of(fileroom_server, one)
    assert "nested deeper than 64 sequences" in text
    assert "still here" in text


def test_a_million_elements_cost_a_bounded_page(fileroom_server: FileroomServer) -> None:
    empty = item(element(0x00080100, "SH", b"AB"))
    one = hostile("many", sequence(0x00400275, *[empty] * 500_000))
    assert all(said.acknowledged for said in stow(fileroom_server, [one]))
    before = high_water(fileroom_server.pid)
    begin = time.monotonic()
    text = page_of(fileroom_server, one)
    assert time.monotonic() - begin < 10
    assert "more elements than are shown" in text
    assert len(text) < 8_000_000
    assert high_water(fileroom_server.pid) - before < 150 * MB


def test_a_bomb_inflates_on_the_disk_and_not_in_memory(fileroom_server: FileroomServer) -> None:
    one = deflate_bomb(600)
    if not all(said.acknowledged for said in stow(fileroom_server, [one])):
        pytest.skip("refused at the door: there is no page of it")
    before = high_water(fileroom_server.pid)
    status, body = get(fileroom_server, page_address(one), "text/html")
    assert status in (200, 503), body[:500]
    get(fileroom_server, f"/studies/{one.study_uid}/look/series/{one.series_uid}/{one.sop_uid}", "application/json")
    assert high_water(fileroom_server.pid) - before < 150 * MB


def page_address(one: Instance) -> str:
    return f"/studies/{one.study_uid}/series/{one.series_uid}/instances/{one.sop_uid}/tags"


def test_a_large_object_is_not_read_to_list_its_elements(fileroom_server: FileroomServer) -> None:
    one = corpus.tomosynthesis(2, frames=40)
    assert all(said.acknowledged for said in stow(fileroom_server, [one]))
    before = high_water(fileroom_server.pid)
    text = page_of(fileroom_server, one)
    assert "104,857,600 bytes" in text
    assert "per-frame functional groups sequence" in text.lower()
    assert text.count("Frame Content Sequence") == 40
    assert high_water(fileroom_server.pid) - before < 60 * MB


def test_a_long_series_comes_in_pages_by_instance_number(fileroom_server: FileroomServer) -> None:
    objects = list(corpus.ct_study(8, slices=3))
    first = objects[0]
    small = [
        hostile("series", element(0x00200013, "IS", f"{number:<4}".encode()), sop_uid=f"2.25.{9_000 + number}")
        for number in range(430, 0, -1)  # the last one first
    ]
    assert all(said.acknowledged for said in stow(fileroom_server, small))
    assert all(said.acknowledged for said in stow(fileroom_server, [first]))
    text = page_of(fileroom_server, small[0], elements=False)
    assert text.index("2.25.9001<") < text.index("2.25.9002<") < text.index("2.25.9200<")
    assert "2.25.9201<" not in text
    address = f"/studies/{small[0].study_uid}/series/{small[0].series_uid}"
    assert f'href="{address}?from=401"' in text
    status, body = get(fileroom_server, address + "?from=401", "text/html")
    assert (status, body.count(b"/tags")) == (200, 30)
    for wrong, expected in (("?from=431", 404), ("?from=0", 400), ("?from=x", 400)):
        assert get(fileroom_server, address + wrong, "text/html")[0] == expected
