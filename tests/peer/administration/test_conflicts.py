"""A conflict decided in a real browser: both versions side by side, one chosen, taken back, two tabs told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from fileroom import __version__
from tests.support import corpus
from tests.support.archives import ct
from tests.support.browser import Watched, accessibility, chromium
from tests.support.deciding import send
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
        expect(page.get_by_label("Whose they are")).to_contain_text("≠ differs")
        expect(page.get_by_label("Differences")).to_contain_text("<b>Other</b>")
        expect(page.locator("main")).to_contain_text("The pixels are not the same")
        expect(page.locator("footer")).to_contain_text(f"Fileroom {__version__}.")
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


def test_an_object_of_another_patient_is_looked_at_beside_the_study_filed_and_taken_out(
    fileroom_server: FileroomServer,
) -> None:
    send(fileroom_server, ct(1), ct(2, patient="P2"))
    with chromium() as browser:
        page = browser.new_page(java_script_enabled=False)  # all of it works without
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/studies/1.2.9.1")
        expect(page.get_by_text("1 object of this study waits for a person")).to_be_visible()
        page.get_by_role("link", name="Look at it").click()
        page.locator("table.list tbody a").first.click()
        whose = page.get_by_label("Whose they are")
        expect(whose.get_by_role("row", name="Patient ID")).to_contain_text("differs")
        expect(whose.get_by_role("row", name="Study date")).not_to_contain_text("differs")
        expect(page.get_by_role("heading", name="The study that is here")).to_be_visible()
        for picture in page.locator(".version img").all():
            answer = page.request.get(fileroom_server.url + str(picture.get_attribute("src")))
            assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
        page.get_by_role("button", name="File it in the study it names").click()
        expect(page.locator(".version")).to_have_count(1)
        assert held_in(fileroom_server, "1.2.9.1") == 2
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_role("button", name="Keep it out")).to_be_visible()
        assert held_in(fileroom_server, "1.2.9.1") == 1
        assert watched.problems == []


def test_one_that_names_another_patient_is_used_only_when_that_is_confirmed(fileroom_server: FileroomServer) -> None:
    send(fileroom_server, ct(1), ct(1, patient="P2", pixels=bytes(32)))
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{fileroom_server.url}/conflicts")
        page.locator("table.list tbody a").first.click()
        expect(page.locator("main")).to_contain_text("names another patient or site than this study")
        page.get_by_role("button", name="Use the one that came instead").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
        page.check("#strange")
        page.get_by_role("button", name="Use the one that came instead").click()
        expect(page.get_by_role("button", name="Take it back")).to_be_visible()


HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "\u202etxet desrever\u202c",
    "山田^太郎=やまだ^たろう",
    "W" * 64,
    "{{ 7 * 7 }}{% raw %}",
)


@pytest.mark.parametrize("width", [1280, 360])
def test_hostile_values_are_text_and_stay_in_their_place(fileroom_server: FileroomServer, width: int) -> None:
    first, second = ct(1), ct(1, pixels=bytes(32))
    names = ("PatientName", "StudyDescription", "SeriesDescription", "AccessionNumber", "ManufacturerModelName")
    for shift, made in enumerate((first, second)):
        made.SpecificCharacterSet = "ISO_IR 192"
        for at, keyword in enumerate((*names, "ProtocolName", "PatientComments")):
            text = HOSTILE[(at + shift) % len(HOSTILE)]
            setattr(made, keyword, text[:16] if keyword == "AccessionNumber" else text)
        made.PatientID = "X" * 64
        made.ImageComments = f"{shift} " + HOSTILE[1] * 200
    send(fileroom_server, first, second)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark")
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/conflicts")
        page.locator("table.list tbody a").first.click()
        table = page.get_by_label("Differences")
        for text in (*HOSTILE[:2], "\u202e"):
            expect(table).to_contain_text(text)
        assert page.locator("main script, main img[onerror], main b").count() == 0
        page.fill("#why", HOSTILE[0] + HOSTILE[1])
        page.get_by_role("button", name="Keep what is here").click()
        expect(page.locator("ol")).to_contain_text(HOSTILE[0] + HOSTILE[1])
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert accessibility(page) == []
        assert watched.problems == []


def test_what_is_no_conflict_and_no_decision_is_refused(fileroom_server: FileroomServer) -> None:
    send(fileroom_server, ct(1), ct(1, pixels=bytes(32)))
    for path in ("1", "x", "9" * 30, "-1", "1/here/picture"):
        assert fileroom_server.status(f"/conflicts/{path}") == 404
    assert fileroom_server.status("/conflicts/1/decide", b"verdict=burn") == 400
    assert fileroom_server.status("/conflicts/1/decide", b"verdict=keep") == 404
    assert fileroom_server.status("/conflicts/1/decide", b"verdict=keep", origin="http://evil.example") == 403


def held_in(server: FileroomServer, study_uid: str) -> int:
    return len(server.get(f"/dicomweb/studies/{study_uid}/instances"))
