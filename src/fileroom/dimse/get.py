"""C-GET: objects sent back on the asking association, where its requestor took the SCP role (PS3.4 C.4.3)."""

from __future__ import annotations

from fileroom.archive.peers import May
from fileroom.archive.retrieve import StoredInstance
from fileroom.audit.event import Kind
from fileroom.dicom.syntax import syntax
from fileroom.dimse.door import Archive, Caller
from fileroom.dimse.identifiers import read_identifier
from fileroom.dimse.selection import selected
from fileroom.dimse.services import OFFERS
from fileroom.dimse.status import query_status
from fileroom.dimse.suboperations import Progress, begun, packed
from fileroom.errors import FileroomError
from fileroom.net.association import Association, Context
from fileroom.net.client import StoreAnswer
from fileroom.net.command import RESPONSE, Command, Field, Tag, response, store_request
from fileroom.net.failure import AbortReason, AssociationEnded, PeerAborted, Violation
from fileroom.routing.packing import Packing, Parcel


def get(association: Association, context: Context, request: Command, caller: Caller, archive: Archive) -> int:
    """Answer one C-GET-RQ; how many objects were delivered. Raises AssociationEnded."""
    data = association.take() if request.has_dataset else b""
    try:
        caller.require(May.GET)
        patient_root = OFFERS[context.abstract_syntax].patient_root
        identifier = read_identifier(data, syntax(context.transfer_syntax), patient_root)
        instances = selected(identifier, archive.search, archive.retriever)
    except FileroomError as error:
        status = query_status(error)
        association.send(context.context_id, response(request, status.code, status.comment))
        return 0
    transfer = begun(archive.telling, caller, Kind.RETRIEVE, instances)
    progress = Progress(association, context, request, len(instances), transfer)
    packing = Packing(association.contexts.values(), archive.retriever, archive.transcode)
    with progress.told():
        for stored in instances:
            if not progress.poll():
                break
            parcel = packed(packing, stored, progress)
            if parcel is not None:
                progress.answered(stored, _deliver(association, stored, parcel, request, progress))
        progress.finish()
    return progress.delivered


def _deliver(
    association: Association, stored: StoredInstance, parcel: Parcel, request: Command, progress: Progress
) -> StoreAnswer:
    message_id = association.next_message_id()
    command = store_request(message_id, stored.sop_class_uid, stored.sop_uid)
    try:
        association.send(parcel.context.context_id, command, parcel.payload)
    except OSError as error:
        raise AssociationEnded("a stored object could not be read while it was being sent") from error
    while True:
        received = association.next_command(association.limits.answer_seconds)
        if received is None:
            raise PeerAborted("the peer released the association before its answer was complete")
        answer = received[1]
        if answer.field == Field.C_CANCEL:
            progress.cancelled = progress.cancelled or answer.message_id == request.message_id
            continue
        if answer.field != Field.C_STORE | RESPONSE or answer.message_id != message_id:
            raise Violation("something else came than the answer to a C-STORE", AbortReason.UNEXPECTED_PARAMETER)
        if answer.has_dataset:
            association.skip()
        return StoreAnswer(answer.status, answer.text(Tag.ERROR_COMMENT))
