"""Key images and presentation states in a real browser: marked, saved, seen again, taken back; those of others too."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from fileroom.dicom.render_options import Window
from fileroom.dicom.softcopy import Graphic
from fileroom.dicom.softcopy_writing import Setting
from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.corpus import Instance
from tests.support.fileroom import FileroomServer
from tests.support.readers_marks import state_file
from tests.support.senders import c_store, get, post


def pixels(page: Page) -> Any:
    """The red of what is shown, by row and column."""
    url = page.evaluate("document.getElementById('picture').toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"), dtype=int)[..., 0]


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def send(server: FileroomServer, objects: list[Instance]) -> str:
    assert all(said.acknowledged for said in c_store(server, objects))
    return objects[0].study_uid


def settled(page: Page, number: int) -> None:
    expect(page.locator("#picture")).to_have_attribute("data-at", str(number))
    expect(page.locator("#stage")).not_to_have_class(re.compile("waiting"))


def test_an_image_is_marked_found_and_unmarked(fileroom_server: FileroomServer, browser: Browser) -> None:
    server, objects = fileroom_server, list(corpus.ct_study(5, slices=4))
    study = send(server, objects)
    page = browser.new_page()
    watched = Watched(page)
    page.goto(f"{server.url}/studies/{study}/look#at=3")
    settled(page, 3)
    expect(page.locator("#only")).to_be_disabled()
    page.select_option("#title", "113002")
    page.locator("#key").click()
    expect(page.locator("#told")).to_contain_text("kept as a document in this study")
    expect(page.locator("#star")).to_have_text("★ For Referring Provider")
    page.locator("#stage").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#star")).to_be_hidden()
    page.locator("#only").check()
    expect(page.locator("#place")).to_have_text("Key image 1 of 1")
    expect(page.locator("#which")).to_have_text("No. 3")
    assert accessibility(page) == []

    (series,) = server.get(f"/dicomweb/studies/{study}/series?Modality=KO&includefield=all")
    assert series["0008103E"]["Value"] == ["Key images"]
    (document,) = server.get(f"/dicomweb/studies/{study}/series/{series['0020000E']['Value'][0]}/metadata")
    assert document["00100020"]["Value"] == server.get("/dicomweb/studies")[0]["00100020"]["Value"]
    page.goto(f"{server.url}/studies/{study}")
    expect(page.locator("table.series .star")).to_contain_text("★ 1")
    expect(page.locator("ul.keys li")).to_contain_text(["For Referring Provider"])
    assert accessibility(page) == []
    page.locator("ul.keys a").click()
    expect(page.locator("#which")).to_have_text("No. 3")
    settled(page, 3)
    page.keyboard.press("k")
    expect(page.locator("#told")).to_contain_text("both stay stored")
    expect(page.locator("#star")).to_be_hidden()
    page.goto(f"{server.url}/studies/{study}")
    expect(page.locator("table.series")).to_be_visible()
    expect(page.locator("ul.keys, table.series .star")).to_have_count(0)
    assert len(server.get(f"/dicomweb/studies/{study}/instances?Modality=KO")) == 2
    assert watched.problems == []


def test_how_an_image_is_shown_is_saved_and_shown_again(fileroom_server: FileroomServer, browser: Browser) -> None:
    server, objects = fileroom_server, list(corpus.ct_study(5, slices=2))
    study = send(server, objects)
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    watched = Watched(page)
    page.goto(f"{server.url}/studies/{study}/look")
    settled(page, 1)
    page.keyboard.press("3")
    for key in ("+", "t", "h", "i"):
        page.keyboard.press(key)
    settled(page, 1)
    before = pixels(page)
    assert before.shape == (410, 410)  # 512 / 1.25
    page.fill("#name", "Rib")
    page.locator("#save").click()
    expect(page.locator("#state")).not_to_have_value("")
    expect(page.locator("#state option:checked")).to_have_text(re.compile("^Rib 20"))
    expect(page).not_to_have_url(re.compile("window="))  # it is written a moment after the image is shown
    page.reload()
    settled(page, 1)
    expect(page.locator("#window")).to_have_text("C 400 W 1800")
    expect(page.locator("#turned")).to_have_text("Shown flipped, turned 90°")
    expect(page.locator("#flip")).to_have_attribute("aria-pressed", "true")
    after = pixels(page)
    # Inverted by the browser then, by the server now; both are compressed.
    assert np.abs(255 - before - after).mean() < 3
    assert after.std() > 20
    page.keyboard.press("ArrowDown")
    settled(page, 2)
    expect(page.locator("#window")).to_have_text("C 40 W 400")
    page.keyboard.press("ArrowUp")
    page.select_option("#state", "")
    expect(page.locator("#window")).to_have_text("C 40 W 400")
    expect(page.locator("#picture")).to_have_js_property("width", 512)
    expect(page.locator("#turned")).to_be_hidden()
    page.select_option("#state", index=1)
    page.locator("#unsave").click()
    expect(page.locator("#told")).to_contain_text("both stay stored")
    expect(page.locator("#state")).to_be_disabled()
    assert watched.problems == []


def test_a_state_from_elsewhere_cuts_turns_flips_and_draws(fileroom_server: FileroomServer, browser: Browser) -> None:
    server, image = fileroom_server, next(corpus.ct_study(7))
    study = send(server, [image])
    line = Graphic("POLYLINE", "PIXEL", ((100.0, 260.5), (256.0, 260.5)))
    look = Setting(Window(0, 4000), area=(1, 1, 300, 384), rotation=90, flipped=True, graphics=(line,))
    assert post(server, [state_file(image, look)], "application/dicom")[0] == 200
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.goto(f"{server.url}/studies/{study}/look")
    settled(page, 1)
    seen = pixels(page)
    at = f"/dicomweb/studies/{study}/series/{image.series_uid}/instances/{image.sop_uid}/rendered?window=0,4000,linear"
    whole = np.asarray(Image.open(io.BytesIO(get(server, at, "image/png")[1])), dtype=int)
    # Cut, a quarter turn clockwise, then left to right (PS3.3 C.10.6: the image is turned before it is flipped).
    expected = np.fliplr(np.rot90(whole[:384, :300], -1))
    assert seen.shape == expected.shape == (300, 384)
    assert seen[101:255, 260].min() > 250
    away = np.abs(np.arange(384) - 260) > 3
    assert np.abs(seen - expected)[:, away].mean() < 2  # what is shown is compressed
    assert np.abs(seen - expected[::-1])[:, away].mean() > 10
    assert np.abs(seen - expected[:, ::-1])[:, away].mean() > 10
    expect(page.locator("#unsave")).to_be_hidden()


def ask(server: FileroomServer, path: str, fields: dict[str, str], **headers: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=30)
    try:
        sent = {"Content-Type": "application/x-www-form-urlencoded"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        connection.request("POST", path, urlencode(fields), sent)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_writes_are_checked_before_anything_is_stored(fileroom_server: FileroomServer) -> None:
    server = fileroom_server
    image = corpus.tomosynthesis(3, frames=2)
    at = f"/studies/{send(server, [image])}/look"
    about = {"series": image.series_uid, "instance": image.sop_uid, "title": "113000", "frame": "2"}
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "http://elsewhere.example"}):
        for what in ("key", "state", "take-back"):
            assert ask(server, f"{at}/{what}", about, **headers)[0] == 403
    assert ask(server, f"{at}/key", about | {"title": "113001"})[0] == 400
    assert ask(server, f"{at}/key", about | {"frame": "3"})[0] == 404
    assert ask(server, f"{at}/key", about | {"frame": "x"})[0] == 400
    assert ask(server, f"{at}/key", about | {"instance": "1.2.3"})[0] == 404
    assert ask(server, f"{at}/state", about | {"rotation": "12"})[0] == 400
    assert ask(server, f"{at}/state", about | {"base": "1.2", "base_series": "1.3"})[0] == 404
    assert ask(server, f"{at}/take-back", about)[0] == 404
    assert len(server.get(f"/dicomweb/studies/{image.study_uid}/instances")) == 1

    status, marks = ask(server, f"{at}/key", about)
    assert (status, [(one["frames"], one["ours"]) for one in marks["keys"]]) == (200, [([2], True)])
    assert ask(server, f"{at}/key", about) == (200, marks)  # twice is once
    series, document = marks["keys"][0]["document"]
    assert ask(server, f"{at}/take-back", {"series": series, "instance": document})[1]["keys"] == []
    assert ask(server, f"{at}/take-back", {"series": series, "instance": document})[0] == 404
    assert ask(server, f"{at}/key", about | {"title": "113004"})[0] == 200
    rows = server.get(f"/dicomweb/studies/{image.study_uid}/series?includefield=all")
    assert sorted(row["00080060"]["Value"][0] for row in rows) == ["KO", "MG"]
