"""A conflict decided in a real browser: both versions side by side, one chosen, taken back, two tabs told apart."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import expect

from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store, dataset_digest, fetch


def test_a_conflict_is_looked_at_decided_and_taken_back(fileroom_server: FileroomServer) -> None:
    first = next(iter(corpus.ct_study(7, slices=1)))
    name = b"<b>Other</b>^"
    at = first.header.index(b"\x10\x00\x10\x00PN") + 8
    size = int.from_bytes(first.header[at - 2 : at], "little")
    header = first.header[:at] + (name + b" " * size)[:size] + first.header[at + size :]
    second = replace(first, header=header, pixels=bytes(len(first.pixels)))
    said = [*c_store(fileroom_server, [first]), *c_store(fileroom_server, [second])]
    assert [one.acknowledged for one in said] == [True, False]
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(fileroom_server.url)
        page.get_by_role("link", name="Look at it").click()
        page.locator("table.list tbody a").first.click()
        expect(page.locator(".version")).to_have_count(2)
        for picture in page.locator(".version img").all():
            expect(picture).to_have_js_property("complete", True)
            assert picture.evaluate("image => image.naturalWidth") == 320
        expect(page.locator(".differ")).to_contain_text("<b>Other</b>")
        expect(page.locator("main")).to_contain_text("The pixels are not the same")
        assert accessibility(page) == []
        late = browser.new_page()
        late.goto(page.url)
        page.fill("#why", "the first was of the phantom")
        page.get_by_role("button", name="Use the one that came instead").click()
        expect(page.locator("main")).to_contain_text("the first was of the phantom")
        now = fetch(fileroom_server, first)
        assert now is not None
        assert dataset_digest(now) == second.digest
        late.get_by_role("button", name="Keep what is here").click()
        expect(late.get_by_role("alert")).to_contain_text("somebody else was faster")
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_role("button", name="Keep what is here")).to_be_visible()
        back = fetch(fileroom_server, first)
        assert back is not None
        assert dataset_digest(back) == first.digest
        page.get_by_role("button", name="Keep what is here").click()
        page.goto(f"{fileroom_server.url}/conflicts")
        expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
        assert accessibility(page) == []
        assert watched.problems == []
