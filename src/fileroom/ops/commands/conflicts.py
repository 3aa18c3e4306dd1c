"""`fileroom conflicts`: the objects that wait for a person, and what is decided about them."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Annotated

import typer

from fileroom.errors import BadRequest
from fileroom.ops import options
from fileroom.ops.output import Output, size, when
from fileroom.settings import Settings


def conflicts(
    limit: Annotated[int, typer.Option(min=1, help="How many to list, the newest first.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="List those that were decided, too.")] = False,
    decide: Annotated[int | None, typer.Option(metavar="ID", help="Decide about one of them; see --verdict.")] = None,
    verdict: Annotated[
        str, typer.Option(metavar="WORD", help="keep | replace (use the one that came) | accept | keep-out.")
    ] = "",
    undo: Annotated[int | None, typer.Option(metavar="ID", help="Take the decision about one of them back.")] = None,
    why: Annotated[str, typer.Option(metavar="TEXT", help="For those who ask later. No patient data.")] = "",
    other_patient: Annotated[
        bool, typer.Option("--other-patient", help="Replace although it names another patient or site.")
    ] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """List objects that were kept apart because a person has to look at them, and decide.

    Kinds: conflict (same SOP Instance UID as an object here, other bytes), patient and site (its study belongs to
    another patient or site here). They are kept whole, and are in no answer. The page /conflicts shows both versions
    side by side. Nothing is deleted by a decision, and each can be taken back.

    Example:  fileroom conflicts --decide 2143 --verdict replace --why "the first was a test"
    """
    out = Output(as_json)
    settings = options.settings(home)
    if decide is not None or undo is not None:
        _act(out, settings, decide, verdict, undo, why, other_patient)
        return
    from fileroom.archive.held import KINDS, held_counts, held_objects

    with options.open_database(settings) as database:
        held, counts = held_objects(database, limit=limit, decided=everything), held_counts(database)
    if held:
        rows = [
            (h.id, h.kind, h.verdict or "waits", when(h.arrived_ms), h.source, h.sop_uid, size(h.size_bytes))
            for h in held
        ]
        out.table(("ID", "kind", "decided", "arrived", "from", "object", "size"), rows)
        for kind, count in sorted(counts.items()):
            out.say(f"{kind} ({count}): {KINDS.get(kind, '')}")
    else:
        out.say("Nothing waits for a person.")
    out.result({"counts": counts, "held": [asdict(one) for one in held]})


def _act(
    out: Output,
    settings: Settings,
    decide: int | None,
    verdict: str,
    undo: int | None,
    why: str,
    other_patient: bool,
) -> None:
    from fileroom.archive.conflicts import Conflicts
    from fileroom.archive.packs import Packs
    from fileroom.archive.verdicts import Verdict

    if decide is not None and undo is not None:
        raise BadRequest("decide and undo are two acts", hint="one after the other")
    who = f"{getpass.getuser()}, command line"[:64]
    with options.open_database(settings) as database:
        archive = Conflicts(database, Packs(settings.packs))
        if decide is not None:
            if verdict not in [str(word) for word in Verdict]:
                raise BadRequest("say what is decided", hint="--verdict keep, replace, accept or keep-out")
            archive.decide(decide, Verdict(verdict), who=who, why=why, strange=other_patient)
            out.say(f"Decided: {verdict}. Back again: fileroom conflicts --undo {decide}")
            out.result({"id": decide, "verdict": verdict})
        elif undo is not None:
            archive.undo(undo, who=who, why=why)
            out.say("Taken back: it waits for a person again.")
            out.result({"id": undo, "verdict": None})
