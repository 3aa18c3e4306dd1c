"""`fileroom answers`: the seven questions, answered with dates and evidence."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from fileroom.ops import options
from fileroom.ops.output import Output, printable, when

if TYPE_CHECKING:
    from fileroom.accountability.answers import Answers

_WIDTH = 110
_SHORT = 300  # characters of a sentence on the screen; --json and the page have it whole


def answers(home: options.Home = None, as_json: options.Json = False) -> None:
    """Answer the seven questions that an imaging group has before it moves its images, from what was measured.

    Each sentence is proven or not proven; nothing is proven without a dated, signed observation that still counts, and
    nothing that no person answers for: see `fileroom map`.
    `fileroom check run` makes observations. The page /answers opens each sentence to its evidence.

    Example:  fileroom answers --json > answers.json
    """
    from fileroom.accountability.answers import answer, document, open_book
    from fileroom.accountability.map import Maps
    from fileroom.accountability.statement import map_told

    out = Output(as_json)
    settings = options.settings(home)
    with options.open_database(settings) as database:
        kept = Maps(database).kept()
        found = answer(open_book(database, settings.home), settings.site, persons=kept.persons)
    _tell(out, found)
    out.result(document(found, map_told(kept, found.as_of_ms)))


def _tell(out: Output, found: Answers) -> None:
    from fileroom.evidence.check import Status

    for one in found.answers:
        out.say(f"{one.question.number}. {one.question.title}")
        for said in one.sentences:
            dated = f" (seen {when(said.seen_ms)})" if said.seen_ms is not None else ""
            text = textwrap.shorten(said.text, _SHORT, placeholder=" ...") + dated
            lines = textwrap.wrap(printable(text), _WIDTH - 16)
            out.say(f"   {said.proof:10}  {lines[0]}")
            for line in lines[1:]:
                out.say(" " * 15 + line)
    counts = ", ".join(f"{found.count(status)} {status}" for status in Status if found.count(status))
    out.say(f"As of {when(found.as_of_ms)}: {counts}. Details: fileroom check list")
