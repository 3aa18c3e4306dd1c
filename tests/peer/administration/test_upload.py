"""Files uploaded in a real browser: a folder, a ZIP, junk among them; what became of each is told, the rest goes on."""

from __future__ import annotations

import http.client
import zipfile
from pathlib import Path

from playwright.sync_api import expect

from tests.support import corpus
from tests.support.browser import Watched, accessibility, chromium
from tests.support.fileroom import FileroomServer
from tests.support.senders import dataset_digest, fetch


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
        expect(page.locator("#counts")).to_contain_text("duplicate")
        page.locator("#studies a").first.click()
        expect(page.locator("dl.banner")).to_be_visible()
        assert watched.problems == []
    for one in objects:
        found = fetch(fileroom_server, one)
        assert found is not None
        assert dataset_digest(found) == one.digest
    assert list((fileroom_server.home / "spool").iterdir()) == []


def test_an_upload_that_is_cut_leaves_nothing(fileroom_server: FileroomServer) -> None:
    (one,) = corpus.small_studies(1)
    connection = http.client.HTTPConnection("127.0.0.1", fileroom_server.web, timeout=20)
    connection.putrequest("POST", "/upload?name=cut")
    connection.putheader("content-length", str(len(one.part10)))
    connection.endheaders()
    connection.send(one.part10[:-50])
    connection.close()
    spool = fileroom_server.home / "spool"
    for _ in range(100):
        if spool.exists() and not list(spool.iterdir()):
            break
    assert fileroom_server.get("/dicomweb/studies") == []
