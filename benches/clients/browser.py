"""A reader: Chromium with a profile of its own, that opens studies in the viewer and notes when images are there."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Error, Page, Playwright, sync_playwright

from benches.clients.failure import ClientFailed
from tests.support import peers
from tests.support.browser import CHROMIUM

OPENING_SECONDS = 90
# WebGL is drawn in software: the machines that measure have no graphics card. The same for every server.
_ARGUMENTS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
# Runs before any script of the page. An image counts as seen when cornerstone says that a viewport was rendered and its
# canvas is not black. Loaded are images that cornerstone has decoded and keeps.
_WATCH = """
window.__seen = { panes: new Map(), loaded: new Map() };
addEventListener('CORNERSTONE_IMAGE_RENDERED', event => {
  const id = event.detail.viewportId, canvas = event.target.querySelector('canvas');
  if (__seen.panes.has(id) || !__seen.loaded.size || !canvas) return;
  const small = new OffscreenCanvas(32, 32).getContext('2d');
  small.drawImage(canvas, 0, 0, 32, 32);
  const pixels = small.getImageData(0, 0, 32, 32).data;
  let bright = 0;
  for (let at = 0; at < pixels.length; at += 4) bright += pixels[at] > 40;
  if (bright > 40) __seen.panes.set(id, performance.now());
}, true);
let cornerstone;
Object.defineProperty(window, 'cornerstone', {
  configurable: true,
  get: () => cornerstone,
  set: given => {
    cornerstone = given;
    given.eventTarget.addEventListener('CORNERSTONE_IMAGE_LOADED', event => {
      const id = event.detail.image.imageId;
      if (!__seen.loaded.has(id)) __seen.loaded.set(id, performance.now());
    });
  },
});
"""
_DONE = "([panes, loaded]) => __seen.panes.size >= panes && __seen.loaded.size >= loaded"
_TOLD = "() => [[...__seen.panes.values()], [...__seen.loaded.values()]]"


@dataclass(frozen=True, slots=True)
class Opening:
    """When things were there, in seconds from the start of the navigation."""

    panes: tuple[float, ...]  # each viewport's first image, in order
    loaded: tuple[float, ...]  # each image of the study, in order


class Reader:
    """One person's browser. What it fetched it keeps, as a browser does; a new one has nothing."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self.page: Page = context.pages[0] if context.pages else context.new_page()

    def open(self, start: str, address: str, *, panes: int = 1, loaded: int = 0) -> Opening:
        """Opens a study from the page `start`, until so many viewports show an image and so many images are loaded.

        Raises ClientFailed.
        """
        try:
            self.page.goto(start)
            self.page.goto(address, wait_until="commit")
            self.page.wait_for_function(_DONE, arg=[panes, loaded], timeout=OPENING_SECONDS * 1000, polling=50)
            shown, kept = self.page.evaluate(_TOLD)
            self.page.goto(start)  # so that what is still on its way is in nobody's way
        except Error as error:
            raise ClientFailed(f"the viewer: {error.message[:150]}") from error
        return Opening(_seconds(shown), _seconds(kept))


def _seconds(milliseconds: list[float]) -> tuple[float, ...]:
    return tuple(value / 1000 for value in sorted(milliseconds))


@contextlib.contextmanager
def browsers() -> Iterator[Playwright]:
    """What starts browsers. Raises MissingPeer."""
    peers.program(CHROMIUM)
    with sync_playwright() as playwright:
        yield playwright


@contextlib.contextmanager
def reader(playwright: Playwright) -> Iterator[Reader]:
    """A browser with nothing in it, on a profile that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="fileroom-reader-", ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=_ARGUMENTS, viewport={"width": 1600, "height": 1000}
        )
        try:
            context.add_init_script(_WATCH)
            yield Reader(context)
        finally:
            context.close()
