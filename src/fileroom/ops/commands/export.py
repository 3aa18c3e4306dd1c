"""`fileroom export`: studies as a ZIP with a DICOMDIR."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from fileroom.errors import NotFound
from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, Ticker, size

_MISSING_SHOWN_MAX = 50


def export(
    studies: Annotated[list[str], typer.Argument(metavar="STUDY_UID...", help="Which studies.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="A new file; nothing is overwritten.")],
    series: Annotated[str | None, typer.Option(metavar="UID", help="Only this series of the one study.")] = None,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Write studies to a ZIP with a DICOMDIR, for another archive or a viewer. May run beside the server.

    Every object is compared with what was recorded when it arrived. One that cannot be read is left out and listed in
    MISSING.TXT inside; the exit code is then 1.

    Example:  fileroom export 1.2.840.113619.2.55.3 /media/usb/study.zip
    """
    from fileroom.archive.contents import contents
    from fileroom.archive.packs import Packs
    from fileroom.archive.retrieve import Retriever
    from fileroom.media import export as exporting
    from fileroom.media.plan import plan
    from fileroom.ops import logs

    out, ticker, begin = Output(as_json), Ticker(), time.monotonic()
    settings = options.settings(home)
    logs.start("error", settings.log_format)
    target = file.expanduser().absolute()
    exporting.check_absent(target)
    uids = list(dict.fromkeys(studies))
    with options.open_database(settings) as database:
        retriever = Retriever(database, Packs(settings.packs))
        found = contents(database, uids, series)
        here = {one.values.study_uid for one in found}
        if absent := [uid for uid in uids if uid not in here]:
            what = "no such series" if series is not None else "no such study"
            raise NotFound(f"{what}: {', '.join(absent)}", hint="the Study Instance UID is needed, of one not hidden")
        planned = plan(found, retriever)
        try:
            missing = exporting.export(
                planned, retriever, target, lambda done: ticker.show(lambda: f"{done} of {planned.total} objects")
            )
        finally:
            ticker.done()
    seconds = time.monotonic() - begin
    for one in missing[:_MISSING_SHOWN_MAX]:
        out.say(f"missing: {one.sop_uid}: {one.why}")
    if len(missing) > _MISSING_SHOWN_MAX:
        out.say(f"... and {len(missing) - _MISSING_SHOWN_MAX} more; --json lists all of them")
    written = planned.total - len(missing)
    size_bytes = planned.layout.size_bytes
    out.say(f"{written} of {planned.total} objects, {size(size_bytes)} in {target}, in {seconds:.1f} s.")
    out.result(
        {
            "file": str(target),
            "objects": written,
            "size_bytes": size_bytes,
            "missing": [{"sop_uid": one.sop_uid, "why": one.why} for one in missing],
            "seconds": round(seconds, 3),
        }
    )
    if missing:
        raise typer.Exit(Exit.FOUND)
