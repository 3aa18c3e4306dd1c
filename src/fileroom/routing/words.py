"""What a peer's silence, refusal or status means, in words for the person who runs the archive. No patient data."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from enum import StrEnum

from fileroom.archive.peers import Peer
from fileroom.errors import PeerUnavailable
from fileroom.net.failure import PeerRefused, PeerTooSlow
from fileroom.net.pdu import Rejection


class Reach(StrEnum):
    """How far a call got."""

    REACHED = "reached"
    REFUSED = "refused"  # a DICOM application answered, and said no
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a peer could not be spoken to, and what to look at."""

    reach: Reach
    what: str  # one sentence
    check: str  # one or two sentences

    def __str__(self) -> str:
        return f"{self.what} {self.check}"


def trouble(error: PeerUnavailable, peer: Peer, our_title: str) -> Trouble:
    """An error of `Client.connect` or of an association, explained."""
    if isinstance(error, PeerRefused):
        return _refusal(error, peer, our_title)
    where = f"{peer.ae_title} at {peer.host}:{peer.port}"
    cause = error.__cause__
    if isinstance(cause, socket.gaierror | UnicodeError):
        what = f"The name {peer.host} does not resolve to an address."
        return Trouble(Reach.NO_ANSWER, what, "Check how it is written, or give the peer's IP address.")
    if isinstance(cause, ConnectionRefusedError):
        check = f"Is the application running, and does it listen on port {peer.port}? A firewall may also refuse."
        return Trouble(Reach.NO_ANSWER, f"{where} does not take connections: Connection refused.", check)
    if isinstance(cause, TimeoutError):
        check = "Check address and port; is the machine switched on? A firewall in between may drop the connection."
        return Trouble(Reach.NO_ANSWER, f"{where} did not answer in time.", check)
    if isinstance(cause, OSError) and cause.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        check = "Check the address and the network between: cable, VPN, routing, firewall."
        return Trouble(Reach.NO_ANSWER, f"There is no way to {where}: {cause.strerror}.", check)
    if isinstance(error, PeerTooSlow):
        check = f"Is {peer.port} its DICOM port? An application that is overloaded or hangs also looks like this."
        return Trouble(Reach.NO_ANSWER, f"{where} takes the connection, but then does not answer in time.", check)
    if cause is None or not isinstance(cause, OSError):
        check = (
            f"Is {peer.port} its DICOM port? Some applications hang up on callers they do not know: add {our_title}."
        )
        return Trouble(Reach.NO_ANSWER, f"{where} ended the conversation: {error}.", check)
    return Trouble(
        Reach.NO_ANSWER, f"There is {error}.", "Check address, port and firewall, and whether it is running."
    )


def _refusal(error: PeerRefused, peer: Peer, our_title: str) -> Trouble:
    title, why = peer.ae_title, error.rejection & 0xFFFF  # the result, for good or for now, is often wrong
    if why == Rejection.CALLING_AE_TITLE & 0xFFFF:
        check = f"Add the AE title {our_title} and this machine's address to the applications that {title} knows."
        return Trouble(Reach.REFUSED, f"{title} does not know the caller {our_title}.", check)
    if why == Rejection.CALLED_AE_TITLE & 0xFFFF:
        check = "Correct the peer's AE title: upper and lower case count."
        return Trouble(Reach.REFUSED, f"The application at {peer.host}:{peer.port} is not called {title}.", check)
    if error.rejection >> 16 == 2:
        return Trouble(Reach.REFUSED, f"{title} takes no more associations now: {error}.", "It may work in a while.")
    return Trouble(Reach.REFUSED, f"{title} refused: {error}.", "Its log, or its administrator, says why.")


_STATUS = {
    0x0105: "no such attribute",
    0x0106: "an attribute has a value it does not take",
    0x0110: "an error of its own",
    0x0111: "it has an object of this SOP Instance UID already, which may be another one",
    0x0117: "it does not take this SOP Instance UID",
    0x0118: "it does not know this SOP class",
    0x0119: "the object contradicts its class",
    0x0122: "it does not take this kind of object",
    0x0124: "it does not allow us to store",
    0x0210: "it confuses our requests",
    0x0211: "it does not take objects at all",
    0x0212: "it misunderstood the request",
}


def status_words(status: int, comment: str = "") -> str:
    """A C-STORE status (PS3.4 B.2.3, PS3.7 C) in words, with the peer's own comment when it sent one."""
    if status >> 8 == 0xA7:
        what = "out of resources; its disk may be full"
    elif status >> 8 == 0xA9:
        what = "the object does not fit its SOP class"
    elif status >> 12 == 0xC:
        what = "it cannot understand the object"
    else:
        what = _STATUS.get(status, "it gave no known reason")
    return f"{what} (status {status:04X}{', ' + comment if comment else ''})"


def is_passing(status: int) -> bool:
    """Whether a status is of the moment, so that the same object may be taken later."""
    return status >> 8 == 0xA7 or status == 0x0110
