"""`fileroom hide` and `fileroom unhide`: a study stored by mistake."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.ops import options
from fileroom.ops.output import Output, when

if TYPE_CHECKING:
    from fileroom.archive import hide as hiding

Study = Annotated[str, typer.Argument(metavar="STUDY_UID", help="Its Study Instance UID.")]


def hide(
    study_uid: Annotated[str | None, typer.Argument(metavar="STUDY_UID", help="Its Study Instance UID.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for those who ask later. No patient data.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="List what is hidden, hide nothing.")] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Take a study out of every answer. It is kept, and `fileroom unhide` brings it back.

    Example:  fileroom hide 1.2.826.0.1.3680043.8.498.17 --reason "sent to the wrong archive"
    """
    from fileroom.archive import hide as hiding

    out = Output(as_json)
    if not listed and (study_uid is None or not reason.strip()):
        raise typer.BadParameter("give a STUDY_UID and a --reason, or --list")
    with options.open_database(options.settings(home)) as database:
        if listed or study_uid is None:
            _list(out, hiding.hidden_studies(database))
            return
        new = hiding.hide(database, study_uid, reason.strip(), getpass.getuser())
    out.say(f"Hidden: {study_uid}." if new else f"{study_uid} was hidden already.")
    out.result({"study_uid": study_uid, "hidden": True, "new": new})


def unhide(study_uid: Study, home: options.Home = None, as_json: options.Json = False) -> None:
    """Bring a hidden study back into every answer.

    Example:  fileroom unhide 1.2.826.0.1.3680043.8.498.17
    """
    from fileroom.archive import hide as hiding

    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        hiding.unhide(database, study_uid, getpass.getuser())
    out.say(f"Back: {study_uid}.")
    out.result({"study_uid": study_uid, "hidden": False})


def _list(out: Output, hidden: list[hiding.HiddenStudy]) -> None:
    if hidden:
        rows = [(study.study_uid, when(study.hidden_ms), study.hidden_by, study.reason) for study in hidden]
        out.table(("study", "hidden", "by", "reason"), rows)
    else:
        out.say("Nothing is hidden.")
    out.result({"hidden": [asdict(study) for study in hidden]})
