"""`fileroom scrub`: is every promised byte still there, and does the index agree?"""

from __future__ import annotations

import typer

from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, Ticker, size


def scrub(home: options.Home = None, as_json: options.Json = False) -> None:
    """Read every object and compare it with the digest recorded when it arrived, and packs with index both ways.

    Changes nothing; may run beside the server. The exit code is 1 when anything is not as it should be.

    Example:  fileroom scrub --json > scrub.json
    """
    from fileroom.archive.packs import Packs
    from fileroom.archive.scrub import scrub as scrub_archive
    from fileroom.ops.findings import plain, tell

    out, ticker = Output(as_json), Ticker()
    settings = options.settings(home)
    with options.open_database(settings) as database:
        report = scrub_archive(
            database, Packs(settings.packs), lambda done, total: ticker.show(lambda: f"{size(done)} of {size(total)}")
        )
    ticker.done()
    tell(out, report.findings)
    verdict = f"{len(report.findings)} findings" if report.findings else "all as recorded"
    out.say(f"{report.objects} objects, {size(report.size_bytes)} in {report.packs} packs: {verdict}.")
    out.result(
        {
            "packs": report.packs,
            "objects": report.objects,
            "size_bytes": report.size_bytes,
            "findings": plain(report.findings),
        }
    )
    if report.findings:
        raise typer.Exit(Exit.FOUND)
