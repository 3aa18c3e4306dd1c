"""`fileroom map`: who answers for what, what is open, and who decided."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fileroom.errors import BadRequest, NotFound
from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, printable, when

if TYPE_CHECKING:
    from fileroom.accountability.facts import Facts
    from fileroom.accountability.rows import Role, Row

app = typer.Typer(
    help="The responsibility map: one person for each role, what is open by name, and the decision.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="Such as system-owner; `fileroom map show` lists them.")]
System = Annotated[str, typer.Option(metavar="NAME", help="The map of an outside system. [this one]")]
FactsFile = Annotated[
    Path | None, typer.Option("--facts", metavar="FILE", help="What was observed, as JSON: what gaps open from.")
]
Subject = Annotated[str, typer.Option(metavar="NAME", help="What goes live: a site, a wave. [the whole system]")]


@app.command("show")
def show(
    facts: FactsFile = None,
    subject: Subject = "",
    system: System = "",
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Show who answers for what, what is open, and whether it may go live.

    What nobody looked at counts as open. The exit code is 1 when it may not go live.

    Example:  fileroom map show --facts observed.json
    """
    from fileroom.accountability import statement, versions
    from fileroom.accountability.map import Maps
    from fileroom.accountability.rows import REQUIRED, TITLES, Role

    out, now_ms, known = Output(as_json), int(time.time() * 1000), read_facts(facts)
    with options.open_database(options.settings(home)) as database:
        kept = Maps(database).kept(system)
    gaps, answer, newest = kept.gaps(known, now_ms, subject), kept.may_go_live(known, now_ms, subject), kept.newest
    table: list[tuple[str, ...]] = []
    for role in Role:
        row = None if newest is None else newest.row(role)
        if newest is None or row is None:
            table.append((role, "nobody", "", "", "", "missing" if role in REQUIRED else ""))
            continue
        where = versions.status(row, newest, kept.acceptances, now_ms)
        deputy = "nobody" if row.deputy is None else row.deputy.name
        table.append(
            (role, *map(printable, (row.person.name, deputy, row.organisation)), row.next_review.isoformat(), where)
        )
    out.table(("role", "person", "deputy", "organisation", "next review", "status"), table)
    out.say(f"\nOpen ({len(gaps)}):" if gaps else "\nNothing is open.")
    for gap in gaps:
        out.say(f"  {printable(gap.text)}\n    closed by: {printable(gap.closes)}    [{printable(gap.key)}]")
    out.say(f"\nMay go live: {'yes' if answer.yes else 'no'}")
    for reason in answer.reasons:
        out.say(f"  {printable(reason)}")
    out.result(
        {
            "map": statement.map_told(kept, now_ms),
            "titles": {role.value: TITLES[role] for role in Role},
            "gaps": [statement.gap_told(gap) for gap in gaps],
            "go_live": {"yes": answer.yes, "reasons": list(answer.reasons)},
        }
    )
    if not answer.yes:
        raise typer.Exit(Exit.FOUND)


