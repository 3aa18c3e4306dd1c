"""What the DICOM door is told at its start, and what it works with."""

from __future__ import annotations

from dataclasses import dataclass, field

from fileroom.archive.peers import ALL, May, Peers
from fileroom.archive.receive import Receiver
from fileroom.archive.retrieve import Retriever
from fileroom.archive.search import Search
from fileroom.archive.telling import Telling
from fileroom.audit.actor import Actor
from fileroom.dimse.status import NotAllowed
from fileroom.net.associate import APPLICATION_CONTEXT, Hello
from fileroom.net.limits import Limits
from fileroom.net.pdu import Rejection
from fileroom.routing.packing import Transcode
from fileroom.settings import is_loopback


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """How the door listens and whom it lets in."""

    host: str = "127.0.0.1"
    port: int = 11112  # 0: any free one
    ae_title: str = "FILEROOM"
    site: str = "main"  # of objects from callers on loopback that are no configured peer
    associations_max: int = 64  # one more is rejected as a local limit exceeded
    any_called_title_on_loopback: bool = True  # off loopback the called AE title must be ours
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end of one association."""

    title: str  # calling AE title
    address: str  # IP address
    site: str
    may: frozenset[May]

    @property
    def actor(self) -> Actor:
        """Who acts, for the ledger."""
        return Actor(self.title, self.address, "dicom")

    def require(self, right: May) -> None:
        """Raises NotAllowed."""
        if right not in self.may:
            raise NotAllowed(f"this peer may not {right}", hint="fileroom peer add")


@dataclass(frozen=True, slots=True)
class Archive:
    """The rooms behind the door."""

    receiver: Receiver
    search: Search
    retriever: Retriever
    peers: Peers
    transcode: Transcode | None = None  # without one, an object is sent as stored or not at all
    telling: Telling | None = None  # the ledger; None: a door without one


def admit(hello: Hello, address: str, settings: DoorSettings, peers: Peers) -> Caller | Rejection:
    """Who is calling, or why the call is rejected (HOUSE: closed by default).

    A configured peer is known by title and address. On a door that listens on loopback, anybody else on this machine
    is let in too, with the default site.
    """
    if not hello.protocol_version & 1:
        return Rejection.PROTOCOL_VERSION
    if hello.application_context != APPLICATION_CONTEXT:
        return Rejection.APPLICATION_CONTEXT
    local = is_loopback(settings.host) and is_loopback(address)
    if hello.called != settings.ae_title and not (local and settings.any_called_title_on_loopback):
        return Rejection.CALLED_AE_TITLE
    if not hello.calling:
        return Rejection.CALLING_AE_TITLE
    peer = peers.calling(hello.calling, address)
    if peer is not None:
        return Caller(peer.ae_title, address, peer.site, peer.may)
    if local:
        return Caller(hello.calling, address, settings.site, ALL)
    return Rejection.CALLING_AE_TITLE
