"""The viewer when not all is well: a damaged image, a report with items that have no name, a server that goes away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from fileroom.viewer.links import viewer_path
from tests.peer.viewer.conftest import Archive
from tests.support import corpus
from tests.support.corpus import cine
from tests.support.corpus.instance import Elements, Instance, encode, uid
from tests.support.corpus.people import code, visit_elements
from tests.support.senders import c_store
from tests.support.viewing import IMAGE_SECONDS, PANES, grey, images_are_seen, until, words

BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """An empty tab in which errors are expected."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    yield context.new_page()
    context.close()


def test_a_damaged_image_is_named_and_its_neighbours_and_reports_show(archive: Archive, tab: Page) -> None:
    images = list(corpus.ct_study(9, slices=5))
    images[2] = replace(images[2], pixels=images[2].pixels[: len(images[2].pixels) // 2])
    assert all(said.acknowledged for said in c_store(archive.server, [*images, _report(9)]))
    tab.goto(archive.server.url + viewer_path([images[0].study_uid], ["CT"]))
    images_are_seen(tab, 1)
    expect(tab.get_by_text("image 3 of CHEST")).to_be_visible(timeout=IMAGE_SECONDS * 1000)
    tab.locator(PANES).hover()
    tab.keyboard.press("End")
    until(lambda: "(5/5)" in " ".join(words(tab, 0)))
    images_are_seen(tab, 1)
    tab.get_by_text("Findings of nobody").first.dblclick()
    expect(tab.locator(PANES).get_by_text("all is well")).to_be_visible(timeout=IMAGE_SECONDS * 1000)


def _cut(frame: bytes) -> bytes:
    return frame[: len(frame) // 2]


@pytest.mark.parametrize("way", ["JPEG 2000", "JPEG-LS"])
def test_a_damaged_frame_is_named_never_shown_as_the_one_before_and_its_neighbours_show(
    archive: Archive, tab: Page, way: str
) -> None:
    run = cine.run(list(cine.WAYS).index(way), way, frames=4, broken={2: _cut})
    assert all(said.acknowledged for said in c_store(archive.server, [run]))
    tab.goto(archive.server.url + viewer_path([run.study_uid], ["XA"]))
    images_are_seen(tab, 1)
    expect(tab.get_by_text(f"image 2 of RUN {way}")).to_be_visible(timeout=IMAGE_SECONDS * 1000)
    tab.locator(PANES).hover()
    tab.keyboard.press("End")
    until(lambda: "(4/4)" in " ".join(words(tab, 0)))
    until(lambda: _middle(tab) > 170, "the last frame does not show")  # 190 at its middle, the first 130


def _middle(tab: Page) -> float:
    seen = grey(tab, 0)
    rows, columns = (side // 2 for side in seen.shape)
    return float(seen[rows - 40 : rows + 40, columns - 40 : columns + 40].mean())


def test_an_image_that_states_its_voi_lut_function_shows(archive: Archive, tab: Page) -> None:
    image = next(corpus.ct_study(11, slices=1))
    before, unit, after = image.header.partition(encode({0x00281054: ("LO", "HU")}))
    stated = replace(image, header=before + unit + encode({0x00281056: ("CS", "SIGMOID")}) + after)
    assert after
    assert all(said.acknowledged for said in c_store(archive.server, [stated]))
    tab.goto(archive.server.url + viewer_path([image.study_uid], ["CT"]))
    images_are_seen(tab, 1)
    tab.locator("[data-cy=SaveView]").click()
    expect(tab.get_by_text("Kept how this image is shown")).to_be_visible(timeout=IMAGE_SECONDS * 1000)


def test_a_server_that_goes_away_is_said_and_the_images_come_when_it_is_back(archive: Archive, tab: Page) -> None:
    images = list(corpus.ct_study(10, slices=5))
    assert all(said.acknowledged for said in c_store(archive.server, images))
    passing, held = [images[-1].sop_uid], list[Route]()  # the viewer begins with the last one, the uppermost

    def meet(route: Route) -> None:
        if any(word in route.request.url for word in passing):
            route.continue_()
        else:
            held.append(route)

    tab.route("**/frames/*", meet)
    tab.goto(archive.server.url + viewer_path([images[0].study_uid], ["CT"]))
    images_are_seen(tab, 1)
    until(lambda: bool(held), "no other image was asked for")
    archive.server.kill()
    passing.append("frames")
    for route in held:
        route.continue_()
    expect(tab.get_by_text("The archive does not answer")).to_be_visible(timeout=IMAGE_SECONDS * 1000)
    archive.server.start()
    tab.locator(PANES).hover()
    tab.keyboard.press("End")
    until(lambda: "(5/5)" in " ".join(words(tab, 0)))
    expect(tab.get_by_text("Loading...")).to_have_count(0, timeout=IMAGE_SECONDS * 1000)


def _report(number: int) -> Instance:
    """A report in the CT study of that number: an unnamed container, an unnamed text (PS3.3 C.17.3)."""
    text: Elements = {0x0040A010: ("CS", "CONTAINS"), 0x0040A040: ("CS", "TEXT"), 0x0040A160: ("UT", "all is well")}
    inner: Elements = {
        0x0040A010: ("CS", "CONTAINS"),
        0x0040A040: ("CS", "CONTAINER"),
        0x0040A050: ("CS", "SEPARATE"),
        0x0040A730: ("SQ", [text]),
    }
    who = corpus.visit("ct", number)
    sop_uid, series_uid = uid("unnamed", number), uid("unnamed", number, "series")
    elements = visit_elements(who) | {
        0x00080016: ("UI", BASIC_TEXT_SR),
        0x00080018: ("UI", sop_uid),
        0x00080060: ("CS", "SR"),
        0x0008103E: ("LO", "Findings of nobody"),
        0x0020000E: ("UI", series_uid),
        0x00200011: ("IS", "99"),
        0x00200013: ("IS", "1"),
        0x0040A040: ("CS", "CONTAINER"),
        0x0040A043: ("SQ", [code("18782-3", "LN", "Radiology report")]),
        0x0040A050: ("CS", "SEPARATE"),
        0x0040A491: ("CS", "COMPLETE"),
        0x0040A493: ("CS", "UNVERIFIED"),
        0x0040A730: ("SQ", [inner]),
    }
    return Instance(BASIC_TEXT_SR, sop_uid, who.study_uid, series_uid, encode(elements))
