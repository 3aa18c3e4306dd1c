"""Objects of the archive sent to a peer over associations of our own: the sending half of C-MOVE and of every send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fileroom.archive.peers import Peer
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.errors import FileroomError, PeerUnavailable
from fileroom.net.client import Client, StoreAnswer, Wish
from fileroom.net.failure import AssociationEnded, PeerTooSlow
from fileroom.net.limits import Limits
from fileroom.routing.packing import Packing, Transcode, batches

_BROKEN_MAX = 3  # connections in a row that broke before anything was delivered


class Account(Protocol):
    """Who is told what became of each object. `fileroom.dimse.suboperations.Progress` is one."""

    def poll(self) -> bool:
        """Asked before each connection and each object; False: stop here."""
        ...

    def answered(self, stored: StoredInstance, answer: StoreAnswer, /) -> None:
        """The peer's own word about an object: stored, or refused."""
        ...

    def missed(self, stored: StoredInstance, error: Exception, /) -> None:
        """It could not be read or packed (another FileroomError), or the connection broke while it was on it
        (AssociationEnded, OSError): then the peer may have it."""
        ...

    def gave_up(self, rest: Sequence[StoredInstance], error: PeerUnavailable, /) -> None:
        """These were not tried: the peer cannot be reached, or is of no use."""
        ...


@dataclass(frozen=True, slots=True)
class Sender:
    """What every delivery needs: who we are, where objects come from, and the bounds of a connection."""

    ae_title: str  # what we call peers as
    retriever: Retriever
    transcode: Transcode | None = None  # without one, an object is sent as stored or not at all
    limits: Limits = field(default_factory=Limits)


class Delivery:
    """One delivery to one peer. Owned by one thread; `cut` is for others.

    A connection that breaks costs the object on it; the next one gets a new connection, unless there is none, or the
    peer took too long, or three broke one after the other before anything was delivered.
    """

    def __init__(
        self, sender: Sender, destination: Peer, account: Account, originator: tuple[str, int] | None = None
    ) -> None:
        """`originator`: AE title and Message ID of the C-MOVE behind it."""
        self._sender = sender
        self._destination = destination
        self._account = account
        self._originator = originator
        self._client: Client | None = None
        self._broken = 0
        self._delivered = 0

    def run(self, instances: Sequence[StoredInstance]) -> None:
        """Send them in order; the account is told of each. Raises nothing that concerns the peer."""
        for batch, wishes in batches(instances):
            if not self._send(batch, wishes):
                break

    def cut(self) -> None:
        """Called by another thread: end the connection now."""
        client = self._client
        if client is not None:
            client.cut()

    def _send(self, batch: Sequence[StoredInstance], wishes: Sequence[Wish]) -> bool:
        """Send a batch; False when the account said stop."""
        at = 0
        while at < len(batch):
            if not self._account.poll():
                return False
            try:
                client = self._connect(wishes)
            except PeerUnavailable as error:
                self._account.gave_up(batch[at:], error)
                return True
            before = self._delivered
            with client:
                self._client = client
                at, broke = self._send_over(client, batch, at)
                self._client = None
            if at < len(batch) and broke is None:
                return False
            self._broken = self._broken + 1 if broke is not None and self._delivered == before else 0
            if at < len(batch) and self._broken and (self._broken == _BROKEN_MAX or isinstance(broke, PeerTooSlow)):
                slow = isinstance(broke, PeerTooSlow)
                why = "does not answer what it is sent" if slow else "keeps breaking its connections"
                self._account.gave_up(batch[at:], PeerUnavailable(f"{self._destination.ae_title} {why}"))
                break
        return True

    def _connect(self, wishes: Sequence[Wish]) -> Client:
        peer, sender = self._destination, self._sender
        return Client.connect((peer.host, peer.port), sender.ae_title, peer.ae_title, wishes, sender.limits)

    def _send_over(
        self, client: Client, batch: Sequence[StoredInstance], at: int
    ) -> tuple[int, AssociationEnded | OSError | None]:
        """Send from `at` on; where to go on, and what broke the connection when it did."""
        packing = Packing(client.contexts, self._sender.retriever, self._sender.transcode)
        for place in range(at, len(batch)):
            if not self._account.poll():
                return place, None
            stored = batch[place]
            try:
                parcel = packing.pack(stored)
            except FileroomError as error:
                self._account.missed(stored, error)
                continue
            try:
                answer = client.store(parcel.context, stored.sop_uid, parcel.payload, originator=self._originator)
            except (AssociationEnded, OSError) as error:
                client.abort()
                self._account.missed(stored, error)
                return place + 1, error
            self._delivered += answer.stored
            self._account.answered(stored, answer)
        return len(batch), None
