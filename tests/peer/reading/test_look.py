"""The quick look in a real browser: what it shows is what it says, however the study, the line or the server behave."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.corpus import Instance
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def send(server: FileroomServer, objects: list[Instance]) -> None:
    assert all(said.acknowledged for said in c_store(server, objects))


def settled(page: Page, number: int) -> None:
    """Wait until the picture that is drawn is the one with that number."""
    expect(page.locator("#picture")).to_have_attribute("data-at", str(number))
    expect(page.locator("#stage")).not_to_have_class(re.compile("waiting"))


def test_only_what_is_near_is_fetched_of_many_frames(fileroom_server: FileroomServer, browser: Browser) -> None:
    one = corpus.tomosynthesis(3, frames=60)
    send(fileroom_server, [one])
    page = browser.new_page()
    watched = Watched(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/rendered" in request.url else None)
    page.goto(f"{fileroom_server.url}/studies/{one.study_uid}/look")
    settled(page, 1)
    expect(page.locator("#which")).to_have_text("No. 4, frame 1 of 60")
    expect(page.locator("#window")).to_have_text("C 2048 W 4096")
    page.keyboard.press("End")
    settled(page, 60)
    page.keyboard.press("Home")
    settled(page, 1)
    assert 0 < len(set(asked)) < 25, "frames far from where one looks were fetched"
    page.locator("#stage").hover()
    for _ in range(12):
        page.mouse.wheel(0, 120)
    settled(page, 37)
    assert watched.problems == []


def test_the_window_is_dragged_and_taken_back_and_kept_over_a_reload(
    fileroom_server: FileroomServer, browser: Browser
) -> None:
    objects = list(corpus.ct_study(9, slices=4))
    send(fileroom_server, objects)
    page = browser.new_page()
    page.goto(f"{fileroom_server.url}/studies/{objects[0].study_uid}/look#at=2")
    settled(page, 2)
    expect(page.locator("#window")).to_have_text("C 40 W 400")
    box = page.locator("#stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 150, steps=4)
    page.mouse.up()
    expect(page.locator("#window")).to_have_text("C 90 W 500")
    expect(page).to_have_url(re.compile(r"window=90\.0,500\.0"))
    page.reload()
    expect(page.locator("#window")).to_have_text("C 90 W 500")
    settled(page, 2)
    page.keyboard.press("2")
    expect(page.locator("#window")).to_have_text("C -600 W 1500")
    page.keyboard.press("r")
    expect(page.locator("#window")).to_have_text("C 40 W 400")
    page.keyboard.press("f")
    settled(page, 2)
    expect(page.locator("#fit")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press(" ")
    expect(page.locator("#place")).not_to_have_text("Image 2 of 4")
    assert accessibility(page) == []


def test_a_study_that_grows_says_so_and_waits_to_be_asked(fileroom_server: FileroomServer, browser: Browser) -> None:
    objects = list(corpus.ct_study(10, slices=8))
    late, soon = objects[:3], objects[3:5]
    send(fileroom_server, soon)
    page = browser.new_page()
    page.goto(f"{fileroom_server.url}/studies/{objects[0].study_uid}/look#at=2")
    settled(page, 2)
    expect(page.locator("#which")).to_have_text("No. 5")
    send(fileroom_server, late)
    expect(page.locator("#fresh")).to_have_text("3 new images: load", timeout=10_000)
    expect(page.locator("#place")).to_have_text("Image 2 of 2")
    page.locator("#fresh").click()
    expect(page.locator("#place")).to_have_text("Image 5 of 5")
    expect(page.locator("#which")).to_have_text("No. 5")
    expect(page.locator("#fresh")).to_be_hidden()


def test_a_server_that_comes_back_is_gone_on_with(fileroom_server: FileroomServer, browser: Browser) -> None:
    objects = list(corpus.ct_study(11, slices=30))
    send(fileroom_server, objects)
    page = browser.new_page()
    page.goto(f"{fileroom_server.url}/studies/{objects[0].study_uid}/look")
    settled(page, 1)
    fileroom_server.stop()
    page.keyboard.press("End")
    expect(page.locator("#trouble")).to_contain_text("asking again")
    expect(page.locator("#stage")).to_have_class(re.compile("waiting"))
    fileroom_server.start()
    settled(page, 30)
    expect(page.locator("#trouble")).to_be_hidden()
