"""`fileroom status`: what is here, and how the server is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from fileroom.ops import options
from fileroom.ops.exit_codes import Exit
from fileroom.ops.output import Output, size, when

if TYPE_CHECKING:
    from fileroom.ops.inventory import Inventory
    from fileroom.ops.locks import Running
    from fileroom.ops.running import Readiness


def status(home: options.Home = None, as_json: options.Json = False) -> None:
    """Say what is here, how much room is left, what waits for a person, and whether the server is well.

    The exit code is 1 when a server runs and is not ready.

    Example:  fileroom status --home /srv/fileroom
    """
    from fileroom.ops import inventory, locks, running

    out = Output(as_json)
    settings = options.settings(home)
    with options.open_database(settings) as database:
        here = inventory.take(database, settings)
    server = locks.running(settings.home)
    readiness = running.ask(server) if server else None
    _tell(out, here, server, readiness)
    out.result(
        {
            "home": str(settings.home),
            "server": asdict(server) if server else None,
            "ready": readiness.ready if readiness else None,
            "checks": readiness.checks if readiness else {},
            **asdict(here),
        }
    )
    if readiness and not readiness.ready:
        raise typer.Exit(Exit.FOUND)


def _tell(out: Output, here: Inventory, server: Running | None, readiness: Readiness | None) -> None:
    if server and readiness:
        state = "ready" if readiness.ready else "NOT READY"
        out.say(f"server   {state}, process {server.pid} since {when(server.started_ms)}")
        out.say(f"         web {server.web}, DICOM {server.dicom}, AE title {server.ae_title}")
        for check, verdict in readiness.checks.items():
            if verdict != "ok":
                out.say(f"         {check}: {verdict}")
    else:
        out.say("server   does not run")
    out.say(f"holds    {here.patients:,} patients, {here.studies:,} studies, {here.series:,} series")
    out.say(f"         {here.instances:,} objects, {size(here.size_bytes)}")
    out.say(f"packs    {size(here.pack_bytes)} in {here.packs_closed:,} closed and {here.packs_open} open")
    out.say(f"room     {size(here.free_bytes)} free")
    waiting = ", ".join(f"{count} {kind}" for kind, count in sorted(here.held.items())) or "nothing"
    out.say(f"waiting  {waiting}" + (" (fileroom conflicts)" if here.held else ""))
    out.say(f"hidden   {here.hidden} studies")
    out.say(f"peers    {here.peers}")
    for arrived_ms, source, study_uid in here.last_arrivals:
        out.say(f"arrived  {when(arrived_ms)}  {source}  {study_uid}")
