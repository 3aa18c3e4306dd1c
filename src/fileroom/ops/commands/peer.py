"""`fileroom peer`: the DICOM applications Fileroom knows."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from fileroom.ops import options
from fileroom.ops.output import Output

app = typer.Typer(
    help="The DICOM applications Fileroom knows: who may call, and where a C-MOVE goes.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Title = Annotated[str, typer.Argument(metavar="AE_TITLE", help="Its AE title, 1 to 16 characters.")]


@app.command("add")
def add(
    ae_title: Title,
    host: Annotated[str, typer.Argument(help="The name or address it calls from and is called at.")],
    port: Annotated[int, typer.Argument(help="The port it listens on.")] = 104,
    may: Annotated[
        str, typer.Option(metavar="WORDS", help="What it may do: some of store,find,get,move.")
    ] = "store,find,get,move",
    site: Annotated[str | None, typer.Option(help="The site its objects belong to. [the site of the settings]")] = None,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Make a DICOM application known, or change what is known of it.

    It counts from its next association; the server need not be restarted.

    Example:  fileroom peer add CT_ROOM_1 192.0.2.17 104 --may store
    """
    from fileroom.archive.peers import Peer, Peers, check_ae_title, check_may

    out = Output(as_json)
    settings = options.settings(home)
    with options.open_database(settings, make=True) as database:
        peer = Peer(check_ae_title(ae_title), host.strip(), port, site or settings.site, check_may(may.split(",")))
        new = Peers(database).add(peer, getpass.getuser())
    if not peer.addresses():
        out.say(f"Note: {peer.host} does not resolve to an address now; until it does, the peer cannot call.")
    out.say(f"{'Added' if new else 'Changed'} {peer.ae_title} at {peer.host}:{peer.port}.")
    out.result({"new": new, "peer": _plain(peer)})


@app.command("list")
def list_(home: options.Home = None, as_json: options.Json = False) -> None:
    """List the known DICOM applications.

    Example:  fileroom peer list --json
    """
    from fileroom.archive.peers import Peers

    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        peers = Peers(database).all()
    if peers:
        rows = [(p.ae_title, p.host, p.port, " ".join(sorted(p.may)), p.site) for p in peers]
        out.table(("AE title", "host", "port", "may", "site"), rows)
    else:
        out.say("No peers yet. Add one: fileroom peer add AE_TITLE HOST PORT")
    out.result({"peers": [_plain(peer) for peer in peers]})


@app.command("remove")
def remove(ae_title: Title, home: options.Home = None, as_json: options.Json = False) -> None:
    """Forget a DICOM application. What it sent stays.

    Example:  fileroom peer remove CT_ROOM_1
    """
    from fileroom.archive.peers import Peers

    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        Peers(database).remove(ae_title, getpass.getuser())
    out.say(f"Removed {ae_title.strip()}.")
    out.result({"removed": ae_title.strip()})


@app.command("echo")
def echo(ae_title: Title, home: options.Home = None, as_json: options.Json = False) -> None:
    """Ask a known DICOM application whether it answers (C-ECHO), and how fast.

    Example:  fileroom peer echo WORKSTATION
    """
    from fileroom import errors
    from fileroom.archive.peers import Peers
    from fileroom.ops.limits import net_limits
    from fileroom.routing.echo import echo as call
    from fileroom.routing.words import Reach

    out = Output(as_json)
    settings = options.settings(home)
    with options.open_database(settings) as database:
        peer = Peers(database).find(ae_title)
    if peer is None:
        raise errors.NotFound("there is no peer of that AE title", hint="fileroom peer list")
    answer = call(peer, settings.ae_title, net_limits(settings))
    if answer.reach is not Reach.REACHED:
        raise errors.PeerUnavailable(answer.what, hint=answer.check)
    out.result({"peer": _plain(peer), "status": answer.status, "milliseconds": answer.milliseconds})
    out.say(answer.what)


def _plain(peer: object) -> dict[str, object]:
    from fileroom.archive.peers import Peer

    assert isinstance(peer, Peer)
    return {
        "ae_title": peer.ae_title,
        "host": peer.host,
        "port": peer.port,
        "site": peer.site,
        "may": sorted(peer.may),
    }
