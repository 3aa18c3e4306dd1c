"""`fileroom conflicts`: the objects that wait for a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from fileroom.ops import options
from fileroom.ops.output import Output, size, when


def conflicts(
    limit: Annotated[int, typer.Option(min=1, help="How many to list, the newest first.")] = 50,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """List objects that were kept apart because a person has to look at them.

    Kinds: conflict (same SOP Instance UID as an object here, other bytes), patient and site (its study belongs to
    another patient or site here). They are kept whole, and are in no answer.

    Example:  fileroom conflicts --json
    """
    from fileroom.archive.held import KINDS, held_counts, held_objects

    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        held, counts = held_objects(database, limit=limit), held_counts(database)
    if held:
        rows = [(h.kind, when(h.arrived_ms), h.source, h.sop_uid, h.study_uid, size(h.size_bytes)) for h in held]
        out.table(("kind", "arrived", "from", "object", "study", "size"), rows)
        for kind, count in sorted(counts.items()):
            out.say(f"{kind} ({count}): {KINDS.get(kind, '')}")
    else:
        out.say("Nothing waits for a person.")
    out.result({"counts": counts, "held": [asdict(one) for one in held]})