@app.command("set")
def set_(
    role: RoleName,
    person: Annotated[str | None, typer.Option(metavar="NAME", help="The one person; never a team.")] = None,
    mail: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The person's own mail address.")] = None,
    deputy: Annotated[str | None, typer.Option(metavar="NAME", help="Who stands in. Empty: nobody.")] = None,
    deputy_mail: Annotated[str, typer.Option(metavar="ADDRESS", help="The deputy's own mail address.")] = "",
    organisation: Annotated[str | None, typer.Option(metavar="NAME", help="Whom the person works for.")] = None,
    owner: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="provider | customer | third-party | shared-provider-customer | shared-provider-third-party | "
            "not-applicable.",
        ),
    ] = None,
    contact: Annotated[str | None, typer.Option(metavar="TEXT", help="How to reach the person.")] = None,
    out_of_hours: Annotated[str | None, typer.Option(metavar="TEXT", help="How, at night.")] = None,
    check: Annotated[list[str] | None, typer.Option(metavar="ID", help="A check it answers for; repeat it.")] = None,
    steps: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The support path: a JSON list of symptom, first_call, hours, response, escalation, passes_to.",
        ),
    ] = None,
    review: Annotated[str, typer.Option(metavar="DATE", help="The next review. [in a year]")] = "",
    system: System = "",
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Propose who answers for a role. What is not given stays as it was; the person named accepts it anew.

    Run on a row as it is, it is the yearly review: a new version, with a new date.

    Example:  fileroom map set data-owner --person "Jane Doe" --mail jane.doe@example.org --deputy "Ann Roe"
    --deputy-mail ann.roe@example.org --organisation "Example Imaging" --owner customer --contact "+1 555 0100"
    --out-of-hours "+1 555 0101"
    """
    from fileroom.accountability.map import Maps
    from fileroom.accountability.rows import plain, read
    from fileroom.accountability.versions import day

    out, today = Output(as_json), day(int(time.time() * 1000))
    wanted = role_named(role)
    with options.open_database(options.settings(home), make=True) as database:
        maps = Maps(database)
        newest = maps.kept(system).newest
        before = None if newest is None else newest.row(wanted)
        told = {} if before is None else plain(before)
        told |= {"role": wanted.value, "reviewed": today.isoformat(), "next_review": review or _in_a_year(today)}
        given = {"organisation": organisation, "owner": owner, "contact": contact, "out_of_hours": out_of_hours}
        told |= {name: value for name, value in given.items() if value is not None}
        told |= _persons(before, person, mail, deputy, deputy_mail)
        if check is not None or "checks" not in told:
            told["checks"] = check or []
        if steps is not None or "steps" not in told:
            told["steps"] = [] if steps is None else read_json(steps)
        absent = [name for name in (*given, "person") if name not in told]
        if absent:
            raise BadRequest(
                f"a new row needs {', '.join(absent)}", hint="fileroom map set --help shows a whole example"
            )
        made = maps.propose(read(told), options.operator(), system, seen=0 if newest is None else newest.number)
    out.say(f"Proposed, in version {made.number}. Now the person accepts: fileroom map accept {wanted}")
    out.result({"version": made.number, "digest": made.digest, "row": _plain_row(made.row(wanted))})


@app.command("accept")
def accept(
    role: RoleName,
    mail: Annotated[str, typer.Option(metavar="ADDRESS", help="Of the person who accepts: the one named.")],
    how: Annotated[str, typer.Option(metavar="TEXT", help="How they said so, for those who ask later.")],
    system: System = "",
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Record that the person named on the map accepts the role. It holds for the row as it is now.

    Example:  fileroom map accept data-owner --mail jane.doe@example.org --how "signed on paper, kept by Ann Roe"
    """
    from fileroom.accountability.map import Maps
    from fileroom.accountability.rows import Person

    out, wanted = Output(as_json), role_named(role)
    with options.open_database(options.settings(home)) as database:
        maps = Maps(database)
        newest = maps.kept(system).newest
        row = None if newest is None else newest.row(wanted)
        identity = "" if row is None else row.person.id
        made = maps.accept(wanted, Person("", mail.strip(), identity), how, options.operator(), system)
    out.say(f"{made.person.name} accepts {wanted}, {when(made.at_ms)}.")
    out.result({"role": wanted.value, "person": made.person.name, "at_ms": made.at_ms, "row": made.row_digest})


@app.command("diff")
def diff(
    older: Annotated[
        int | None, typer.Argument(metavar="[OLDER]", help="A version's number. [the last but one]")
    ] = None,
    newer: Annotated[int | None, typer.Argument(metavar="[NEWER]", help="A version's number. [the newest]")] = None,
    system: System = "",
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Say what changed between two versions of the map.

    Example:  fileroom map diff 4 9
    """
    from fileroom.accountability import versions
    from fileroom.accountability.map import Maps

    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        found = {version.number: version for version in Maps(database).kept(system).versions}
    last = max(found, default=0)
    newer = last if newer is None else newer
    older = newer - 1 if older is None else older
    if older not in found or newer not in found:
        raise NotFound(f"there is no version {older if older not in found else newer}", hint=f"1 to {last} are there")
    lines = versions.diff(found[older], found[newer])
    out.say(f"Version {older}, {when(found[older].made_ms)} -> {newer}, {when(found[newer].made_ms)}:")
    for line in lines or ("nothing changed",):
        out.say(f"  {printable(line)}")
    out.result({"older": older, "newer": newer, "changes": list(lines)})


def read_facts(path: Path | None) -> Facts:
    """What was observed, and which release this is. Raises BadRequest."""
    from dataclasses import replace

    from fileroom import __version__
    from fileroom.accountability import facts

    here = facts.running(__version__, int(time.time() * 1000))
    known = here if path is None else facts.read(read_json(path))
    return known if known.release else replace(known, release=here.release)


def read_json(path: Path) -> Any:
    """A JSON file. Raises BadRequest."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{path} is not JSON") from error


def role_named(word: str) -> Role:
    """The role somebody typed. Raises BadRequest."""
    from fileroom.accountability.rows import Role

    if word not in list(Role):
        raise BadRequest(f"no such role: {printable(word)}", hint=f"one of {', '.join(Role)}")
    return Role(word)


def _persons(
    before: Row | None, person: str | None, mail: str | None, deputy: str | None, deputy_mail: str
) -> dict[str, object]:
    told: dict[str, object] = {}
    if person is not None or mail is not None:
        if person is None or mail is None:
            raise BadRequest("a person is a name and a mail address", hint="--person and --mail")
        told["person"] = {"name": person, "mail": mail, "id": ""}
    if deputy is not None:
        if deputy and not deputy_mail:
            raise BadRequest("a deputy is a name and a mail address", hint="--deputy and --deputy-mail")
        told["deputy"] = {"name": deputy, "mail": deputy_mail, "id": ""} if deputy else None
    elif before is None:
        told["deputy"] = None
    return told


def _plain_row(row: Row | None) -> dict[str, object]:
    from fileroom.accountability.rows import plain

    return {} if row is None else plain(row)


def _in_a_year(today: date) -> str:
    try:
        return today.replace(year=today.year + 1).isoformat()
    except ValueError:  # 29 February
        return today.replace(year=today.year + 1, day=28).isoformat()
