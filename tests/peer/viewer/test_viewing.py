"""Studies in the viewer, in a real browser: the images are there and hang as they should; nothing else is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from playwright.sync_api import Browser, Page, Request, expect

from fileroom.viewer.links import viewer_path
from tests.peer.viewer.conftest import Archive
from tests.support import corpus
from tests.support.fileroom import FileroomServer
from tests.support.senders import stow
from tests.support.viewing import (
    IMAGE_SECONDS,
    MEAN_SEEN,
    PANES,
    grey,
    images_are_seen,
    measure,
    save_measurements,
    until,
    words,
)


def test_a_ct_opens_with_its_first_image(archive: Archive, page: Page) -> None:
    page.goto(archive.server.url + viewer_path([archive.ct], ["CT"]))
    images_are_seen(page, 1)
    assert grey(page, 0).std() > MEAN_SEEN
    assert "(1/12)" in " ".join(words(page, 0))
    page.locator(PANES).hover()
    before = grey(page, 0)
    page.mouse.wheel(0, 400)
    until(lambda: "(1/12)" not in " ".join(words(page, 0)) and bool((grey(page, 0) != before).any()))
    expect(page.get_by_text(archive_patient(archive, archive.ct))).to_be_visible()


def test_the_image_that_shows_first_is_on_its_way_before_the_viewer_asks(archive: Archive, page: Page) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/frames/" in request.url else None)
    page.route("**/app.bundle.*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    with page.expect_response("**/metadata"):
        page.goto(archive.server.url + viewer_path([archive.ct], ["CT"]))
    with page.expect_request("**/frames/1"):
        page.evaluate("() => window.dispatchEvent(new Event('fileroom:starting'))")
    page.unroute("**/app.bundle.*.js")
    page.goto(archive.server.url + viewer_path([archive.ct], ["CT"]))
    images_are_seen(page, 1)
    early = next(request for request in asked if request.resource_type == "fetch")
    own = next(request for request in asked if request.resource_type == "xhr")
    assert early.url == own.url
    assert early.headers["fileroom-ahead"] == "1"


def archive_patient(archive: Archive, study: str) -> str:
    (row,) = archive.server.get(f"/dicomweb/studies?StudyInstanceUID={study}")
    return str(row["00100020"]["Value"][0])


def test_mammograms_hang_beside_their_prior_with_chest_walls_together(archive: Archive, page: Page) -> None:
    page.goto(archive.server.url + viewer_path([archive.mammogram], ["MG"]))
    images_are_seen(page, 8)
    shown = [words(page, pane) for pane in range(8)]
    views = ["R CC", "L CC", "R CC", "L CC", "R MLO", "L MLO", "R MLO", "L MLO"]
    told = [[word.partition(", stored ")[0] for word in pane] for pane in shown]  # the prior is stored mirrored
    assert [next(word for word in pane if word in set(views)) for pane in told] == views
    dates = [next(word for word in pane if word[-4:].isdigit()) for pane in shown]
    assert dates == [dates[0], dates[0], dates[2], dates[2]] * 2
    assert dates[0][-4:] > dates[2][-4:]
    until(lambda: all(hangs(page, pane, view[0]) for pane, view in enumerate(views)))


def test_one_examination_can_be_seen_alone_and_hangs_again_when_it_is_reset(archive: Archive, page: Page) -> None:
    page.goto(archive.server.url + viewer_path([archive.prior], ["MG"]))
    images_are_seen(page, 4)
    until(lambda: hangs(page, 0, "R"))
    page.locator("[data-cy=panelMeasurement-btn]").click()  # makes the panes narrower
    expect(page.get_by_text("No Measurements")).to_be_visible()
    until(lambda: all(hangs(page, pane, "RL"[pane % 2]) for pane in range(4)))
    assert letters(page, 0) == ["R", "A", ""]  # above and at the outer edge
    assert letters(page, 1) == ["L", "", "A"]
    page.locator("[data-cy=MoreTools-split-button-secondary]").click()
    page.get_by_text("Rotate Right").click()
    until(lambda: not hangs(page, 0, "R"))
    until(lambda: letters(page, 0) == ["A", "L", ""])
    page.locator("[data-cy=MoreTools-split-button-secondary]").click()
    page.get_by_text("Reset View").click()
    until(lambda: hangs(page, 0, "R") and letters(page, 0) == ["R", "A", ""])


def letters(page: Page, pane: int) -> list[str]:
    """Where the picture runs to, as written above, at the left and at the right of a pane."""
    return page.locator(PANES).nth(pane).locator(".fileroom-letters").all_text_contents()


def hangs(page: Page, pane: int, side: str) -> bool:
    """Whether the chest wall is at the pane's inner edge, and the mark that is to be above is there."""
    image = grey(page, pane)[60:-60]  # less the words
    edge, third = image.shape[1] // 20, len(image) // 3
    right, left = image[:, -edge:], image[:, :edge]
    wall, nipple = (right, left) if side == "R" else (left, right)
    return bool(wall.mean() > 4 * nipple.mean() and wall[:third].mean() > 1.2 * wall[-third:].mean())


