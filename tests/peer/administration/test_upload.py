"""Files uploaded in a real browser: a folder, a ZIP, junk among them; what became of each is told, the rest goes on."""

from __future__ import annotations

import base64
import http.client
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.fileroom import FileroomServer
from tests.support.senders import dataset_digest, fetch

MANY, SHOWN_MAX = 1200, 500
HOSTILE = "<img src=x onerror=alert(1)>\u202emcd.exe"
DROP = """(files) => {
  const carried = new DataTransfer();
  for (const [name, content] of files) {
    carried.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
  }
  document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: carried, cancelable: true }));
}"""


def test_a_folder_and_a_zip_are_taken_in_and_junk_is_told(fileroom_server: FileroomServer, tmp_path: Path) -> None:
    objects = list(corpus.small_studies(6))
    folder = tmp_path / "disc"
    (folder / "deep").mkdir(parents=True)
    for number, one in enumerate(objects[:3]):
        one.write(folder / "deep" / f"{number}.dcm")
    (folder / "letter.txt").write_text("no images in here")
    (folder / "cut.dcm").write_bytes(objects[3].part10[:-100])
    archive = tmp_path / "rest.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        for number, one in enumerate(objects[3:]):
            writer.writestr(f"{number}.dcm", one.part10)
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/upload")
        assert accessibility(page) == []
        page.set_input_files("#folder", folder)
        expect(page.locator("#line")).to_have_text("5 of 5 files: done")
        page.set_input_files("#files", archive)
        expect(page.locator("#line")).to_have_text("6 of 6 files: done")
        counts = page.locator("#counts").inner_text().split()
        assert dict(zip(counts[::2], counts[1::2], strict=True)) == {"stored": "6", "skipped": "1", "refused": "1"}
        expect(page.locator("#problems tbody tr")).to_have_count(1)
        expect(page.locator("#problems tbody")).to_contain_text("disc/cut.dcm")
        expect(page.locator("#studies a")).to_have_count(6)
        assert accessibility(page) == []
        page.set_input_files("#files", archive)
        expect(page.locator("#counts")).to_contain_text("already here")
        page.locator("#studies a").first.click()
        expect(page.locator("dl.banner")).to_be_visible()
        assert watched.problems == []
    for one in objects:
        found = fetch(fileroom_server, one)
        assert found is not None
        assert dataset_digest(found) == one.digest
    assert list((fileroom_server.home / "spool").iterdir()) == []


def test_files_that_are_dropped_are_taken_in_and_their_names_are_text(fileroom_server: FileroomServer) -> None:
    (one,) = corpus.small_studies(1)
    broken = base64.b64encode(one.part10[:-100]).decode()
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/upload")
        page.evaluate(DROP, [[HOSTILE, broken], ["whole.dcm", base64.b64encode(one.part10).decode()]])
        expect(page.locator("#line")).to_have_text("2 of 2 files: done")
        expect(page.locator("#problems tbody td").first).to_have_text(HOSTILE)
        expect(page.locator("#studies a")).to_have_count(1)
        assert watched.problems == []


def test_a_server_that_is_started_anew_in_the_middle_costs_no_file(
    fileroom_server: FileroomServer, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number, one in enumerate(corpus.small_studies(MANY)):
        one.write(folder / f"{number:05}.dcm")
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{fileroom_server.url}/upload")
        page.set_input_files("#folder", folder)
        expect(page.locator("#counts")).to_contain_text("stored")
        fileroom_server.kill()
        fileroom_server.start()
        expect(page.locator("#line")).to_have_text(f"{MANY:,} of {MANY:,} files: done", timeout=60_000)
        counts = page.locator("#counts").inner_text().replace(",", "").splitlines()
        told = dict(zip(filter(None, counts[::2]), map(int, filter(None, counts[1::2])), strict=True))
        assert told.pop("stored") + told.pop("already here", 0) == MANY, told
        assert told == {}
        expect(page.locator("#studies a")).to_have_count(SHOWN_MAX)
        expect(page.locator("#more-studies")).to_have_text(f"and {MANY - SHOWN_MAX:,} more studies")
    assert len(fileroom_server.get(f"/dicomweb/studies?limit={2 * MANY}")) == MANY


def test_an_upload_is_stopped_and_what_was_not_sent_is_sent_later(
    fileroom_server: FileroomServer, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number, one in enumerate(corpus.small_studies(400)):
        one.write(folder / f"{number:05}.dcm")
    with chromium() as browser:
        page = browser.new_page()
        watched = Watched(page)
        page.goto(f"{fileroom_server.url}/upload")
        page.set_input_files("#folder", folder)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#line")).to_have_text("400 of 400 files: stopped")
        expect(page.locator("#problems tbody tr").first).to_contain_text("stopped")
        page.get_by_role("button", name="Try what failed again").click()
        expect(page.locator("#line")).to_have_text("400 of 400 files: done", timeout=30_000)
        expect(page.locator("#fine")).to_be_visible()
        page.get_by_role("button", name="Copy the report").click()
        expect(page.locator("#copied")).not_to_be_empty()
        assert watched.problems == []
    assert len(fileroom_server.get("/dicomweb/studies?limit=1000")) == 400


def test_an_upload_that_is_cut_leaves_nothing(fileroom_server: FileroomServer) -> None:
    (one,) = corpus.small_studies(1)
    spool = fileroom_server.home / "spool"
    connection = http.client.HTTPConnection("127.0.0.1", fileroom_server.web, timeout=20)
    connection.putrequest("POST", "/upload?name=cut")
    connection.putheader("content-length", str(len(one.part10)))
    connection.endheaders()
    connection.send(one.part10[:-50])
    wait_until(lambda: spool.exists() and bool(list(spool.iterdir())))
    connection.close()
    wait_until(lambda: not list(spool.iterdir()))
    assert fileroom_server.get("/dicomweb/studies") == []


def test_what_a_crash_left_in_the_spool_is_gone_after_the_next_start(fileroom_server: FileroomServer) -> None:
    fileroom_server.kill()
    left = fileroom_server.home / "spool" / "0123"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half a file")
    fileroom_server.start()
    assert not left.exists()


def wait_until(happened: Callable[[], bool], timeout_seconds: float = 10) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
