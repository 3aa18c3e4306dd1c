"""`fileroom conflicts`: the objects that wait for a person, and what is decided about them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.errors import BadRequest
from fileroom.ops import options
from fileroom.ops.output import Output, printable, size, when
from fileroom.settings import Settings

if TYPE_CHECKING:
    from fileroom.dicom.compare import Comparison


def conflicts(
    limit: Annotated[int, typer.Option(min=1, help="How many to list, the newest first.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="List those that were decided, too.")] = False,
    show: Annotated[int | None, typer.Option(metavar="ID", help="Say how both versions of one of them differ.")] = None,
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

    The exit code is 1 when there is no such conflict, or somebody else decided it before.

    Example:  fileroom conflicts --decide 2143 --verdict replace --why "the first was a test"
    """
    out = Output(as_json)
    settings = options.settings(home)
    if decide is not None or undo is not None:
        _act(out, settings, decide, verdict, undo, why, other_patient)
        return
    if show is not None:
        _show(out, settings, show)
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


def _show(out: Output, settings: Settings, held_id: int) -> None:
    from fileroom.administration.sides import said, sides_of
    from fileroom.archive.conflicts import Conflicts
    from fileroom.archive.differences import differences
    from fileroom.archive.held import KINDS
    from fileroom.archive.packs import Packs
    from fileroom.archive.retrieve import Retriever
    from fileroom.archive.scratch import Scratch

    with options.open_database(settings) as database:
        packs = Packs(settings.packs)
        archive = Conflicts(database, packs)
        conflict = archive.get(held_id)
        sides = sides_of(archive, database, conflict)
        retriever = Retriever(database, packs, Scratch(settings.cache, settings.scratch_bytes_max))
        compared = None if conflict.other is None else differences(retriever, conflict.other, conflict.came)
    lines = said(sides)
    titles = [f"{side.title}{' (in every answer)' if side.serves else ''}" for side in sides]
    out.say(f"{KINDS.get(conflict.held.kind, conflict.held.kind)}: object {conflict.held.sop_uid}")
    out.table(
        ("", *titles, ""),
        [
            (line.name, *map(printable, (line.here, line.came)[-len(sides) :]), "differs" if line.differs else "")
            for line in lines
        ],
    )
    if compared is not None:
        _tell(out, compared)
    for act in conflict.acts:
        out.say(f"{when(act.decided_ms)}  {act.verdict}, by {act.decided_by}" + (f": {act.why}" if act.why else ""))
    out.say(f"may be decided: {', '.join(conflict.choices)}" if conflict.choices else "decided; --undo takes it back")
    out.result(
        {
            "held": asdict(conflict.held),
            "choices": conflict.choices,
            "other_patient": conflict.strange,
            "says": [asdict(line) for line in lines],
            "comparison": None if compared is None else asdict(compared),
            "acts": [asdict(act) for act in conflict.acts],
        }
    )


def _tell(out: Output, compared: Comparison) -> None:
    """How two objects differ, attribute by attribute."""
    if compared.trouble:
        out.say(f"not all compared: {compared.trouble}")
        return
    out.say(f"pixels: {compared.pixels}")
    rows = [
        (f"{one.name} {one.tag}", *(printable("absent" if text is None else text) for text in (one.one, one.other)))
        for one in compared.differences
    ]
    if rows:
        out.table(("attribute that differs", "here", "came"), rows)
    if compared.more:
        out.say(f"and {compared.more} more")


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
    who = options.operator()
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
