"""`fileroom rebuild-index`: make the index anew from packs and records."""

from __future__ import annotations

import time

import typer

from fileroom.errors import BadSetting
from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, Ticker, size


def rebuild_index(home: options.Home = None, as_json: options.Json = False) -> None:
    """Drop the index and make it anew from the packs, with equal answers.

    Stop the server and imports first. Peers, hidden studies and held objects are records and stay. Objects whose
    bytes no longer fit their recorded digest are listed, and the exit code is then 1.

    Example:  fileroom rebuild-index
    """
    from fileroom.archive.binding import bind
    from fileroom.archive.packs import Packs
    from fileroom.archive.rebuild import rebuild_index as rebuild
    from fileroom.ops import locks
    from fileroom.ops.findings import plain, tell

    out, ticker, begin = Output(as_json), Ticker(), time.monotonic()
    settings = options.settings(home)
    if not settings.packs.is_dir():
        raise BadSetting(f"{settings.home} holds no packs", hint="--home names the archive")
    with locks.alone(settings.home), options.open_database(settings, make=True) as database:
        packs = Packs(settings.packs)
        bind(database, packs)
        report = rebuild(database, packs, lambda done, total: ticker.show(lambda: f"{size(done)} of {size(total)}"))
    ticker.done()
    seconds = time.monotonic() - begin
    tell(out, report.findings)
    out.say(f"{report.objects} objects from {report.packs} packs in {seconds:.1f} s; {report.held} wait for a person.")
    out.result(
        {
            "packs": report.packs,
            "objects": report.objects,
            "held": report.held,
            "seconds": round(seconds, 3),
            "findings": plain(report.findings),
        }
    )
    if report.findings:
        raise typer.Exit(Exit.FOUND)
