"""Open pages hear of arrivals and show them in place, and a server that stops does not wait for them."""

from __future__ import annotations

import http.client
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.support import corpus
from tests.support.browser import Watched, chromium
from tests.support.fileroom import FileroomServer
from tests.support.hostile_texts import HOSTILE_TEXTS, named
from tests.support.senders import c_store


class Asked:
    """What a page asked the server for."""

    def __init__(self, page: Page) -> None:
        self.paths: list[str] = []
        page.on("request", lambda request: self.paths.append(urlsplit(request.url).path))


def _listen(server: FileroomServer) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=60)
    connection.request("GET", "/live")
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "text/event-stream"
    assert answer.readline() == b"retry: 3000\n"
    assert answer.readline() == b"\n"
    return answer


def hears(answer: http.client.HTTPResponse, act: Callable[[], object]) -> None:
    """Do something; the listener is told once, and soon."""
    begin = time.monotonic()
    act()
    while (line := answer.readline()) == b":\n":  # a beat, sent so that who went away is noticed: not an event
        assert answer.readline() == b"\n"
    assert line == b"event: studies\n"
    assert time.monotonic() - begin < 60  # however busy the machine is
    assert answer.readline().startswith(b"data: ")
    assert answer.readline() == b"\n"


def test_a_listener_hears_of_every_change_and_does_not_hold_up_a_stop(fileroom_server: FileroomServer) -> None:
    answer = _listen(fileroom_server)
    (one,) = corpus.ct_study(9, slices=1)
    hears(answer, lambda: list(c_store(fileroom_server, [one])))
    hears(answer, lambda: list(c_store(fileroom_server, [replace(one, pixels=bytes(len(one.pixels)))])))  # kept apart
    hide = f"{fileroom_server.url}/studies/{one.study_uid}/hide"
    hears(answer, lambda: urllib.request.urlopen(hide, b"reason=a+phantom&sure=yes", timeout=30).close())
    begin = time.monotonic()
    assert fileroom_server.stop() == 0
    assert time.monotonic() - begin < 5


def test_an_open_page_shows_what_arrives_and_leaves_the_rest_as_it_is(fileroom_server: FileroomServer) -> None:
    first, *later = corpus.ct_study(8, slices=3)
    assert [said.acknowledged for said in c_store(fileroom_server, [first])] == [True]
    with chromium() as browser:
        page = browser.new_page()
        watched, asked = Watched(page), Asked(page)
        page.goto(f"{fileroom_server.url}/studies/{first.study_uid}")
        picture = page.locator("table.series img")
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("naturalWidth", 256)
        page.locator("table.series td:nth-child(4) a").focus()
        page.evaluate("document.querySelector('table.series img').mine = 'this very one'")
        assert all(said.acknowledged for said in c_store(fileroom_server, [*later, named("other", 1)]))
        expect(page.get_by_role("heading", name="1 series, 3 objects")).to_be_visible(timeout=15_000)
        expect(picture).to_have_js_property("mine", "this very one")
        assert page.evaluate("document.activeElement.closest('tr') !== null")
        assert [path.rsplit("/", 1)[-1] for path in asked.paths].count("thumbnail") == 1
        assert watched.problems == []


def test_an_empty_home_page_fills_and_a_new_arrival_goes_on_top(fileroom_server: FileroomServer) -> None:
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(fileroom_server.url)
        expect(page.get_by_role("heading", name="Nothing yet")).to_be_visible()
        rows = page.locator("#arrivals tbody tr")
        for number, text in enumerate(HOSTILE_TEXTS, start=1):
            assert all(said.acknowledged for said in c_store(fileroom_server, [named(text, number)]))
            if number > 2:
                continue
            expect(rows).to_have_count(number, timeout=15_000)
            page.locator("#arrivals tbody a").last.focus()
        expect(rows).to_have_count(len(HOSTILE_TEXTS), timeout=15_000)
        assert page.evaluate("document.activeElement.textContent") == HOSTILE_TEXTS[0]  # rows came above it
        keys = page.locator("#arrivals tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.key)")
        assert keys == [study.study_uid for study in reversed([named(t, n) for n, t in enumerate(HOSTILE_TEXTS, 1)])]
        assert page.locator("script:not([src]), #arrivals img, #arrivals b").count() == 0
        assert watched.problems == []
