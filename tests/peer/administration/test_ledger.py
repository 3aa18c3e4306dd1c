"""The page of the ledger, in a real browser: from a study to who looked at it, by keyboard."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.browser import Watched, accessibility, chromium
from tests.support.corpus import ct_study
from tests.support.doors import until
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store, get
from tests.support.told import told


def test_who_looked_at_a_study_is_told_from_its_page(fileroom_server: FileroomServer) -> None:
    objects = list(ct_study(1, slices=3))
    study = objects[0].study_uid
    assert all(said.acknowledged for said in c_store(fileroom_server, objects, title="CT_ROOM_1"))
    assert until(lambda: len(told(fileroom_server)) == 2, 30)
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/studies/{study}")
        page.get_by_role("link", name="Who looked at it").press("Enter")
        expect(page.get_by_role("heading", name="Who looked at this study")).to_be_visible()
        told(fileroom_server)  # every line has its place
        page.reload()
        rows = page.locator("table.list tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.nth(0)).to_contain_text("looked at")
        expect(rows.nth(0)).to_contain_text("nobody signed in (this machine)")
        expect(rows.nth(1)).to_contain_text("CT_ROOM_1")
        expect(rows.nth(1)).to_contain_text("done, 3 objects")
        assert accessibility(page) == []
        page.get_by_label("Did what").select_option("stored")
        page.get_by_role("textbox", name="Who").focus()
        page.keyboard.press("Enter")
        expect(rows).to_have_count(1)
        page.get_by_label("Patient ID").fill("<script>alert(1)</script>")
        page.get_by_role("button", name="Show").press("Enter")
        expect(page.get_by_role("heading", name="No entry of that kind")).to_be_visible()
        assert accessibility(page) == []
        assert watched.problems == []
    status, text = get(fileroom_server, f"/ledger/csv?study={study}", "text/csv")
    assert status == 200
    assert text.decode().splitlines()[-1].startswith("0,")
    assert get(fileroom_server, "/ledger?from=yesterday", "application/json")[0] == 400
    assert get(fileroom_server, "/ledger?kind=nonsense", "application/json")[0] == 400
