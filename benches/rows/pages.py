"""Fileroom's own pages, in Chromium without a slow line: the study list among 100,000 studies, and what pages weigh."""

from __future__ import annotations

import gzip
import statistics
from importlib.resources import files

from playwright.sync_api import Error, Page

from benches.bench import Bench
from benches.sides import FILEROOM, Side, start_fileroom
from benches.table import Line
from fileroom.archive.word_maker import WordMaker
from fileroom.database import Database
from tests.support import corpus
from tests.support.browser import chromium
from tests.support.rows import Rows

PAINT_MS, FILTER_MS, WEIGHT_BYTES = 300, 150, 60_000
_TURNS = 7
_WORDS = ("wainf", "thorax", "2023-05", "CT00431", "runa", "abdomen", "kest")
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
# From the key that ends the word to the frame in which the new rows are painted.
_FILTER = """word => new Promise(resolve => {
  const search = document.getElementById('q'), results = document.getElementById('results');
  let start;
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
  }).observe(results, { childList: true });
  search.value = word;
  start = performance.now();
  search.dispatchEvent(new InputEvent('input', { bubbles: true }));
})"""


def run(bench: Bench) -> list[Line]:
    """First paint and filter of the list, median of seven; bytes of our own scripts and stylesheets as they go out."""
    count = bench.count(100_000, 1_000)
    lines = [_weight()]
    side = bench.start("pages", start_fileroom, FILEROOM)
    if side is None:
        return lines
    try:
        bench.say(f"writing {count:,} studies into the index")
        side.stop()
        _fill(side, count)
        side.restart()
        address = f"http://127.0.0.1:{side.web}/studies"
        with chromium() as browser:
            paints = [_paint(browser.new_context().new_page(), address) for _ in range(_TURNS + 1)][1:]
            page = browser.new_page()
            _paint(page, address)
            filters = [float(page.evaluate(_FILTER, word)) for word in ("a", *_WORDS)][1:]
        lines.append(_line(f"study list of {count:,}, first paint, nothing cached", paints, PAINT_MS))
        lines.append(_line(f"study list of {count:,}, from a key to the rows it leaves", filters, FILTER_MS))
    except Error as error:
        lines.append(Line("the study list", f"failed: {error}"))
    finally:
        side.kill()
    return lines


def _paint(page: Page, address: str) -> float:
    page.goto(address)
    page.wait_for_function(_PAINT)
    return float(page.evaluate(_PAINT))


def _line(title: str, found: list[float], most_ms: float) -> Line:
    middle = statistics.median(found)
    told = f"{middle:.0f} ms ({min(found):.0f} to {max(found):.0f})"
    return Line(title, told, must=f"under {most_ms:g} ms", met="yes" if middle < most_ms else "no")


def _weight() -> Line:
    """Every script and stylesheet that is ours or shipped with the pages, without the viewer's package."""
    total = 0
    for room in ("web", "reading", "administration", "viewer"):
        for file in files(f"fileroom.{room}").joinpath("static").iterdir():
            if file.name.rpartition(".")[2] in ("js", "css"):
                total += len(gzip.compress(file.read_bytes(), mtime=0))
    met = "yes" if total < WEIGHT_BYTES else "no"
    told = f"{total / 1000:.1f} KB"
    return Line("scripts and stylesheets of all pages, gzip", told, must=f"under {WEIGHT_BYTES // 1000} KB", met=met)


def _fill(side: Side, count: int) -> None:
    """Studies of one series and one object each, as rows of the index; what they stand for is not there."""
    rows = Rows()
    for number in range(1, count + 1):
        who = corpus.visit("ct", number)
        study = rows.study(
            who.study_uid,
            patient_name=who.patient_name,
            patient_id=who.patient_id,
            birth_date=who.birth_date,
            sex=who.sex,
            accession=who.accession,
            study_date=who.study_date,
            study_time=who.study_time,
            study_description=who.description,
            modalities="CT",
        )
        late = {"id": 1 << 59} if number == count else {}  # the others came long before
        rows.instance(rows.one_series(study, f"{who.study_uid}.1", modality="CT"), f"{who.study_uid}.1.1", **late)
    database = Database(f"sqlite:///{side.home}/fileroom.sqlite")
    try:
        rows.write(database)
        words = WordMaker(database)
        while words.step():
            pass
    finally:
        database.close()
