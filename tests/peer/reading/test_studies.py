"""The study list in a real browser: narrowed as one types, by keyboard, kept in the address, whatever names hold."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.corpus.small import small_visit
from tests.support.fileroom import FileroomServer
from tests.support.hostile_texts import HOSTILE_TEXTS, named
from tests.support.senders import c_store


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def _fill(server: FileroomServer, page: Page, count: int) -> None:
    objects = [*(named(text, number) for number, text in enumerate(HOSTILE_TEXTS)), *corpus.small_studies(count)]
    assert all(said.acknowledged for said in c_store(server, objects))
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:  # the words are made a moment later
        page.goto(f"{server.url}/studies?q=SM{count - 1:07}")
        if page.locator("#studies tbody tr").count():
            return
        time.sleep(0.3)
    raise AssertionError("the words were not made")


def test_a_list_is_narrowed_typed_sorted_and_gone_through(fileroom_server: FileroomServer, browser: Browser) -> None:
    page = browser.new_page()
    watched = Watched(page)
    _fill(fileroom_server, page, 130)
    page.goto(f"{fileroom_server.url}/studies")
    rows = page.locator("#studies tbody tr:not(.more)")
    assert rows.count() == 100
    page.locator("tr.more").scroll_into_view_if_needed()
    expect(rows).to_have_count(138)
    page.keyboard.press("/")
    page.keyboard.type("sm000012")
    expected = sum(small_visit(number).patient_id.startswith("SM000012") for number in range(130))
    expect(rows).to_have_count(expected)
    assert "q=sm000012" in page.url
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    page.reload()
    assert rows.count() == expected
    assert page.input_value("#q") == "sm000012"
    page.get_by_role("link", name="Patient ID").click()
    ids = page.locator("#studies tbody tr td:nth-child(3)").all_inner_texts()
    assert ids == sorted(ids)
    page.select_option("#modality", "SR")
    expect(page.locator("#studies tbody tr td:nth-child(5)").filter(has_not_text="SR")).to_have_count(0)
    assert rows.count() > 0
    page.fill("#q", "nobody at all")
    page.get_by_role("heading", name="No study matches").wait_for()
    assert watched.problems == []


def test_hostile_names_stay_text_and_nothing_serious_is_found(
    fileroom_server: FileroomServer, browser: Browser
) -> None:
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
        watched = Watched(page)
        if scheme == "light":
            _fill(fileroom_server, page, 3)
        for path in ("/studies", "/", "/nowhere"):
            page.goto(f"{fileroom_server.url}{path}", wait_until="load")
            assert accessibility(page) == []
        page.goto(f"{fileroom_server.url}/studies")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.locator("script:not([src]), #studies img, #studies b").count() == 0
        assert [text for text in watched.problems if "404" not in text] == []
