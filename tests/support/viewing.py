"""The viewer as a person sees and uses it, in a page of a real browser."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

# Chromium with these draws WebGL in software.
DRAWING = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
PANES = "[data-cy=viewport-pane]"
IMAGE_SECONDS = 60  # drawing in software on a busy machine
MEAN_SEEN = 20.0  # grey levels; an empty pane has about 3 from its words and lines


def grey(page: Page, pane: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """What a person sees in that pane, from black (0) to white (255)."""
    shot = page.locator(PANES).nth(pane).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=np.float64)


def words(page: Page, pane: int) -> list[str]:
    """The lines of text over that pane."""
    return page.locator(PANES).nth(pane).inner_text().split("\n")


def until(holds: Callable[[], bool], what: str = "the images did not appear") -> None:
    """Wait for it. AssertionError, with `what`, when it does not come to hold."""
    end = time.monotonic() + IMAGE_SECONDS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.3)


def images_are_seen(page: Page, panes: int) -> None:
    """Wait until so many panes stand there, with an image in each."""
    expect(page.locator(PANES)).to_have_count(panes, timeout=IMAGE_SECONDS * 1000)
    until(lambda: all(grey(page, pane).mean() > MEAN_SEEN for pane in range(panes)))


def measure(page: Page, pane: int) -> None:
    """Draw a length of 200 pixels across the middle of that pane."""
    page.locator("[data-cy=MeasurementTools-split-button-primary]").click()
    box = page.locator(PANES).nth(pane).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 100, y)
    page.mouse.down()
    page.mouse.move(x, y + 20, steps=4)
    page.mouse.move(x + 100, y + 40, steps=4)
    page.mouse.up()


def save_measurements(page: Page, name: str) -> None:
    """Have what was measured kept as a structured report of that name; returns when the viewer says how that went."""
    page.locator("[data-cy=panelMeasurement-btn]").click()
    page.get_by_text("Create SR").click()
    page.get_by_placeholder("Report name").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()
    said = page.get_by_text("Measurements saved successfully").or_(page.get_by_text("Not saved"))
    expect(said.first).to_be_visible(timeout=IMAGE_SECONDS * 1000)
