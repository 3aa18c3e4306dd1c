"""C-FIND: matches streamed as they are found, many to a system call (PS3.4 C.4.1)."""

from __future__ import annotations

from fileroom.archive.peers import May
from fileroom.archive.search import Query
from fileroom.dicom.syntax import syntax
from fileroom.dimse.door import Archive, Caller
from fileroom.dimse.identifiers import RowWriter, in_words, read_identifier
from fileroom.dimse.services import OFFERS
from fileroom.dimse.status import CANCELLED, PENDING, PENDING_UNSUPPORTED_KEYS, SUCCESS, Status, query_status
from fileroom.errors import FileroomError
from fileroom.net.association import Association, Context
from fileroom.net.command import Command, response
from fileroom.net.failure import AssociationEnded
from fileroom.net.pdu import COMMAND
from fileroom.net.sending import pdus

_FLUSH_BYTES = 32 * 1024


def find(
    association: Association, context: Context, request: Command, caller: Caller, archive: Archive, ae_title: str
) -> Status:
    """Answer one C-FIND-RQ; its final status. `ae_title`: where the matches can be retrieved from.

    Raises AssociationEnded.
    """
    data = association.take() if request.has_dataset else b""
    rest = b""
    try:
        caller.require(May.FIND)
        status, rest = _matches(association, context, request, data, archive, ae_title, caller)
    except AssociationEnded:
        raise
    except FileroomError as error:
        status = query_status(error)
    last = response(request, status.code, status.comment)
    association.wire.send(rest + pdus(last, context.context_id, association.fragment_bytes, COMMAND))
    return status


def _matches(
    association: Association,
    context: Context,
    request: Command,
    data: bytes,
    archive: Archive,
    ae_title: str,
    caller: Caller,
) -> tuple[Status, bytes]:
    """Send the matches; the status to end with, and the last of them, which go out with it."""
    how = syntax(context.transfer_syntax)
    patient_root = OFFERS[context.abstract_syntax].patient_root
    identifier = read_identifier(data, how, patient_root)
    if archive.telling is not None:
        asked = in_words(identifier)
        archive.telling.searched(caller.actor, asked, lambda: asked)
    writer = RowWriter(identifier, how, ae_title)
    query = Query(identifier.level, identifier.keys, "patient" if patient_root else "study")
    code = PENDING_UNSUPPORTED_KEYS if identifier.unsupported else PENDING
    context_id, fragment = context.context_id, association.fragment_bytes
    head = pdus(response(request, code, dataset=True), context_id, fragment, COMMAND)
    waiting: list[bytes] = []
    size = 0
    for row in archive.search.find(query):
        answer = head + pdus(writer.write(row), context_id, fragment, 0)
        waiting.append(answer)
        size += len(answer)
        if size >= _FLUSH_BYTES:
            association.wire.send(b"".join(waiting))
            waiting.clear()
            size = 0
            if association.cancelled(request.message_id):
                return CANCELLED, b""
    return SUCCESS, b"".join(waiting)
