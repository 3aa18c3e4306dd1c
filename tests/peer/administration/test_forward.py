"""The page of rules that forward, in a real browser: made, applied to what arrives, changed, stopped, removed."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.doors import until
from tests.support.fileroom import FileroomServer
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.senders import c_store


def shows(page: Page, text: str) -> bool:
    """Whether the list says so when it is loaded again."""
    page.reload()
    return text in page.locator("table.list").inner_text()


def test_a_rule_is_made_applies_and_is_changed_stopped_removed_and_taken_back(
    start_fileroom: Callable[..., FileroomServer], free_port: Callable[[], int]
) -> None:
    server = start_fileroom(FILEROOM_FORWARD_QUIET_SECONDS="1")
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(f"{server.url}/peers")
        page.get_by_role("link", name="Rules that forward", exact=True).click()
        expect(page.get_by_text("No peer is known yet.")).to_be_visible()
        add_peer(server, "WORKSTATION", free_port())
        page.reload()
        expect(page.get_by_role("heading", name="No rules yet")).to_be_visible()
        assert accessibility(page) == []
        page.get_by_label("Name of the rule").focus()
        for key in (*"CT on", "Tab", "W", "Tab", *"ct, mr", "Enter"):
            page.keyboard.press(key)
        expect(page.get_by_role("status")).to_contain_text("CT on: It counts for what arrives from now on.")
        row = page.locator("table.list tbody tr")
        expect(row).to_contain_text("modality CT or MR")
        expect(row).to_contain_text("not yet")

        assert all(said.acknowledged for said in c_store(server, list(corpus.ct_study(3, slices=2))))
        assert until(lambda: shows(page, "1 study waits") and shows(page, "Connection refused"), 60)
        expect(row).to_contain_text("1 time")
        assert accessibility(page) == []

        late = browser.new_page()
        page.get_by_role("link", name="Change CT on").click()
        late.goto(page.url)
        page.get_by_label("Modality is one of").fill("C/T")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("not saved")
        expect(page.get_by_label("Modality is one of")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Modality is one of").fill("MR")
        page.get_by_role("button", name="Save").click()
        expect(row).to_contain_text("modality MR")
        late.get_by_role("button", name="Save").click()
        expect(late.get_by_role("alert")).to_contain_text("somebody else changed this rule meanwhile")
        expect(late.get_by_label("Modality is one of")).to_have_value("MR")

        page.get_by_role("button", name="Stop CT on").click()
        expect(row).to_contain_text("stopped")
        page.get_by_role("button", name="Remove CT on").click()
        expect(row).to_have_count(0)
        page.get_by_role("button", name="Undo").click()
        expect(row).to_contain_text("stopped")
        page.get_by_role("button", name="Start CT on").click()
        expect(row).to_contain_text("on")
        assert server.status("/peers/WORKSTATION/remove", {}) == 200
        page.reload()
        expect(row).to_contain_text("no such peer")
        assert [text for text in watched.problems if "400" not in text] == []


def test_whatever_is_typed_stays_text(fileroom_server: FileroomServer) -> None:
    add_peer(fileroom_server, '<b>"&WS', 104)
    for number, text in enumerate(HOSTILE_TEXTS):
        fields = {"name": f"{number}{text}"[:48], "destination": '<b>"&WS', "sources": text[:16]}
        said = fileroom_server.status(
            "/forward", fields | dict.fromkeys(("station", "institution", "description"), text)
        )
        assert said == (400 if not text.isascii() or not text.isprintable() else 200), text
    for field in ("name", "modalities", "destination"):
        assert (
            fileroom_server.status("/forward", {"name": "x", "destination": '<b>"&WS', field: HOSTILE_TEXTS[0] * 9})
            == 400
        )
    with chromium() as browser:
        page = browser.new_page(color_scheme="dark", viewport={"width": 400, "height": 800})
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/forward")
        expect(page.locator("table.list")).to_contain_text(HOSTILE_TEXTS[0])
        page.get_by_role("link", name="Change").first.click()
        expect(page.get_by_label("Station name contains")).to_have_value(HOSTILE_TEXTS[0])
        assert page.locator("main script, main img, main b, main bold").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert accessibility(page) == []
        assert watched.problems == []


def test_what_is_no_rule_is_not_found_and_strangers_change_nothing(fileroom_server: FileroomServer) -> None:
    for path in ("/1", "/x", f"/{'9' * 30}", "/-1"):
        assert fileroom_server.status(f"/forward{path}/remove", {}) == 404
        assert fileroom_server.status(f"/forward{path}", {}) == 404
    assert fileroom_server.status("/forward", {"name": "x"}, origin="http://evil.example") == 403


def add_peer(server: FileroomServer, title: str, port: int) -> None:
    fields = {"ae_title": title, "host": "127.0.0.1", "port": str(port), "site": "main", "may_store": "1"}
    assert server.status("/peers", fields) == 200
