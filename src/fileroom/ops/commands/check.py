"""`fileroom check`: what the seven answers rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, printable, when

if TYPE_CHECKING:
    from fileroom.evidence.check import Check
    from fileroom.evidence.result import Result

app = typer.Typer(
    help="What the seven answers rest on: each check, when it was last looked at, and what it said.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("list")
def list_(home: options.Home = None, as_json: options.Json = False) -> None:
    """List every check and what it says now.

    Example:  fileroom check list
    """
    from fileroom.accountability.answers import answer, open_book

    out = Output(as_json)
    settings = options.settings(home)
    with options.open_database(settings) as database:
        found = answer(open_book(database, settings.home), settings.site)
    out.table(
        ("question", "check", "status", "seen", "why"),
        [(check.question, check.id, one.status, _moment(one.observed_ms), one.why) for check, one in found.checks],
    )
    out.result({"checks": [_plain(check, one) for check, one in found.checks]})


@app.command("run")
def run(
    check_id: Annotated[
        str, typer.Argument(metavar="ID", help="Which one, or `all`: every check that can be looked at from here.")
    ],
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Look now, write down what was seen, signed, and say what the check makes of it.

    `index-and-packs` and `scrub` read every byte. The exit code is 1 when a check fails.

    Example:  fileroom check run all
    """
    from fileroom.accountability.answers import observe, open_book
    from fileroom.accountability.observing import OBSERVERS, Place
    from fileroom.accountability.registry import all_checks, find
    from fileroom.evidence.check import Status

    out = Output(as_json)
    settings = options.settings(home)
    wanted = [one for one in all_checks() if one.id in OBSERVERS] if check_id == "all" else [find(check_id)]
    with options.open_database(settings) as database:
        book, place = open_book(database, settings.home), Place(database, settings)
        for check in wanted:
            observe(book, check, place)
        found = list(zip(wanted, book.results(wanted, settings.site), strict=True))
    for check, one in found:
        out.say(f"{check.id}: {one.status}" + (f": {one.why}" if one.why else f", until {_moment(one.valid_until_ms)}"))
    out.result({"checks": [_plain(check, one) for check, one in found]})
    if any(one.status is Status.FAIL for _, one in found):
        raise typer.Exit(Exit.FOUND)


@app.command("history")
def history(
    check_id: Annotated[str, typer.Argument(metavar="ID", help="Which check.")],
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many observations, the newest first.")] = 20,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """List what was seen, the newest first, and whether each observation is as it was signed.

    Example:  fileroom check history scrub
    """
    import orjson

    from fileroom.accountability.answers import iso, open_book
    from fileroom.accountability.registry import find

    out = Output(as_json)
    settings = options.settings(home)
    check = find(check_id)
    with options.open_database(settings) as database:
        seen = open_book(database, settings.home).history(check.id, settings.site, limit)
    texts = ["does not verify" if one.facts is None else orjson.dumps(one.facts).decode() for one in seen]
    if seen:
        rows = [
            (one.number, _moment(one.observed_ms), printable(one.grade), printable(text[:120]))
            for one, text in zip(seen, texts, strict=True)
        ]
        out.table(("number", "seen", "grade", "facts"), rows)
    else:
        out.say(f"Nothing was seen yet. {check.waits_for}".strip())
    out.result(
        {
            "id": check.id,
            "observations": [
                {
                    "number": one.number,
                    "observed_at": iso(one.observed_ms),
                    "collected_at": iso(one.collected_ms),
                    "grade": one.grade,
                    "verifies": one.facts is not None,
                    "facts": one.facts,
                }
                for one in seen
            ],
        }
    )


def _moment(time_ms: int | None) -> str:
    from fileroom.accountability.answers import iso

    return "" if time_ms is None else when(time_ms) if iso(time_ms) else "no date"


def _plain(check: Check, one: Result) -> dict[str, object]:
    from fileroom.accountability.answers import iso

    return {
        "id": check.id,
        "question": check.question,
        "title": check.title,
        "source": str(check.source),
        "observes": check.observes,
        "passes_when": check.passes_when,
        "fresh_for_seconds": check.fresh_for_seconds,
        "owner": str(check.owner),
        "supports": [clause.text for clause in check.clauses],
        "status": str(one.status),
        "why": one.why,
        "observed_at": iso(one.observed_ms),
        "collected_at": iso(one.collected_ms),
        "valid_until": iso(one.valid_until_ms),
        "grade": one.grade,
    }
