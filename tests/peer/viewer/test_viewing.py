"""Studies in the viewer, in a real browser: the images are there and hang as they should; nothing else is asked."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from fileroom.viewer.links import viewer_path
from tests.peer.viewer.conftest import Archive

PANES = "[data-cy=viewport-pane]"
IMAGE_SECONDS = 60  # drawing in software on a busy machine
MEAN_SEEN = 20.0  # grey levels; an empty pane has about 3 from its words and lines


def grey(page: Page, pane: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """What a person sees in that pane."""
    shot = page.locator(PANES).nth(pane).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=np.float64)


def until(holds: Callable[[], bool]) -> None:
    """Wait for it. AssertionError when it does not come to hold."""
    end = time.monotonic() + IMAGE_SECONDS
    while not holds():
        assert time.monotonic() < end, "the images did not appear"
        time.sleep(0.3)


def words(page: Page, pane: int) -> list[str]:
    return page.locator(PANES).nth(pane).inner_text().split("\n")


def test_a_ct_opens_with_its_first_image(archive: Archive, page: Page) -> None:
    page.goto(archive.server.url + viewer_path([archive.ct], ["CT"]))
    expect(page.locator(PANES)).to_have_count(1, timeout=IMAGE_SECONDS * 1000)
    until(lambda: grey(page, 0).mean() > MEAN_SEEN)
    assert grey(page, 0).std() > MEAN_SEEN
    assert "(1/12)" in " ".join(words(page, 0))
    page.locator(PANES).hover()
    before = grey(page, 0)
    page.mouse.wheel(0, 400)
    until(lambda: "(1/12)" not in " ".join(words(page, 0)) and bool((grey(page, 0) != before).any()))
    expect(page.get_by_text(archive_patient(archive, archive.ct))).to_be_visible()


def archive_patient(archive: Archive, study: str) -> str:
    (row,) = archive.server.get(f"/dicomweb/studies?StudyInstanceUID={study}")
    return str(row["00100020"]["Value"][0])


def test_mammograms_hang_beside_their_prior_with_chest_walls_together(archive: Archive, page: Page) -> None:
    page.goto(archive.server.url + viewer_path([archive.mammogram], ["MG"]))
    expect(page.locator(PANES)).to_have_count(8, timeout=IMAGE_SECONDS * 1000)
    until(lambda: all(grey(page, pane).mean() > MEAN_SEEN for pane in range(8)))
    shown = [words(page, pane) for pane in range(8)]
    views = ["R CC", "L CC", "R CC", "L CC", "R MLO", "L MLO", "R MLO", "L MLO"]
    assert [next(word for word in pane if word in set(views)) for pane in shown] == views
    dates = [pane[0] for pane in shown]
    assert dates == [dates[0], dates[0], dates[2], dates[2]] * 2
    assert dates[0][-4:] > dates[2][-4:]
    for pane, view in enumerate(views):
        image = grey(page, pane)[100:-100]
        edge = image.shape[1] // 8
        chest_wall, nipple = (
            (image[:, -edge:], image[:, :edge]) if view[0] == "R" else (image[:, :edge], image[:, -edge:])
        )
        assert chest_wall.mean() > 4 * nipple.mean(), (pane, view)


def test_one_examination_can_be_seen_alone(archive: Archive, page: Page) -> None:
    page.goto(archive.server.url + viewer_path([archive.prior], ["MG"]))
    expect(page.locator(PANES)).to_have_count(4, timeout=IMAGE_SECONDS * 1000)
    until(lambda: all(grey(page, pane).mean() > MEAN_SEEN for pane in range(4)))


def test_a_measurement_is_saved_as_a_new_series_and_seen_again(archive: Archive, page: Page) -> None:
    server = archive.server
    page.goto(server.url + viewer_path([archive.ct], ["CT"]))
    expect(page.locator(PANES)).to_have_count(1, timeout=IMAGE_SECONDS * 1000)
    until(lambda: grey(page, 0).mean() > MEAN_SEEN)
    page.locator("[data-cy=MeasurementTools-split-button-primary]").click()
    box = page.locator(PANES).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 100, y)
    page.mouse.down()
    page.mouse.move(x, y + 20, steps=4)
    page.mouse.move(x + 100, y + 40, steps=4)
    page.mouse.up()
    page.locator("[data-cy=panelMeasurement-btn]").click()
    page.get_by_text("Create SR").click()
    page.get_by_placeholder("Report name").fill("Follow-up")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Follow-up").first).to_be_visible()
    series = server.get(f"/dicomweb/studies/{archive.ct}/series?Modality=SR&includefield=all")
    assert [row["0008103E"]["Value"][0] for row in series] == ["Follow-up"]
    (report,) = server.get(f"/dicomweb/studies/{archive.ct}/series/{series[0]['0020000E']['Value'][0]}/metadata")
    assert report["00100020"]["Value"] == [archive_patient(archive, archive.ct)]
    (evidence,) = report["0040A375"]["Value"]
    assert evidence["0020000D"]["Value"] == [archive.ct]
    page.reload()
    expect(page.get_by_text("Follow-up")).to_be_visible(timeout=IMAGE_SECONDS * 1000)


def test_a_study_that_is_not_here_is_said(archive: Archive, page: Page) -> None:
    page.goto(archive.server.url + viewer_path(["1.2.3.4"], ["CT"]))
    expect(page.get_by_text("not available at this time")).to_be_visible(timeout=IMAGE_SECONDS * 1000)
