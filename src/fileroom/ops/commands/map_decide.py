"""`fileroom map decide`: the decision record."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.errors import BadRequest
from fileroom.ops import options
from fileroom.ops.commands.map_ import FactsFile, Subject, System, app, read_facts, read_json
from fileroom.ops.output import Output, printable

if TYPE_CHECKING:
    from fileroom.accountability.rows import Person


@app.command("decide")
def decide(
    verdict: Annotated[str, typer.Option(metavar="WORD", help="approve | approve-with-conditions | reject.")],
    person: Annotated[str, typer.Option(metavar="NAME", help="Who decides: not who reviewed the evidence.")],
    mail: Annotated[str, typer.Option(metavar="ADDRESS", help="Their own mail address.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="For those who ask later.")],
    evidence: Annotated[
        Path, typer.Option(metavar="FILE", help="The evidence, as JSON: the decision names its SHA-256.")
    ],
    condition: Annotated[
        list[str] | None,
        typer.Option(metavar="'TEXT|NAME|ADDRESS|DATE'", help="What is to be done, by whom, until when; repeat it."),
    ] = None,
    accept_gap: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'KEY|NAME|ADDRESS|DATE'", help="A gap to live with, who answers for it, until when; repeat it."
        ),
    ] = None,
    facts: FactsFile = None,
    subject: Subject = "",
    system: System = "",
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Record a decision about the map as it is, for good: nothing changes it, a later one follows it.

    The person who accepted the roles, the one who reviewed the evidence and the one who approves are not one person.

    Example:  fileroom map decide --verdict approve --person "Pat Moe" --mail pat.moe@example.org
    --why "the restore drill was repeated" --evidence evidence.json
    """
    from fileroom.accountability import decision
    from fileroom.accountability.canonical import NotCanonical
    from fileroom.accountability.map import Maps
    from fileroom.accountability.rows import Person

    out, known = Output(as_json), read_facts(facts)
    if verdict not in list(decision.Verdict):
        raise BadRequest(f"no such verdict: {printable(verdict)}", hint=f"one of {', '.join(decision.Verdict)}")
    try:
        root = decision.root(read_json(evidence))
    except NotCanonical as error:
        raise BadRequest(f"{evidence}: {error}") from error
    releases = known.release.found if known.release is not None else ()
    if len(releases) != 1:
        raise BadRequest("the facts name no release, or several", hint="exactly one is decided about")
    nobody = Person("nobody", "nobody@example.invalid")  # the map says who reviewed
    with options.open_database(options.settings(home)) as database:
        maps = Maps(database)
        kept = maps.kept(system)
        now_ms = int(time.time() * 1000)
        texts = {gap.key: gap.text for gap in kept.gaps(known, now_ms, subject)}
        accepted = tuple(
            decision.AcceptedGap(key, texts.get(key, key), owner, until_ms)
            for key, owner, until_ms in map(_parts, accept_gap or [])
        )
        made = decision.Decision(
            subject=subject,
            system=system,
            verdict=decision.Verdict(verdict),
            by=Person(person, mail),
            reviewed_by=nobody,
            why=why,
            evidence_root=root,
            map_number=0,
            map_digest="",
            release=releases[0].name,
            conditions=tuple(decision.Condition(*parts) for parts in map(_parts, condition or [])),
            gaps=accepted,
            at_ms=0,
        )
        made = maps.decide(made, known, options.operator())
        answer = maps.kept(system).may_go_live(known, made.at_ms, subject)
    out.say(f"Recorded: {made.verdict}, by {printable(made.by.name)}. May go live: {'yes' if answer.yes else 'no'}")
    for reason in answer.reasons:
        out.say(f"  {printable(reason)}")
    out.result({"decision": decision.plain(made), "go_live": {"yes": answer.yes, "reasons": list(answer.reasons)}})


def _parts(given: str) -> tuple[str, Person, int]:
    """A text, a person and the end of a day in UTC. Raises BadRequest."""
    from fileroom.accountability.rows import Person

    parts = [part.strip() for part in given.split("|")]
    try:
        text, name, mail, day = parts
        end = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            f"not four parts with a date at the end: {printable(given)}", hint="'TEXT|NAME|ADDRESS|2027-03-31'"
        ) from error
    return text, Person(name, mail), int(end.timestamp() * 1000)
