"""`make bench`: prints one Markdown table. ROWS=store_ct,qido runs some rows; QUICK=1 tries the harness.

ORTHANC=/path and ORTHANC_PLUGINS=/path pick another build of the peer; BENCH_DIR=/path another disk.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benches import table
from benches.bench import Bench, new_folder
from benches.rows import bulk, crowded, frames, memory, metadata, pages, search, store, stow, study, viewer
from benches.table import Line
from fileroom import __version__
from tests.support import orthanc, peers

# In this order: rows that read come before the crowd of 20,000 studies is let in.
ROWS: dict[str, Callable[[Bench], list[Line]]] = {
    "store_ct": store.run_ct,
    "store_stock": store.run_stock,
    "store_mg": store.run_mammograms,
    "store_small": store.run_small,
    "stow": stow.run,
    "memory": memory.run,
    "import": bulk.run_import,
    "metadata": metadata.run,
    "qido": search.run_qido,
    "find": search.run_find,
    "frames_ct": frames.run_ct,
    "frames_mg": frames.run_mammograms,
    "frames_tomo": frames.run_tomosynthesis,
    "study_wado": study.run_wado,
    "study_get": study.run_get,
    "study_move": study.run_move,
    "viewer": viewer.run,
    "pages": pages.run,
    "qido_20k": search.run_qido_crowded,
    "find_20k": search.run_find_crowded,
    "retrieve_20k": crowded.run,
    "rebuild": bulk.run_rebuild,
}
# These run with 20,000 studies in the archive.
CROWDED = ("qido_20k", "find_20k", "retrieve_20k", "rebuild")


def main() -> int:
    wanted = [name for name in os.environ.get("ROWS", "").replace(" ", ",").split(",") if name]
    if wanted == ["help"] or sys.argv[1:]:
        print(f"{__doc__}\nRows: {', '.join(ROWS)}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder is removed
    unknown = [name for name in wanted if name not in ROWS]
    if unknown:
        print(f"no such rows: {', '.join(unknown)}; there are: {', '.join(ROWS)}", file=sys.stderr)
        return 2
    bench = Bench(new_folder(os.environ.get("BENCH_DIR")), quick=bool(os.environ.get("QUICK")))
    started = time.monotonic()
    print(_heading(wanted, bench.quick))
    print(table.HEAD, flush=True)
    try:
        for name in ROWS:
            if not wanted or name in wanted:
                for line in _run(bench, name, wanted):
                    print(line.markdown(), flush=True)
    finally:
        bench.close()
    bench.notes.append(f"It took {(time.monotonic() - started) / 60:.0f} minutes.")
    print("".join(f"\n- {note}" for note in bench.notes))
    return 0


def _run(bench: Bench, name: str, wanted: list[str]) -> list[Line]:
    bench.say(f"row {name}")
    if name in CROWDED and bench.library.lonely:
        _before_the_crowd(bench, wanted)
        bench.say("letting the crowd in")
        bench.library.crowd()
    return ROWS[name](bench)


def _before_the_crowd(bench: Bench, wanted: list[str]) -> None:
    """What rows in the crowd compare themselves with, where the wanted rows have not measured it."""
    if not wanted or "qido_20k" in wanted:
        search.measure_rare(bench)
    if not wanted or "retrieve_20k" in wanted:
        crowded.measure_before(bench)


def _heading(wanted: list[str], quick: bool) -> str:
    command = "make bench" + (f" ROWS={','.join(wanted)}" if wanted else "")
    peer = peers.version([orthanc.build(), "--version"])
    tools = peers.version([peers.dcmtk("storescp"), "--version"]).strip("$ ")
    lines = [
        f"Measured {time.strftime('%Y-%m-%d %H:%M')} with `{command}` on {os.cpu_count()} x {_processor()}.",
        f"Fileroom {__version__} (Python {platform.python_version()}, SQLite) beside {peer} (benches/orthanc.json); "
        f"{tools}; Linux {platform.release()}.",
        "Medians of interleaved pairs of turns; files synced on both sides; TCP_NODELAY on both unless a row says "
        "stock.",
    ]
    if quick:
        lines.append("**A quick trial of the harness, not a measurement.**")
    return "  \n".join(lines) + "\n"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    sys.exit(main())
