"""One archive for all tests of the viewer: a CT, and one patient's mammograms of two years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page

from tests.support import corpus, peers
from tests.support.browser import CHROMIUM, Watched, chromium
from tests.support.corpus.turned import WAYS, turned_exam
from tests.support.fileroom import FileroomServer
from tests.support.senders import stow
from tests.support.viewing import DRAWING


@dataclass(frozen=True, slots=True)
class Archive:
    """A running server and the study UIDs in it."""

    server: FileroomServer
    ct: str
    mammogram: str
    prior: str


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    if not files("fileroom.viewer").joinpath("ohif/viewer.json").is_file():
        peers.skip_or_fail(peers.MissingPeer("the viewer was not fetched: `make dev` does"))
    server = FileroomServer(tmp_path_factory.mktemp("viewer") / "home")
    try:
        # Two visits of the same person; every image is stored in another way.
        newer, older = sorted((4, 5), key=lambda number: corpus.visit("mammography", number).study_date, reverse=True)
        ways = list(WAYS)
        stow(server, list(turned_exam(newer, ways[:4], shrink=4)))
        stow(server, list(turned_exam(older, ways[4:], shrink=4)))
        stow(server, list(corpus.ct_study(3, slices=12)))
        yield Archive(
            server,
            ct=corpus.visit("ct", 3).study_uid,
            mammogram=corpus.visit("mammography", newer).study_uid,
            prior=corpus.visit("mammography", older).study_uid,
        )
    finally:
        server.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser that draws WebGL in software."""
    try:
        peers.program(CHROMIUM)
    except peers.MissingPeer as error:
        peers.skip_or_fail(error)
    with chromium(*DRAWING) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab; the test fails at its end for any error, broken policy or request to another host in it."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    tab = context.new_page()
    watched = Watched(tab, warnings=False)
    yield tab
    context.close()
    assert watched.problems == []