def test_a_measurement_is_saved_as_a_new_series_and_seen_again(archive: Archive, page: Page) -> None:
    server = archive.server
    page.goto(server.url + viewer_path([archive.ct], ["CT"]))
    images_are_seen(page, 1)
    measure(page, 0)
    save_measurements(page, "Follow-up")
    expect(page.get_by_text("Follow-up").first).to_be_visible()
    series = server.get(f"/dicomweb/studies/{archive.ct}/series?Modality=SR&includefield=all")
    assert [row["0008103E"]["Value"][0] for row in series] == ["Follow-up"]
    (report,) = server.get(f"/dicomweb/studies/{archive.ct}/series/{series[0]['0020000E']['Value'][0]}/metadata")
    assert report["00100020"]["Value"] == [archive_patient(archive, archive.ct)]
    (evidence,) = report["0040A375"]["Value"]
    assert evidence["0020000D"]["Value"] == [archive.ct]
    page.reload()
    expect(page.get_by_text("Follow-up")).to_be_visible(timeout=IMAGE_SECONDS * 1000)


def test_a_measurement_on_an_object_that_a_person_filed_there_is_of_the_patient_of_the_study(
    archive: Archive, page: Page
) -> None:
    server = archive.server
    (own,) = corpus.ct_study(8, slices=1)
    patient = corpus.visit("ct", 8).patient_id
    stow(server, [own])
    stow(server, [replace(own, header=own.header.replace(patient.encode(), patient[::-1].encode()))])
    (held,) = waiting(server)
    decided = server.run("conflicts", "--decide", str(held["id"]), "--verdict", "replace", "--other-patient")
    assert decided.returncode == 0, decided.stderr
    page.goto(server.url + viewer_path([own.study_uid], ["CT"]))
    images_are_seen(page, 1)
    measure(page, 0)
    save_measurements(page, "Of the study")
    expect(page.get_by_text("saved successfully")).to_be_visible(timeout=IMAGE_SECONDS * 1000)
    (row,) = server.get(f"/dicomweb/studies/{own.study_uid}/series?Modality=SR")
    (report,) = server.get(f"/dicomweb/studies/{own.study_uid}/series/{row['0020000E']['Value'][0]}/metadata")
    assert report["00100020"]["Value"] == [patient]
    assert report["00100010"]["Value"][0]["Alphabetic"] == corpus.visit("ct", 8).patient_name
    assert waiting(server) == []


def waiting(server: FileroomServer) -> list[Any]:
    """The objects that are kept apart for a person."""
    held: list[Any] = json.loads(server.run("conflicts", "--json").stdout)["held"]
    return held


def test_what_the_archive_did_not_take_does_not_look_saved(archive: Archive, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.goto(archive.server.url + viewer_path([archive.ct], ["CT"]))
    images_are_seen(page, 1)
    measure(page, 0)
    page.route("**/dicomweb/studies", lambda route: route.abort())
    save_measurements(page, "Lost")
    expect(page.get_by_text("the archive does not answer").first).to_be_visible()
    expect(page.get_by_text("Lost", exact=True)).to_have_count(0)
    page.unroute("**/dicomweb/studies")
    save_measurements(page, "Found")
    expect(page.get_by_text("Found", exact=True).first).to_be_visible()
    expect(page.get_by_text("saved successfully")).to_be_visible()
    context.close()


def test_a_study_that_is_not_here_is_said(archive: Archive, page: Page) -> None:
    page.goto(archive.server.url + viewer_path(["1.2.3.4"], ["CT"]))
    expect(page.get_by_text("not available at this time")).to_be_visible(timeout=IMAGE_SECONDS * 1000)
