"""`fileroom audit`: the ledger of who did what, and the proof that no line of it was changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.errors import BadRequest
from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, printable, when

if TYPE_CHECKING:
    from fileroom.audit.event import Event
    from fileroom.audit.reading import Entry
    from fileroom.audit.verify import Report
    from fileroom.database import Database

app = typer.Typer(
    help="The ledger of who did what, to whose images, and the proof that no line of it was changed.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("list")
def list_(
    who: Annotated[str, typer.Option(metavar="NAME", help="Only what this person or application did.")] = "",
    patient: Annotated[str, typer.Option(metavar="ID", help="Only what was about this patient ID.")] = "",
    study: Annotated[str, typer.Option(metavar="UID", help="Only what was about this study.")] = "",
    kind: Annotated[str, typer.Option(metavar="WORD", help="Only one kind, such as view, store, send.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many lines, the newest first.")] = 50,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """List the newest lines.

    Example:  fileroom audit list --patient DEMO-7 --kind view
    """
    from fileroom.audit import reading
    from fileroom.audit.event import Kind

    out = Output(as_json)
    if kind and kind not in list(Kind):
        raise BadRequest(f"no such kind: {printable(kind)}", hint=f"one of {', '.join(Kind)}")

    def wanted(event: Event) -> bool:
        return all(
            not asked or asked == value
            for asked, value in (
                (who, event.who),
                (patient, event.patient_id),
                (study, event.study_uid),
                (kind, event.kind),
            )
        )

    with _up_to_date(home) as database, database.read() as connection:
        found = reading.newest(connection, wanted, limit)
    if found:
        out.table(("line", "when", "who", "what", "outcome", "patient", "study"), [_row(entry) for entry in found])
    elif who or patient or study or kind:
        out.say("No line of the ledger is like that.")
    else:
        out.say("The ledger has no line yet: nothing was stored, looked at or changed here.")
    out.result({"lines": [_plain(entry) for entry in found]})


@app.command("show")
def show(
    line: Annotated[int, typer.Argument(metavar="LINE", help="Its number, as `fileroom audit list` tells it.")],
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Show all that a line says, and the proof that it is in the ledger (RFC 6962).

    Example:  fileroom audit show 1204
    """
    from fileroom.audit import reading
    from fileroom.audit.ledger import size

    out = Output(as_json)
    with _up_to_date(home) as database, database.read() as connection:
        entry = reading.entry(connection, line)
        lines = size(connection)
        proof = [node.hex() for node in reading.inclusion(connection, line, lines)]
        root = reading.root_of(connection, lines).hex()
    if entry.event is None:
        out.say(f"line {line} cannot be read: fileroom audit verify")
    else:
        told = {name: value for name, value in entry.event._asdict().items() if value not in ("", None)}
        for name, value in told.items():
            out.say(f"{name:13} {when(entry.event.at_ms) if name == 'at_ms' else printable(str(value))}")
    out.say(f"{'proven by':13} {len(proof)} hashes, in the tree over {lines} lines with the root {root}")
    out.result({**_plain(entry), "lines": lines, "root": root, "proof": proof})


