"""`fileroom demo`: studies of people who do not exist, to try everything with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.ops import options
from fileroom.ops.output import Output, Ticker, size
from fileroom.settings import Settings

if TYPE_CHECKING:
    from fileroom.demo.demonstration import Demonstration
    from fileroom.demo.loading import Progress

_LOOK_AT = """Look at:
  DEMO-0001  mammograms of 2026 beside 2024: new are a mass on the left and calcifications on the right;
             a tomosynthesis, and an ultrasound of the mass
  DEMO-0002  dense breasts, one examination inverted (MONOCHROME1), one of 14 bit
  DEMO-0003  fatty breasts, vascular and coarse calcifications that stay as they were
  DEMO-0004  chest CT with a nodule that grew, and a chest radiograph
  DEMO-0005  MR of the brain with its prior
None of these people exists. All of it out again: fileroom demo --remove"""


def demo(
    remove: Annotated[bool, typer.Option("--remove", help="Take the demonstration out again, all of it.")] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Load a demonstration: studies with priors of people who do not exist.

    Synthetic mammograms, tomosynthesis, ultrasound, CT, MR and a radiograph; real sample images too where the Python
    package pydicom-data is installed. About 230 MB in half a minute; may run beside the server. Interrupted or
    repeated, it adds only what is missing. With --remove it goes out in one step: every row and file of it, and
    nothing that anybody sent.

    Example:  fileroom demo
    """
    from fileroom.ops import logs

    out, settings = Output(as_json), options.settings(home)
    logs.start("error", settings.log_format)
    if remove:
        _remove(out, settings)
    else:
        _load(out, settings)


def _load(out: Output, settings: Settings) -> None:
    from fileroom.demo.samples import folder

    ticker, begin = Ticker(), time.monotonic()
    with _demonstration(settings, make=True) as demonstration:
        try:
            done = demonstration.load(lambda progress: ticker.show(lambda: _how_far(progress)))
        finally:
            ticker.done()
        present = demonstration.present()
    seconds = time.monotonic() - begin
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(done.counts.items()))
    out.say(f"{told}; {size(done.size_bytes)} in {seconds:.1f} s. {present.studies} studies are here to look at.")
    out.say(_LOOK_AT)
    if folder() is None:
        out.say("Synthetic images only: with `pip install pydicom-data`, a few real sample images come along.")
    out.result(
        {
            "counts": dict(done.counts),
            "size_bytes": done.size_bytes,
            "studies": present.studies,
            "real_samples": folder() is not None,
            "seconds": round(seconds, 3),
        }
    )


def _remove(out: Output, settings: Settings) -> None:
    with _demonstration(settings, make=False) as demonstration:
        done = demonstration.remove()
    if not done.objects and not done.left:
        out.say("No demonstration is here.")
    else:
        out.say(f"Out: {done.objects} objects of {done.studies} studies, {size(done.size_bytes)}.")
    if done.left:
        studies = "1 study is" if len(done.left) == 1 else f"{len(done.left)} studies are"
        out.say(
            f"{studies} hidden instead: a person added something, or a pack is damaged or in use. "
            "See: fileroom hide --list"
        )
    out.result(
        {
            "objects": done.objects,
            "studies": done.studies,
            "size_bytes": done.size_bytes,
            "hidden": list(done.left),
            "packs_left": len(done.refused),
        }
    )


@contextmanager
def _demonstration(settings: Settings, *, make: bool) -> Iterator[Demonstration]:
    """The demonstration of a home, which is made when it is not there and `make` says so."""
    from fileroom.demo.demonstration import Demonstration
    from fileroom.ops.rooms import open_rooms

    if not make:
        with options.open_database(settings):  # an error where there is no archive
            pass
    with open_rooms(settings) as rooms:
        yield Demonstration(rooms.database, rooms.packs, settings.home, settings.cache / "documents", settings.site)


def _how_far(progress: Progress) -> str:
    return f"{progress.objects} of {progress.objects_total} objects, {size(progress.size_bytes)}"
