"""The page of peers in a real browser: added, asked with a real C-ECHO, changed, removed, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.support import processes
from tests.support.browser import Watched, accessibility, chromium
from tests.support.fileroom import FileroomServer


def test_a_peer_is_added_asked_changed_removed_and_taken_back(
    fileroom_server: FileroomServer, dcmtk: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    port = free_port()
    receiver = processes.start([dcmtk("storescp"), "--ignore", str(port)], tmp_path / "log")
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/peers")
        assert accessibility(page) == []
        page.fill("#ae_title", "CT/ROOM 1")
        page.fill("#host", "127.0.0.1")
        page.fill("#port", str(port))
        page.uncheck("#may_move")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("status")).to_contain_text("Saved CT/ROOM 1")
        page.get_by_role("button", name="Echo CT/ROOM 1").click()
        expect(page.locator("#echo")).to_contain_text("answered in")
        receiver.stop()
        page.get_by_role("button", name="Echo CT/ROOM 1").click()
        expect(page.locator("#echo .danger")).to_be_visible(timeout=15_000)
        page.get_by_role("link", name="Change CT/ROOM 1").click()
        assert not page.is_checked("#may_move")
        page.fill("#host", "bad host name")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("name or an address")
        page.fill("#host", "192.0.2.7")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("table.list")).to_contain_text("192.0.2.7")
        assert accessibility(page) == []
        page.get_by_role("button", name="Remove CT/ROOM 1").click()
        expect(page.locator("table.list")).to_have_count(0)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("table.list")).to_contain_text("192.0.2.7")
        page.fill("#ae_title", "CT/ROOM 1")
        page.fill("#host", "192.0.2.8")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("alert")).to_contain_text("known already")
        assert [text for text in watched.problems if "400" not in text] == []
