"""`fileroom import` of a folder beside reading and writing it in one go; `fileroom rebuild-index`."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benches.bench import Bench
from benches.clients.failure import ClientFailed
from benches.sides import FILEROOM, Side, start_fileroom
from benches.table import Line
from tests.support import corpus
from tests.support.corpus.instance import write_all
from tests.support.processes import NotReady


def run_import(bench: Bench) -> list[Line]:
    """A folder of CT studies into an empty archive; the baseline reads each file, appends it to one, and syncs that."""
    bench.say("import")
    studies, slices = bench.count(10, 2), bench.count(100, 20)
    folder = bench.folder / "import"
    files = [
        path
        for number in range(studies)
        for path in write_all(corpus.ct_study(7000 + number, slices=slices), folder / f"{number}")
    ]
    os.sync()
    baseline, ours, failed = [], [], ""
    for turn in range(bench.count(3, 1)):
        baseline.append(_timed(lambda: _copy(files, bench.folder / "baseline")))
        try:
            ours.append(_import(bench, folder, turn))
        except (ClientFailed, NotReady, OSError) as error:
            failed = str(error).strip()[-160:]
            break
    limit = len(files) / statistics.median(baseline)
    if failed:
        return [Line(path="import of a folder of CT", fileroom=f"failed: {failed}", limit=f"{limit:,.0f}/s", met="no")]
    rate = len(files) / statistics.median(ours)
    return [
        Line(
            path="import of a folder of CT",
            fileroom=f"{rate:,.0f} objects/s",
            limit=f"read + write + fsync {limit:,.0f}/s",
            share=f"{rate / limit:.2f}",
            must="0.5 of limit (reach 0.7)",
            met="yes" if rate >= 0.5 * limit else "no",
        )
    ]


def _import(bench: Bench, folder: Path, turn: int) -> float:
    """Seconds of the whole command, into an empty home whose server was started and stopped before."""
    side = start_fileroom(bench.folder / f"import-home-{turn}")
    try:
        side.stop()
        os.sync()
        return _timed(lambda: side.command("import", folder))
    finally:
        side.kill()


def _copy(files: list[Path], target: Path) -> None:
    with target.open("wb", buffering=0) as out:
        for path in files:
            out.write(path.read_bytes())
        os.fsync(out.fileno())
    target.unlink()


def _timed(work: Callable[[], object]) -> float:
    os.sync()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run_rebuild(bench: Bench) -> list[Line]:
    """The index of the whole library, crowd and all, made anew from packs and records. Runs last."""
    bench.say("rebuild-index")
    library = bench.library
    ours = next((side for side in library.sides if side.name == FILEROOM), None)
    if ours is None or ours.failed:
        return [Line(path="rebuild-index", fileroom=f"failed: {ours.failed if ours else 'not started'}", met="no")]
    objects = library.small + sum(map(len, library.ct)) + len(library.mammograms) + 1
    try:
        seconds = _rebuild(ours)
    except (ClientFailed, NotReady, OSError) as error:
        return [Line(path="rebuild-index", fileroom=f"failed: {str(error).strip()[-160:]}", met="no")]
    rate = objects / seconds
    return [
        Line(
            path=f"rebuild-index of {objects:,} objects",
            fileroom=f"{rate:,.0f} objects/s",
            must="5,000/s (reach 10,000)",
            met="yes" if rate >= 5000 else "no",
        )
    ]


def _rebuild(side: Side) -> float:
    side.stop()
    return _timed(lambda: side.command("rebuild-index"))
