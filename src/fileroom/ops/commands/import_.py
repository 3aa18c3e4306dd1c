"""`fileroom import`: take in what lies on a disk."""

from __future__ import annotations

import getpass
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, Ticker, size

if TYPE_CHECKING:
    from fileroom.archive.importing import ImportReport

_PROBLEMS_SHOWN_MAX = 50


def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, folders, DICOMDIR, zip or tar.")],
    site: Annotated[str | None, typer.Option(help="The site the objects belong to. [the site of the settings]")] = None,
    label: Annotated[str, typer.Option(help="Where they come from, kept with each. No patient data.")] = "disk",
    afresh: Annotated[bool, typer.Option("--afresh", help="Look at files again that an earlier run took in.")] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Take in DICOM objects from files, folders, DICOMDIR, zip and tar.

    May run beside the server. Interrupted, the same command goes on where it stopped. What is not DICOM is skipped;
    what is refused is listed with the reason, and the exit code is then 1. The files themselves are not changed.

    Example:  fileroom import /mnt/old-pacs/export --site north
    """
    from fileroom.archive.arrival import Source, check_label
    from fileroom.archive.importing import Importer, Journal
    from fileroom.audit.actor import Actor
    from fileroom.ops import logs
    from fileroom.ops.rooms import open_rooms

    out = Output(as_json)
    settings = options.settings(home)
    logs.start("error", settings.log_format)
    ticker, begin = Ticker(), time.monotonic()
    label, site = check_label(label, "--label"), check_label(site or settings.site, "--site")
    with open_rooms(settings) as rooms, Journal(settings.home / "imports", paths, afresh=afresh) as journal:
        act = rooms.telling.storing(Actor(getpass.getuser(), where="command line"), f"import {label}")
        source = Source("import", label, site, act)
        importer = Importer(rooms.receiver, source, journal, lambda report: ticker.show(lambda: _summary(report)))
        try:
            importer.run(paths)
        except KeyboardInterrupt:
            sys.stderr.write("\nInterrupted. The same command goes on from here.\n")
            raise
        finally:
            act.end()
            ticker.done()
    _tell(out, importer.report, time.monotonic() - begin)
    if not importer.report.complete:
        raise typer.Exit(Exit.FOUND)


def _tell(out: Output, report: ImportReport, seconds: float) -> None:
    for problem in report.problems[:_PROBLEMS_SHOWN_MAX]:
        out.say(f"{problem.outcome}: {problem.name}: {problem.why}")
    if len(report.problems) > _PROBLEMS_SHOWN_MAX:
        out.say(f"... and {len(report.problems) - _PROBLEMS_SHOWN_MAX} more; --json lists all of them")
    out.say(f"{_summary(report)} in {seconds:.1f} s.")
    out.result(
        {
            "counts": dict(report.counts),
            "size_bytes": report.size_bytes,
            "studies": len(report.studies),
            "seconds": round(seconds, 3),
            "problems": [{"name": p.name, "outcome": p.outcome, "why": p.why} for p in report.problems],
        }
    )


def _summary(report: ImportReport) -> str:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.counts.items())) or "nothing found"
    return f"{counts}; {size(report.size_bytes)} of {len(report.studies)} studies"
