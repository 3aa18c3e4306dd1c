"""A study sent to a peer from its page: a real receiver gets every object, and the page says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.support import corpus, processes
from tests.support.browser import Watched, accessibility, chromium
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store


def test_a_study_is_sent_from_its_page(
    fileroom_server: FileroomServer, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    port = processes.free_port()
    got = tmp_path / "got"
    got.mkdir()
    receiver = processes.start([dcmtk("storescp"), "-od", str(got), str(port)], tmp_path / "log")
    receiver.wait_until(lambda: processes.accepts_connections(port))
    assert fileroom_server.run("peer", "add", "STORESCP", "127.0.0.1", str(port)).returncode == 0
    objects = list(corpus.ct_study(9, slices=4))
    assert all(said.acknowledged for said in c_store(fileroom_server, objects))
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/studies/{objects[0].study_uid}")
        page.select_option("#peer", "STORESCP")
        page.get_by_role("button", name="Send all 4 objects").click()
        receiver.wait_until(lambda: len(list(got.iterdir())) == 4)
        for _ in range(20):  # what was confirmed is written down every second
            page.reload()
            if "done" in page.locator("#sent + ul").inner_text():
                break
            page.wait_for_timeout(500)
        expect(page.locator("#sent + ul")).to_contain_text("done: 4 of 4")
        assert accessibility(page) == []
        assert watched.problems == []
    receiver.kill()
