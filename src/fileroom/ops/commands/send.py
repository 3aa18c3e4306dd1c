"""`fileroom send` and `fileroom sends`: studies on their way to peers."""

from __future__ import annotations

import getpass
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.ops import options
from fileroom.ops.output import Output, Ticker, when

if TYPE_CHECKING:
    from fileroom.database import Database
    from fileroom.routing.sends import Send, SendObject

_LOOK_SECONDS = 0.3
_OBJECTS_SHOWN = 1000


def send(
    study_uid: Annotated[str, typer.Argument(metavar="STUDY_UID", help="Its Study Instance UID.")],
    peer: Annotated[str, typer.Argument(metavar="PEER", help="The AE title of a known peer.")],
    series: Annotated[
        list[str] | None, typer.Option(metavar="SERIES_UID", help="Only this series; may be given more than once.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is done, has failed or is cancelled.")] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Send a study to a known DICOM application.

    It is queued; the server sends it, tries again when the peer does not answer, and goes on after a restart.
    `fileroom sends` says how far it is.

    Example:  fileroom send 1.2.826.0.1.3680043.8.498.17 WORKSTATION --wait
    """
    from fileroom import errors
    from fileroom.ops import locks
    from fileroom.routing.sends import Sends, State

    out = Output(as_json)
    settings = options.settings(home)
    with options.open_database(settings) as database:
        sends = Sends(database)
        queued = sends.add(study_uid, peer, getpass.getuser(), series or ())
        running = locks.running(settings.home) is not None
        out.say(f"Queued {queued.total} objects for {queued.destination} as {queued.id}.")
        if not running:
            out.say("No server runs on this home: they are sent once `fileroom serve` does.")
        if wait and running:
            queued = _wait(sends, queued)
            out.say(_line(queued))
    out.result({"send": _plain(queued)})
    if wait and not running:
        raise errors.InUse("no server runs on this home, so nothing is sent now", hint="fileroom serve")
    if queued.state in (State.FAILED, State.CANCELLED):
        raise errors.PeerUnavailable(queued.last_error or "cancelled", hint=f"fileroom sends {queued.id}")


def sends(
    key: Annotated[int | None, typer.Argument(metavar="SEND", help="One send, with what did not arrive.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those: waiting, sending, done, failed or cancelled.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest this many.")] = 50,
    retry: Annotated[bool, typer.Option("--retry", help="Try SEND again now.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Send nothing more of SEND.")] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """List what was sent or is to be sent to peers, newest first; try one again, or cancel it.

    Example:  fileroom sends --state failed
    """
    from fileroom.routing.sends import Sends, State

    if key is None and (retry or cancel):
        raise typer.BadParameter("name the SEND to retry or cancel")
    if state is not None and state not in list(State):
        raise typer.BadParameter(f"--state is one of {', '.join(State)}")
    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        if key is None:
            _list(out, Sends(database).find(states=[State(state)] if state else (), limit=limit))
            return
        _one(out, database, key, retry=retry, cancel=cancel)


def _one(out: Output, database: Database, key: int, *, retry: bool, cancel: bool) -> None:
    from fileroom.routing.sends import Sends

    record = Sends(database)
    found = record.cancel(key) if cancel else record.retry(key) if retry else record.get(key)
    missing = record.objects(key, limit=_OBJECTS_SHOWN)
    out.say(_line(found))
    if found.last_error:
        out.say(f"  {found.last_error}")
    told = [one for one in missing if one.reason]
    if told:
        out.table(("object", "status", "why it did not arrive"), [_row(one) for one in told])
    out.result({"send": _plain(found), "objects": [asdict(one) for one in missing]})


def _wait(sends: object, queued: Send) -> Send:
    from fileroom.routing.sends import OPEN, Sends

    assert isinstance(sends, Sends)
    ticker = Ticker()
    while queued.state in OPEN:
        ticker.show(lambda: _line(queued))  # noqa: B023 - called at once
        time.sleep(_LOOK_SECONDS)
        queued = sends.get(queued.id)
    ticker.done()
    return queued


def _list(out: Output, found: list[Send]) -> None:
    if found:
        rows = [
            (s.id, when(s.created_ms), s.destination, s.state, f"{s.sent}/{s.total}", s.failed, s.study_uid, _note(s))
            for s in found
        ]
        out.table(("send", "asked", "to", "state", "sent", "failed", "study", "note"), rows)
    else:
        out.say("No sends.")
    out.result({"sends": [_plain(send) for send in found]})


def _note(send: Send) -> str:
    if send.state == "waiting" and send.attempts:
        return f"next try {when(send.next_ms)}. {send.last_error}"
    return send.last_error or ""


def _line(send: Send) -> str:
    failed = f", {send.failed} failed" if send.failed else ""
    return f"{send.id} to {send.destination}: {send.state}, {send.sent} of {send.total} sent{failed}."


def _row(one: SendObject) -> tuple[object, ...]:
    return one.sop_uid, "" if one.status is None else f"{one.status:04X}", one.reason


def _plain(send: Send) -> dict[str, object]:
    return asdict(send)
