"""`fileroom doctor`: what is wrong, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from fileroom.errors import BadSetting
from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output

if TYPE_CHECKING:
    from fileroom.ops.diagnosis import Result


def doctor(home: options.Home = None, as_json: options.Json = False) -> None:
    """Look at settings, disk, database, packs, peers and the running server; say what is wrong and what to do.

    Changes nothing and needs no running server. Of the packs it looks at sizes only: `fileroom scrub` reads them. The
    exit code is 1 when a check fails; warnings alone leave it 0.

    Example:  fileroom doctor --home /srv/fileroom
    """
    from fileroom.ops.diagnosis import Result, Verdict, diagnose

    out = Output(as_json)
    results: list[Result] = []
    try:
        settings = options.settings(home)
    except BadSetting as error:
        results = [Result("settings", Verdict.FAIL, str(error), error.hint)]
    else:
        results = [Result("settings", Verdict.OK, "all known and in bounds"), *diagnose(settings)]
    _tell(out, results)
    out.result({"checks": [asdict(result) for result in results]})
    if any(result.verdict is Verdict.FAIL for result in results):
        raise typer.Exit(Exit.FOUND)


def _tell(out: Output, results: list[Result]) -> None:
    out.table(("check", "verdict", "what"), [(r.check, r.verdict, r.what) for r in results])
    for result in results:
        if result.to_do and result.verdict in ("warn", "fail"):
            out.say(f"{result.check}: {result.to_do}")
