"""C-MOVE: objects sent to a configured peer over an association of our own (PS3.4 C.4.2)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from fileroom.archive.peers import May, Peer, Peers
from fileroom.archive.retrieve import StoredInstance
from fileroom.dicom.syntax import syntax
from fileroom.dimse.door import Archive, Caller
from fileroom.dimse.identifiers import read_identifier
from fileroom.dimse.selection import selected
from fileroom.dimse.services import OFFERS
from fileroom.dimse.status import UnknownDestination, query_status
from fileroom.dimse.suboperations import NATIVE, Packing, Progress, packed
from fileroom.errors import FileroomError, PeerUnavailable
from fileroom.net.association import Association, Context
from fileroom.net.client import Client, Wish
from fileroom.net.command import Command, Tag, response
from fileroom.net.failure import AssociationEnded
from fileroom.net.limits import CONTEXTS_MAX

_log = logging.getLogger("fileroom.dimse")

_BROKEN_MAX = 3


def move(
    association: Association, context: Context, request: Command, caller: Caller, archive: Archive, ae_title: str
) -> int:
    """Answer one C-MOVE-RQ; how many objects were delivered. `ae_title`: what we call the destination as.

    Raises AssociationEnded when the asking association is over.
    """
    data = association.take() if request.has_dataset else b""
    try:
        caller.require(May.MOVE)
        patient_root = OFFERS[context.abstract_syntax].patient_root
        identifier = read_identifier(data, syntax(context.transfer_syntax), patient_root)
        destination = _destination(request, archive.peers)
        instances = selected(identifier, archive.search, archive.retriever)
    except FileroomError as error:
        status = query_status(error)
        association.send(context.context_id, response(request, status.code, status.comment))
        return 0
    progress = Progress(association, context, request, len(instances))
    originator = (caller.title, request.message_id)
    sending = _Sending(destination, ae_title, originator, archive, progress, association)
    for batch, wishes in batches(instances):
        if progress.cancelled or not sending.send(batch, wishes):
            break
    progress.finish()
    return progress.delivered


def _destination(request: Command, peers: Peers) -> Peer:
    title = request.text(Tag.MOVE_DESTINATION)
    peer = peers.find(title) if title else None
    if peer is None:
        raise UnknownDestination("the move destination is not a configured peer", hint="fileroom peer add")
    return peer


def batches(instances: Sequence[StoredInstance]) -> Iterator[tuple[list[StoredInstance], list[Wish]]]:
    """Runs of objects that one association's 128 contexts suffice for, with the contexts to propose.

    Each context proposes one syntax, so that the receiver picks by what it accepts: the stored one, or a native one
    to decode to.
    """
    batch: list[StoredInstance] = []
    pairs: dict[tuple[str, str], None] = {}
    for stored in instances:
        wanted = {(stored.sop_class_uid, uid): None for uid in (stored.transfer_syntax, *NATIVE)}
        if len(pairs | wanted) > CONTEXTS_MAX:
            yield batch, [Wish(abstract, (uid,)) for abstract, uid in pairs]
            batch, pairs = [], {}
        pairs |= wanted
        batch.append(stored)
    if batch:
        yield batch, [Wish(abstract, (uid,)) for abstract, uid in pairs]


class _Sending:
    """The outgoing side of one C-MOVE."""

    def __init__(
        self,
        destination: Peer,
        ae_title: str,
        originator: tuple[str, int],
        archive: Archive,
        progress: Progress,
        asking: Association,
    ) -> None:
        self._destination = destination
        self._ae_title = ae_title
        self._originator = originator
        self._archive = archive
        self._progress = progress
        self._limits = asking.limits
        self._broken = 0  # connections in a row that broke before anything was delivered

    def send(self, batch: Sequence[StoredInstance], wishes: Sequence[Wish]) -> bool:
        """Send a batch; False when the asking peer cancelled. What cannot be delivered is counted as failed.

        A connection that breaks costs the object on it; the next one gets a new connection, unless there is none.
        """
        at = 0
        while at < len(batch):
            try:
                client = self._connect(wishes)
            except PeerUnavailable as error:
                self._miss(batch[at:], str(error))
                return True
            with client:
                before = self._progress.delivered
                at = self._send_over(client, batch, at)
            if self._progress.cancelled:
                return False
            broken = at < len(batch) and self._progress.delivered == before
            self._broken = self._broken + 1 if broken else 0
            if self._broken == _BROKEN_MAX:
                self._miss(batch[at:], "the destination keeps breaking its connections")
                break
        return True

    def _miss(self, rest: Sequence[StoredInstance], why: str) -> None:
        for stored in rest:
            self._progress.missed(stored, why)

    def _connect(self, wishes: Sequence[Wish]) -> Client:
        peer = self._destination
        return Client.connect((peer.host, peer.port), self._ae_title, peer.ae_title, wishes, self._limits)

    def _send_over(self, client: Client, batch: Sequence[StoredInstance], at: int) -> int:
        """Send from `at` on; where to go on, when the connection breaks or the asking peer cancels."""
        packing = Packing(client.contexts, self._archive.retriever, self._archive.transcode)
        for place in range(at, len(batch)):
            if not self._progress.poll():
                return place
            stored = batch[place]
            parcel = packed(packing, stored, self._progress)
            if parcel is None:
                continue
            try:
                answer = client.store(parcel.context, stored.sop_uid, parcel.payload, originator=self._originator)
            except (AssociationEnded, OSError) as error:
                client.abort()
                self._progress.missed(stored, f"{type(error).__name__}: {error}")
                return place + 1
            self._progress.answered(stored, answer)
        return len(batch)
