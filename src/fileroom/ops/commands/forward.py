"""`fileroom forward`: rules that send what arrives on to peers."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.ops import options
from fileroom.ops.output import Output, size

if TYPE_CHECKING:
    from fileroom.routing.rules import Rule

app = typer.Typer(
    help="Rules that send what arrives on to known DICOM applications.", rich_markup_mode=None, no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The rule's name.")]


@app.command("add")
def add(
    name: Name,
    peer: Annotated[str, typer.Argument(metavar="PEER", help="The AE title of the peer to send to.")],
    modality: Annotated[str, typer.Option(metavar="WORDS", help="Only these modalities, such as CT,MR.")] = "",
    source: Annotated[
        str, typer.Option(metavar="WORDS", help="Only what these AE titles sent here, such as CT_1,CT_2.")
    ] = "",
    station: Annotated[str, typer.Option(help="Only when the station name contains this.")] = "",
    institution: Annotated[str, typer.Option(help="Only when the institution name contains this.")] = "",
    description: Annotated[
        str, typer.Option(help="Only when a description, the protocol name or the body part contains this.")
    ] = "",
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Send what arrives from now on to a peer, when all the conditions hold.

    A series has arrived when nothing more came to it for 30 seconds (forward_quiet_seconds); what comes later is sent
    later. Nothing is sent back to the peer it came from, and nothing is sent twice by rules.

    Example:  fileroom forward add "CT to workstation" WORKSTATION --modality CT --source CT_1,CT_2
    """
    from fileroom.routing.rulebook import Rulebook
    from fileroom.routing.rules import Wanted, in_words

    out = Output(as_json)
    wanted = Wanted(name, peer, _split(modality), _split(source), station, institution, description)
    with options.open_database(options.settings(home)) as database:
        rule = Rulebook(database).add(wanted, by=getpass.getuser())
    out.say(f"Added: {in_words(rule.wanted)}, arriving from now on, goes to {rule.wanted.destination}.")
    out.result({"rule": _plain(rule)})


@app.command("list")
def list_(home: options.Home = None, as_json: options.Json = False) -> None:
    """List the rules.

    Example:  fileroom forward list
    """
    from fileroom.archive.peers import Peers
    from fileroom.routing.rulebook import Rulebook
    from fileroom.routing.rules import in_words

    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        rules, known = Rulebook(database).all(), {peer.ae_title for peer in Peers(database).all()}
    rows = []
    for rule in rules:
        to = rule.wanted.destination
        note = "" if to in known else " (no peer of this title any more: its sends fail)"
        state, sends = "on" if rule.enabled else "off", f"{rule.sends} sends"
        rows.append((rule.wanted.name, state, to + note, sends, in_words(rule.wanted)))
    if rows:
        out.table(("rule", "is", "sends to", "so far", "what"), rows)
    else:
        out.say("No rules. Make one: fileroom forward add NAME PEER")
    out.result({"rules": [_plain(rule) for rule in rules]})


@app.command("enable")
def enable(name: Name, home: options.Home = None, as_json: options.Json = False) -> None:
    """Forward by this rule again, from now on: what arrived meanwhile is not sent.

    Example:  fileroom forward enable "CT to workstation"
    """
    _switch(name, on=True, out=Output(as_json), home=home)


@app.command("disable")
def disable(name: Name, home: options.Home = None, as_json: options.Json = False) -> None:
    """Forward nothing more by this rule. What is queued is still sent; `fileroom sends` cancels it.

    Example:  fileroom forward disable "CT to workstation"
    """
    _switch(name, on=False, out=Output(as_json), home=home)


def _switch(name: str, *, on: bool, out: Output, home: options.Home) -> None:
    from fileroom.routing.rulebook import Rulebook

    with options.open_database(options.settings(home)) as database:
        rules = Rulebook(database)
        rule = rules.named(name)
        rule = (rules.enable if on else rules.disable)(rule.id, getpass.getuser())
    out.say(f"{rule.wanted.name} is {'on' if rule.enabled else 'off'}.")
    out.result({"rule": _plain(rule)})


@app.command("remove")
def remove(name: Name, home: options.Home = None, as_json: options.Json = False) -> None:
    """Forget a rule. What is queued is still sent.

    Example:  fileroom forward remove "CT to workstation"
    """
    from fileroom.routing.rulebook import Rulebook

    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        rules = Rulebook(database)
        rule = rules.named(name)
        rules.remove(rule.id, getpass.getuser())
    out.say(f"Removed {rule.wanted.name}.")
    out.result({"removed": rule.wanted.name})


@app.command("apply")
def apply(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Send it. Without, only say how much that is.")] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Say how much of what is here a rule asks for; with --yes, send it, whether it was sent before or not.

    Example:  fileroom forward apply "CT to workstation"
    """
    from fileroom.routing.rulebook import Rulebook

    out = Output(as_json)
    with options.open_database(options.settings(home)) as database:
        rules = Rulebook(database)
        rule = rules.named(name)
        found = rules.apply(rule.id, getpass.getuser()) if yes else rules.matching(rule.id)
    much = f"{found.objects} objects of {found.studies} studies, {size(found.size_bytes)}"
    to = rule.wanted.destination
    out.say(f"Queued for {to}: {much}." if yes else f"This would send {much} to {to}. Send it: --yes")
    out.result({"queued": yes, "matching": asdict(found), "rule": _plain(rule)})


def _split(words: str) -> tuple[str, ...]:
    return tuple(word for word in words.split(",") if word.strip())


def _plain(rule: Rule) -> dict[str, object]:
    return {"id": rule.id, "enabled": rule.enabled, "sends": rule.sends, **asdict(rule.wanted)}
