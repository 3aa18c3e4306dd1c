"""C-MOVE: objects sent to a configured peer over an association of our own (PS3.4 C.4.2)."""

from __future__ import annotations

from fileroom.archive.peers import May, Peer, Peers
from fileroom.audit.event import Kind
from fileroom.dicom.syntax import syntax
from fileroom.dimse.door import Archive, Caller
from fileroom.dimse.identifiers import read_identifier
from fileroom.dimse.selection import selected
from fileroom.dimse.services import OFFERS
from fileroom.dimse.status import UnknownDestination, query_status
from fileroom.dimse.suboperations import Progress, begun
from fileroom.errors import FileroomError
from fileroom.net.association import Association, Context
from fileroom.net.command import Command, Tag, response
from fileroom.routing.delivery import Delivery, Sender


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
    transfer = begun(archive.telling, caller, Kind.SEND, instances, f"to {destination.ae_title}")
    progress = Progress(association, context, request, len(instances), transfer)
    originator = (caller.title, request.message_id)
    sender = Sender(ae_title, archive.retriever, archive.transcode, association.limits)
    with progress.told():
        Delivery(sender, destination, progress, originator).run(instances)
        progress.finish()
    return progress.delivered


def _destination(request: Command, peers: Peers) -> Peer:
    title = request.text(Tag.MOVE_DESTINATION)
    peer = peers.find(title) if title else None
    if peer is None:
        raise UnknownDestination("the move destination is not a configured peer", hint="fileroom peer add")
    return peer
