"""`fileroom backup`: a plain, consistent copy."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fileroom.errors import BadRequest
from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, Ticker, size


def backup(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or one of an earlier backup.")],
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Copy the archive to a folder, beside the running server: packs, index, records and ledger as of one moment.

    Into the folder of an earlier backup only what is new is copied. The copy is a home: look into it with
    `fileroom status --home DIR` and prove it with `fileroom scrub --home DIR`; to restore it, copy it and serve the
    copy. From PostgreSQL, index and records are copied to an SQLite file in it. fileroom.toml is not copied: it may
    hold a password.

    Example:  fileroom backup /mnt/backup/fileroom
    """
    from fileroom.archive.backup import backup as back_up
    from fileroom.archive.packs import Packs
    from fileroom.audit.checkpoints import FOLDER

    out, ticker, begin = Output(as_json), Ticker(), time.monotonic()
    settings = options.settings(home)
    target = directory.expanduser().absolute()
    if target.resolve().is_relative_to(settings.home.resolve()):
        raise BadRequest(f"{target} lies in the home itself", hint="a backup belongs on another disk")
    with options.open_database(settings) as database:
        report = back_up(
            database,
            Packs(settings.packs),
            target,
            lambda done, total: ticker.show(lambda: f"{size(done)} of {size(total)}"),
            folders=[settings.home / FOLDER],
        )
    ticker.done()
    seconds = time.monotonic() - begin
    for pack_id in report.lost:
        out.say(f"lost: pack {pack_id:016x} is gone or shorter than promised; fileroom scrub says what it held")
    out.say(
        f"{report.objects} objects, {size(report.size_bytes)} in {target}: {report.packs_copied} packs copied, "
        f"{report.packs_kept} there already, in {seconds:.1f} s."
    )
    lost = [f"{pack_id:016x}" for pack_id in report.lost]
    out.result({"directory": str(target), **asdict(report), "lost": lost, "seconds": round(seconds, 3)})
    if report.lost:
        raise typer.Exit(Exit.FOUND)
