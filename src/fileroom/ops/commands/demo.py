"""`fileroom demo`: synthetic studies to try everything with."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from fileroom.ops import options
from fileroom.ops.output import Output, Ticker
from fileroom.settings import Settings


def demo(
    remove: Annotated[bool, typer.Option("--remove", help="Take the demonstration out again, all of it.")] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Load a demonstration: synthetic mammograms with priors and chest CTs of people who do not exist.

    About 340 MB in half a minute; may run beside the server. Loading it again adds nothing. With --remove it goes
    out in one step: every row and file of it, and nothing that anybody sent.

    Example:  fileroom demo
    """
    from fileroom.ops import logs

    out, begin = Output(as_json), time.monotonic()
    settings = options.settings(home)
    logs.start("error", settings.log_format)
    if remove:
        _remove(out, settings)
        return
    from fileroom.demo.demonstration import load
    from fileroom.demo.studies import OBJECTS
    from fileroom.ops.rooms import open_rooms

    ticker = Ticker()
    with open_rooms(settings) as rooms:
        try:
            counts = load(
                rooms.receiver, settings.site, lambda done: ticker.show(lambda: f"{done} of {OBJECTS} objects")
            )
        finally:
            ticker.done()
    seconds = time.monotonic() - begin
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    out.say(f"{told} in {seconds:.1f} s.")
    out.say("Look at DEMO-0001, a mammogram with its prior, and DEMO-0004, a chest CT. None of these people exists.")
    out.say("Out again: fileroom demo --remove")
    out.result({"counts": dict(counts), "seconds": round(seconds, 3)})


def _remove(out: Output, settings: Settings) -> None:
    from fileroom.archive.packs import Packs
    from fileroom.demo.demonstration import remove
    from fileroom.ops import locks

    with options.open_database(settings) as database:
        packs = Packs(settings.packs)
        with locks.writing(settings.home, lambda: None):
            done = remove(database, packs, settings.cache / "documents")
    out.say(f"{done.objects} objects of {done.studies} studies are out.")
    if done.refused:
        out.say(f"{len(done.refused)} packs stay: they are being written, or hold something else. Try again later.")
    out.result({"objects": done.objects, "studies": done.studies, "packs": done.packs, "packs_left": len(done.refused)})
