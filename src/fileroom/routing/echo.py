"""C-ECHO: does a peer answer, and if not, what to look at (PS3.4 A)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fileroom.archive.peers import Peer
from fileroom.dicom.syntax import IMPLICIT_LE
from fileroom.errors import PeerUnavailable
from fileroom.net.client import VERIFICATION, Client, Wish
from fileroom.net.limits import Limits
from fileroom.routing.words import Reach, Trouble, trouble


@dataclass(frozen=True, slots=True)
class Echo:
    """How one C-ECHO went."""

    peer: Peer
    reach: Reach
    milliseconds: float  # from calling until the answer, or until it was clear that none comes
    what: str  # one sentence
    check: str  # what to look at; "" when it was reached
    status: int | None  # of the C-ECHO response; None without one


def echo(peer: Peer, our_title: str, limits: Limits) -> Echo:
    """Ask a peer whether it answers. Never raises what concerns the peer. Takes at most the limits' connect and
    answer times."""
    begin = time.perf_counter()
    status: int | None = None
    try:
        wishes = [Wish(VERIFICATION, (IMPLICIT_LE,))]
        with Client.connect((peer.host, peer.port), our_title, peer.ae_title, wishes, limits) as client:
            status = client.echo()
            milliseconds = _since(begin)
    except PeerUnavailable as error:
        found = trouble(error, peer, our_title)
        return Echo(peer, found.reach, _since(begin), found.what, found.check, status)
    if status:
        found = Trouble(
            Reach.REFUSED,
            f"{peer.ae_title} answered with status {status:04X}.",
            "Its log, or its administrator, says why.",
        )
        return Echo(peer, found.reach, milliseconds, found.what, found.check, status)
    what = f"{peer.ae_title} at {peer.host}:{peer.port} answered in {milliseconds} ms."
    return Echo(peer, Reach.REACHED, milliseconds, what, "", status)


def _since(begin: float) -> float:
    return round((time.perf_counter() - begin) * 1000, 1)