@app.command("export")
def export(
    csv: Annotated[Path, typer.Option("--csv", metavar="FILE", help="The file to write; it must not be there yet.")],
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Write every line to a CSV file, the oldest first. Its last column holds the line as it was hashed.

    Example:  fileroom audit export --csv ledger.csv
    """
    from fileroom.audit import reading, table

    out = Output(as_json)
    with _up_to_date(home) as database, database.read() as connection:
        lines = table.write(csv, reading.entries(connection))
    out.say(f"Wrote {lines} lines to {csv}.")
    out.result({"file": str(csv), "lines": lines})


@app.command("checkpoint")
def checkpoint(home: options.Home = None, as_json: options.Json = False) -> None:
    """Sign what the ledger is now, and keep that in the home and in the folder that ledger_checkpoints names.

    Refuses when lines are not what they were at the last checkpoint. The folder's key.pub and the newest .note belong
    with somebody who does not run this machine.

    Example:  fileroom audit checkpoint
    """
    from fileroom.audit.checkpoints import Checkpoints

    out = Output(as_json)
    chosen = options.settings(home)
    with _up_to_date(home) as database:
        made = Checkpoints(database, chosen.home, chosen.second_checkpoints).make()
    out.say(f"{'Signed' if made.new else 'Nothing was added since'}: {made.checkpoint.size} lines.")
    for folder in made.folders:
        out.say(f"  in {folder}")
    out.result(
        {
            "size": made.checkpoint.size,
            "root": made.checkpoint.root.hex(),
            "new": made.new,
            "folders": [str(folder) for folder in made.folders],
        }
    )


@app.command("verify")
def verify(
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A checkpoint kept elsewhere, or a folder of them: the .note files."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ledger's key.pub, kept elsewhere. [the one in the home]")
    ] = None,
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verify a copied SQLite database instead of the home's.")
    ] = None,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Read every line of the ledger and say whether one was changed, removed, put elsewhere or cut off, and which.

    Nothing but the database and what --checkpoint and --key name is needed. Whoever can change the database can make
    it agree with itself, but not with a checkpoint that was kept where they could not reach it.

    Example:  fileroom audit verify --checkpoint /mnt/elsewhere
    """
    from fileroom.ops.verifying import verify_copy, verify_home

    out = Output(as_json)
    report = (
        verify_home(options.settings(home), checkpoint, key)
        if database is None
        else verify_copy(database, checkpoint, key)
    )
    _tell(out, report)
    if not report.good:
        raise typer.Exit(Exit.FOUND)


@contextmanager
def _up_to_date(home: Path | None) -> Iterator[Database]:
    """The database, every line in it with its place: beside a running server it has that within a moment anyway."""
    from fileroom.audit.outbox import sequence

    with options.open_database(options.settings(home)) as database:
        sequence(database)
        yield database


def _tell(out: Output, report: Report) -> None:
    for finding in report.findings:
        lines = f"line {finding.first}" if finding.first == finding.last else f"lines {finding.first} to {finding.last}"
        out.say(finding.text if finding.what == "checkpoint" else f"{finding.what}: {lines}: {finding.text}")
    if report.more:
        out.say(f"and {report.more} more")
    out.say(f"{report.size} lines, {'as they were written' if report.good else 'NOT as they were written'}.")
    if report.anchored:
        out.say(f"Proven by a signed checkpoint: the first {report.anchored}.")
    if report.matched > report.anchored:
        out.say(f"A checkpoint agrees with the first {report.matched}; its signature was not checked (--key).")
    if report.matched < report.size:
        out.say(f"Not proven by a checkpoint yet: lines {report.matched} to {report.size - 1}.")
    out.result(
        {
            "good": report.good,
            "lines": report.size,
            "root": report.root.hex(),
            "anchored": report.anchored,
            "matched": report.matched,
            "findings": [
                {"what": str(one.what), "first": one.first, "last": one.last, "text": one.text}
                for one in report.findings
            ],
            "more": report.more,
            "checkpoints": [
                {"source": one.source, "size": one.checkpoint.size, "signed": one.signed, "agrees": agrees}
                for one, agrees in report.anchors
            ],
        }
    )


def _row(entry: Entry) -> tuple[object, ...]:
    event = entry.event
    if event is None:
        return (entry.position, "", "", "cannot be read: fileroom audit verify", "", "", "")
    texts = (event.who, str(event.kind), str(event.outcome), event.patient_id, event.study_uid)
    return (entry.position, when(event.at_ms), *map(printable, texts))


def _plain(entry: Entry) -> dict[str, object]:
    event = {} if entry.event is None else entry.event._asdict()
    told = {name: value for name, value in event.items() if value not in ("", None)}
    return {"line": entry.position, "readable": entry.event is not None, **told}
