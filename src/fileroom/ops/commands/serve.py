"""`fileroom serve`: run the archive until told to stop."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output

if TYPE_CHECKING:
    from fileroom.ops.server import Server

_THINGS_TO_TRY = """
Three things to try from another terminal:
  storescu -aec {title} +sd +r {host} {port} FOLDER       send the DICOM files of a folder
  findscu -aec {title} -S -k QueryRetrieveLevel=STUDY -k PatientName {host} {port}
  curl {web}/dicomweb/studies                 list the studies as JSON

Ctrl-C stops it."""


def serve(
    home: options.Home = None,
    web: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where DICOMweb and pages listen. [127.0.0.1:8080]")
    ] = None,
    dicom: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where DICOM listens. [127.0.0.1:11112]")
    ] = None,
    ae_title: Annotated[str | None, typer.Option(help="The AE title it answers to. [FILEROOM]")] = None,
    as_json: options.Json = False,
) -> None:
    """Run the archive: take images in by DICOM and DICOMweb, keep them, give them back.

    Makes the home when it is not there. Stops on Ctrl-C or SIGTERM, once what is under way is finished; a second
    Ctrl-C stops at once. What was acknowledged is safe either way.

    Example:  fileroom serve --home /srv/fileroom --dicom 0.0.0.0:11112
    """
    from fileroom.ops import logs
    from fileroom.ops.server import Server

    out = Output(as_json)
    settings = options.settings(home, web=web, dicom=dicom, ae_title=ae_title)
    logs.start(settings.log_level, "json" if as_json else settings.log_format)
    wait = _on_signals()
    server = Server(settings)
    server.start()
    _announce(out, server)
    wait()
    out.say("Stopping; Ctrl-C again stops at once.")
    server.stop()


def _on_signals() -> Callable[[], None]:
    """What waits for the first Ctrl-C or SIGTERM; the second ends the process at once. SIGHUP means nothing.

    A pipe wakes the waiter, whichever thread the signal was delivered to and however early it came: an Event set by a
    handler may be lost when the signal arrives just before the wait.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    times = [0]

    def stop(_number: int, _frame: object) -> None:
        times[0] += 1
        if times[0] > 1:
            os._exit(Exit.INTERRUPTED)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def wait() -> None:
        while not times[0]:
            os.read(read, 1)

    return wait


def _announce(out: Output, server: Server) -> None:
    settings = server.settings
    web = f"http://{server.web}"
    out.say("Fileroom is running.")
    out.say(f"  web    {web}  (DICOMweb at {web}/dicomweb)")
    out.say(f"  DICOM  {server.dicom}, AE title {settings.ae_title}")
    out.say(f"  home   {settings.home}")
    title, dicom = settings.ae_title, server.dicom
    out.say(_THINGS_TO_TRY.format(title=title, host=dicom.host, port=dicom.port, web=web))
    out.result(
        {
            "web": web,
            "dicom": str(dicom),
            "ae_title": title,
            "home": str(settings.home),
            "pid": os.getpid(),
        }
    )
