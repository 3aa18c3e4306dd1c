"""Debian's Chromium, driven by playwright, for tests that look at pages as people do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
_AXE = Path(__file__).resolve().parents[2] / ".peers" / "axe.min.js"

expect.set_options(timeout=20_000)  # milliseconds: a busy machine is slow, not wrong


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser with nothing in it."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        yield opened
        opened.close()


class Watched:
    """What went wrong on a page: scripts' errors, violated policies, requests to other hosts, dialogs that opened."""

    def __init__(self, page: Page, *, warnings: bool = True) -> None:
        """`warnings` says whether a script's warnings are problems, too: not those of a script that is not ours."""
        kinds = ("error", "warning") if warnings else ("error",)
        self.problems: list[str] = []
        self._host = ""
        page.on("console", lambda message: self._note(message.type in kinds, message.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("dialog", lambda dialog: (self._note(True, f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self._request(request.url))

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = self._host or parts.netloc
        self._note(parts.scheme not in ("data", "blob") and parts.netloc != self._host, f"asked {parts.netloc}")

    def _note(self, bad: bool, text: str) -> None:
        if bad:
            self.problems.append(text)


def accessibility(page: Page) -> list[str]:
    """What axe-core calls serious or critical on the page."""
    page.evaluate(_AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
