"""A new user's first day, from the README alone: the whole way from the demonstration to a disc that others read."""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pydicom import dcmread

from tests.support import corpus, peers
from tests.support.browser import Watched, chromium
from tests.support.fileroom import FileroomServer
from tests.support.viewing import DRAWING, images_are_seen, measure, save_measurements, words

ARRIVES_MS = 30_000
VIEWS = ["R CC", "L CC", "R CC", "L CC", "R MLO", "L MLO", "R MLO", "L MLO"]
CURRENT, PRIOR = "14-Apr-2026", "09-Apr-2024"


@pytest.mark.timeout(600)
def test_the_first_day(demonstrated: FileroomServer, dcmtk: Callable[[str], str], tmp_path: Path) -> None:
    if not files("fileroom.viewer").joinpath("ohif/viewer.json").is_file():
        peers.skip_or_fail(peers.MissingPeer("the viewer was not fetched: `make dev` does"))
    with chromium(*DRAWING) as browser:
        context = browser.new_context(viewport={"width": 1600, "height": 1000}, accept_downloads=True)
        page = context.new_page()
        watched = Watched(page)
        page.goto(demonstrated.url)
        _find_the_mammogram(page)
        viewer = _open_the_viewer(context, page)
        watched_viewer = Watched(viewer, warnings=False)
        _current_stands_beside_prior(viewer)
        measure(viewer, 0)
        save_measurements(viewer, "First reading")
        series = page.get_by_role("row").filter(has=page.get_by_role("link", name="First reading"))
        expect(series).to_contain_text("SR", timeout=ARRIVES_MS)
        viewer.close()

        folder = _folder(tmp_path / "from the scanner")
        upload = context.new_page()
        watched_upload = Watched(upload)
        page.goto(demonstrated.url)
        upload.goto(f"{demonstrated.url}/upload")
        _drop(upload, folder)
        expect(upload.locator("#line")).to_have_text("12 of 12 files: done", timeout=ARRIVES_MS)
        expect(upload.locator("#fine")).to_be_visible()
        page.get_by_role("link", name=_shown_name()).click(timeout=ARRIVES_MS)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        disc = tmp_path / "study.zip"
        download.value.save_as(disc)
        assert [*watched.problems, *watched_viewer.problems, *watched_upload.problems] == []
    _dcmtk_reads(dcmtk, disc, tmp_path / "disc", folder)


def _find_the_mammogram(page: Page) -> None:
    page.get_by_role("link", name="Studies", exact=True).click()
    page.wait_for_url("**/studies")  # its scripts are there, too
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("ada screening 2026")
    expect(page.locator("#studies tbody tr")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("SCREENING MAMMOGRAPHY")


def _open_the_viewer(context: BrowserContext, page: Page) -> Page:
    """In a tab of its own: the study's page stays open."""
    with context.expect_page() as opened:
        page.get_by_role("link", name="Open in viewer").click(modifiers=["Control"])
    return opened.value


def _current_stands_beside_prior(viewer: Page) -> None:
    images_are_seen(viewer, len(VIEWS))
    shown = [words(viewer, pane) for pane in range(len(VIEWS))]
    assert [next(word for word in pane if word in set(VIEWS)) for pane in shown] == VIEWS
    dates = [next(word for word in pane if word[-4:].isdigit()) for pane in shown]
    assert dates == [CURRENT, CURRENT, PRIOR, PRIOR] * 2


def _folder(folder: Path) -> Path:
    """As it comes from a scanner: one CT series, files in a folder of their own."""
    (folder / "series").mkdir(parents=True)
    for number, one in enumerate(corpus.ct_study(8, slices=12)):
        one.write(folder / "series" / f"{number:03}.dcm")
    return folder


def _shown_name() -> str:
    """The name of the folder's patient as pages write it."""
    family, given = corpus.visit("ct", 8).patient_name.split("^")[:2]
    return f"{family}, {given}"


def _drop(page: Page, folder: Path) -> None:
    """Drags the folder from the desktop onto the page, which sees real files and directories."""
    box = page.locator("#drop").bounding_box()
    assert box is not None
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    carried = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **where, "data": carried})


def _dcmtk_reads(dcmtk: Callable[[str], str], disc: Path, folder: Path, sent: Path) -> None:
    """dcmtk reads the DICOMDIR and each file that it names; they are the objects that were sent."""
    with zipfile.ZipFile(disc) as archive:
        archive.extractall(folder)
    dump = [dcmtk("dcmdump"), "--quote-nonascii"]
    told = subprocess.run(
        [*dump, "--search", "ReferencedFileID", folder / "DICOMDIR"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    named = [folder.joinpath(*name.split("\\")) for name in re.findall(r"\[(.+)\]", told)]
    assert len(named) == 12
    subprocess.run([*dump, *named], capture_output=True, timeout=60, check=True)
    found = sorted(dcmread(file).SOPInstanceUID for file in named)
    assert found == sorted(dcmread(file).SOPInstanceUID for file in sent.rglob("*.dcm"))
