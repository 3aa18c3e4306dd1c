"""A study's pages in a real browser: whose it is, its series and elements, the quick look, hidden and brought back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.fileroom import FileroomServer
from tests.support.hostile_texts import HOSTILE_TEXTS, named
from tests.support.senders import c_store


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def _pixels(page: Page) -> str:
    """The picture that is shown, small, as text to compare."""
    expect(page.locator("#stage")).not_to_have_class(re.compile("waiting"))
    return str(
        page.evaluate(
            """() => { const c = document.createElement('canvas'); c.width = c.height = 32;
            c.getContext('2d').drawImage(document.getElementById('picture'), 0, 0, 32, 32);
            return c.toDataURL(); }"""
        )
    )


def test_a_study_is_opened_looked_at_hidden_and_brought_back(fileroom_server: FileroomServer, browser: Browser) -> None:
    objects = list(corpus.ct_study(5, slices=12))
    assert all(said.acknowledged for said in c_store(fileroom_server, objects))
    page = browser.new_page()
    watched = Watched(page)
    page.goto(f"{fileroom_server.url}/studies")
    page.locator("#studies tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    thumbnail = page.locator("table.series img").first
    thumbnail.scroll_into_view_if_needed()
    expect(thumbnail).to_have_js_property("naturalWidth", 256)
    assert accessibility(page) == []
    study = page.url
    page.locator("table.series td:nth-child(4) a").click()
    expect(page.locator("table.list tbody tr")).to_have_count(12)
    page.locator("table.list tbody a").first.click()
    page.fill("#find", "patient's name")
    expect(page.locator(".tags .line:visible")).to_have_count(1)
    expect(page.locator(".tags .line:visible")).to_contain_text("(0010,0010)")
    assert accessibility(page) == []

    page.goto(study)
    page.get_by_role("link", name="Quick look", exact=True).click()
    expect(page.locator("#place")).to_have_text("Image 1 of 12")
    expect(page.locator("#picture")).to_have_js_property("width", 512)
    first = _pixels(page)
    page.get_by_role("button", name="Bone").click()
    expect(page.locator("#window")).to_have_text("C 400 W 1800")
    assert _pixels(page) != first
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#place")).to_have_text("Image 4 of 12")
    expect(page).to_have_url(re.compile("&at=4"))  # written once the turning has paused
    page.reload()
    expect(page.locator("#place")).to_have_text("Image 4 of 12")
    assert accessibility(page) == []
    assert watched.problems == []

    page.goto(study)
    page.locator("details.hide summary").click()
    page.fill("#reason", "sent to the wrong archive")
    page.check("input[name=sure]")
    page.get_by_role("button", name="Hide it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This study is hidden")
    assert fileroom_server.get("/dicomweb/studies") == []
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator("table.series")).to_be_visible()
    assert watched.problems == []


def test_a_damaged_image_says_so_and_its_neighbours_are_shown(
    fileroom_server: FileroomServer, browser: Browser
) -> None:
    objects = list(corpus.ct_study(6, slices=3))
    bad = objects[1]
    cut = bad.pixels[: len(bad.pixels) // 2]
    broken = type(bad)(bad.sop_class_uid, bad.sop_uid, bad.study_uid, bad.series_uid, bad.header, cut, bad.frame_bytes)
    assert all(said.acknowledged for said in c_store(fileroom_server, [objects[0], broken, objects[2]]))
    page = browser.new_page()
    page.goto(f"{fileroom_server.url}/studies/{bad.study_uid}/look")
    expect(page.locator("#place")).to_have_text("Image 1 of 3")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#trouble")).to_contain_text("Image 2 of 3 (No. 2) cannot be shown")
    expect(page.locator("#picture")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#picture")).to_be_visible()
    page.goto(f"{fileroom_server.url}/studies/{bad.study_uid}")
    thumbnail = page.locator("table.series img")
    thumbnail.scroll_into_view_if_needed()
    expect(thumbnail).to_have_js_property("naturalWidth", 256)  # of an image that can be shown
    expect(thumbnail).to_have_attribute("alt", "")


def test_where_no_image_can_be_shown_that_stands_in_the_pictures_place(
    fileroom_server: FileroomServer, browser: Browser
) -> None:
    one, two = corpus.ct_study(7, slices=2)
    assert [said.acknowledged for said in c_store(fileroom_server, [replace(one, pixels=one.pixels[:64])])] == [True]
    page = browser.new_page()
    page.goto(f"{fileroom_server.url}/studies/{one.study_uid}")
    thumbnail = page.locator("table.series img")
    thumbnail.scroll_into_view_if_needed()
    expect(thumbnail).to_have_attribute("alt", "No picture")
    assert [said.acknowledged for said in c_store(fileroom_server, [replace(two, pixels=two.pixels[:64])])] == [True]
    expect(page.get_by_role("heading", name="1 series, 2 objects")).to_be_visible(timeout=15_000)
    expect(thumbnail).to_have_attribute("alt", "No picture")  # the page was made anew around it
    page.goto(f"{fileroom_server.url}/studies/{one.study_uid}/look")
    expect(page.locator(".strip img")).to_have_attribute("alt", "No picture")


def test_hostile_texts_stay_text_on_every_page(fileroom_server: FileroomServer, browser: Browser) -> None:
    objects = [named(text, number) for number, text in enumerate(HOSTILE_TEXTS)]
    assert all(said.acknowledged for said in c_store(fileroom_server, objects))
    page = browser.new_page()
    watched = Watched(page)
    for one in objects:
        at = f"{fileroom_server.url}/studies/{one.study_uid}"
        series = f"{at}/series/{one.series_uid}"
        for url in (at, series, f"{series}/instances/{one.sop_uid}/tags", f"{at}/look"):
            page.goto(url)
            expect(page.locator("dl.banner")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), url
            assert page.locator("script:not([src]), main b").count() == 0
    assert watched.problems == []
