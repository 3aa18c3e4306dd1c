"""The command line. One command a file in `commands`; what they import at the top stays light, so that help is fast."""

from __future__ import annotations

import json
import os
import sys
from types import TracebackType
from typing import Annotated

import typer
import typer.main

from fileroom import __version__
from fileroom.errors import FileroomError
from fileroom.ops.commands import (
    answers,
    audit,
    backup,
    check,
    conflicts,
    demo,
    doctor,
    export,
    forward,
    hide,
    import_,
    map_,
    map_decide,  # noqa: F401 - adds to the commands of `map_`
    peer,
    rebuild_index,
    scrub,
    send,
    serve,
    statement,
    status,
)
from fileroom.ops.exit_codes import Exit, exit_code

app = typer.Typer(
    name="fileroom",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"fileroom {__version__}")
        raise typer.Exit


@app.callback()
def fileroom(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is, and exit.")
    ] = False,
) -> None:
    """Fileroom takes medical images in, keeps them, and gives them back.

    \b
    Start it:             fileroom serve
    Then, elsewhere:      storescu -aec FILEROOM 127.0.0.1 11112 FILES

    Each command explains itself: fileroom COMMAND --help

    \b
    Exit codes:  0 done, nothing wrong    1 found something wrong    2 command line or setting wrong
                 3 could not run          4 a defect                 130 Ctrl-C
    """


app.command("serve", short_help="Run the archive until told to stop.")(serve.serve)
app.command("import", short_help="Take in files, folders, DICOMDIR, zip and tar.")(import_.import_)
app.command("demo", short_help="Load synthetic studies to try everything with, or take them out.")(demo.demo)
app.command("export", short_help="Write studies to a ZIP with a DICOMDIR.")(export.export)
app.add_typer(peer.app, name="peer", short_help="The DICOM applications Fileroom knows.")
app.command("send", short_help="Send a study to a peer.")(send.send)
app.command("sends", short_help="What was sent or is to be sent, and how far it is.")(send.sends)
app.add_typer(forward.app, name="forward", short_help="Rules that forward what arrives.")
app.command("status", short_help="What is here, and how the server is.")(status.status)
app.command("doctor", short_help="What is wrong, and what to do.")(doctor.doctor)
app.command("scrub", short_help="Read every byte: is all as recorded?")(scrub.scrub)
app.command("rebuild-index", short_help="Make the index anew from the packs.")(rebuild_index.rebuild_index)
app.command("backup", short_help="Copy the archive to a folder, while it runs.")(backup.backup)
app.command("hide", short_help="Take a study out of every answer.")(hide.hide)
app.command("unhide", short_help="Bring a hidden study back.")(hide.unhide)
app.add_typer(audit.app, name="audit", short_help="Who did what: the ledger, and whether it is whole.")
app.command("answers", short_help="The seven questions, answered with dates and evidence.")(answers.answers)
app.add_typer(check.app, name="check", short_help="What the answers rest on: look, list, history.")
app.add_typer(map_.app, name="map", short_help="Who answers for what, what is open, and who decided.")
app.command("statement", short_help="Write the signed statement: map, gaps, decision.")(statement.statement)
app.command("verify", short_help="Verify a statement, offline.")(statement.verify)
app.command("conflicts", short_help="List what waits for a person.")(conflicts.conflicts)


def main() -> None:
    """Run the command that was asked for. Exits with a code of `exit_codes.Exit`."""
    command = typer.main.get_command(app)  # called itself: `app()` would put typer's own hook before ours
    sys.excepthook = _defect
    try:
        command()
    except FileroomError as error:
        sys.stderr.write(f"fileroom: {error}\n" + (f"  {error.hint}\n" if error.hint else ""))
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps({"error": str(error), "hint": error.hint}) + "\n")
        sys.exit(exit_code(error))


def _defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from fileroom.ops.logs import without_values

    sys.stderr.write("\n".join([*without_values(error, trace), "fileroom: this is a defect; please report it\n"]))
    sys.stderr.flush()
    os._exit(Exit.DEFECT)
