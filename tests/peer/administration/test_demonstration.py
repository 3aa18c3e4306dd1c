"""The demonstration from the home page: loaded by the running server with its progress shown, and taken out again."""

from __future__ import annotations

import fcntl
import re

from playwright.sync_api import expect

from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store


def test_it_is_loaded_with_a_button_survives_a_stop_and_is_taken_out(fileroom_server: FileroomServer) -> None:
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(fileroom_server.url)
        assert accessibility(page) == []
        page.get_by_role("button", name="Load the demonstration").press("Enter")
        expect(page.get_by_role("heading", name="The demonstration is being loaded")).to_be_visible()
        expect(page.get_by_text(re.compile("[1-9][0-9]* of [0-9]+ objects"))).to_be_visible(timeout=60_000)
        expect(page.locator("#arrivals tbody tr").first).to_contain_text("Demo-", timeout=60_000)
        assert accessibility(page) == []
        assert fileroom_server.status("/demonstration/load", b"") == 200  # the second press of two changes nothing
        assert watched.problems == []
        assert fileroom_server.stop() == 0  # in the middle of it

        (mine,) = corpus.small_studies(1)
        fileroom_server.start()
        assert [said.acknowledged for said in c_store(fileroom_server, [mine])] == [True]
        page.goto(fileroom_server.url)
        page.get_by_text("Load what is missing of it, or take it out").click()
        page.get_by_role("button", name="Take it out").click()  # the browser asks for the confirmation first
        assert page.url == f"{fileroom_server.url}/"
        page.locator("input[name=sure]").check()
        page.get_by_role("button", name="Take it out").click()
        expect(page.get_by_role("status")).to_contain_text(re.compile("Taken out: [1-9]"))
        expect(page.get_by_role("heading", name="Demonstration")).to_have_count(0)
        (left,) = fileroom_server.get("/dicomweb/studies")
        assert left["0020000D"]["Value"] == [mine.study_uid]


def test_it_is_not_loaded_twice_at_once_nor_taken_out_unasked(fileroom_server: FileroomServer) -> None:
    with (fileroom_server.home / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as `fileroom demo` holds it while it loads
        assert [
            fileroom_server.status("/demonstration/load", b""),
            fileroom_server.status("/demonstration/remove", b"sure=yes"),
        ] == [409, 409]
    assert fileroom_server.status("/demonstration/remove", b"") == 400
    assert fileroom_server.status("/demonstration/load", b"", origin="http://evil.example") == 403
    assert fileroom_server.status("/demonstration/remove", b"sure=yes") == 200
    assert fileroom_server.get("/dicomweb/studies") == []
