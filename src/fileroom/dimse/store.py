"""C-STORE: an object from the wire to the archive, and the archive's word back as a status (PS3.4 B)."""

from __future__ import annotations

import logging

from fileroom.archive.arrival import Receipt, Source
from fileroom.archive.peers import May
from fileroom.archive.receive import Receiver
from fileroom.audit.storing import Storing
from fileroom.dicom.uid import check_uid
from fileroom.dimse.door import Caller
from fileroom.dimse.status import Status, UnsupportedService, store_status
from fileroom.errors import FileroomError
from fileroom.net.association import Association, Context
from fileroom.net.command import Command, Tag, response
from fileroom.net.failure import AssociationEnded

_log = logging.getLogger("fileroom.dimse")


def store(
    association: Association,
    context: Context,
    request: Command,
    caller: Caller,
    receiver: Receiver,
    act: Storing | None = None,
) -> Status:
    """Answer one C-STORE-RQ; the status sent.

    Success leaves after the bytes survive power loss and the index knows them. Every other status comes after the
    whole dataset was taken off the wire, so that the association goes on. Raises AssociationEnded.
    """
    try:
        receipt = _take_in(association, context, request, caller, receiver, act)
        status = store_status(receipt.outcome)
        if status.code:
            _log.warning("object held outcome=%s calling=%s sop_uid=%s", receipt.outcome, caller.title, receipt.sop_uid)
    except AssociationEnded:
        raise
    except FileroomError as error:
        association.skip()
        status = store_status(error)
        _log.warning(
            "object refused status=%04X calling=%s address=%s reason=%s: %s",
            status.code,
            caller.title,
            caller.address,
            type(error).__name__,
            error,
        )
    association.send(context.context_id, response(request, status.code, status.comment))
    return status


def _take_in(
    association: Association,
    context: Context,
    request: Command,
    caller: Caller,
    receiver: Receiver,
    act: Storing | None,
) -> Receipt:
    caller.require(May.STORE)
    sop_class_uid, sop_uid = check_uid(request.text(Tag.SOP_CLASS_UID)), check_uid(request.text(Tag.SOP_UID))
    if sop_class_uid != context.abstract_syntax:
        raise UnsupportedService("the command's SOP class is not its presentation context's")
    source = Source("dimse", caller.title, caller.site, act)
    with receiver.dataset(source, context.transfer_syntax, sop_class_uid, sop_uid, caller.title) as intake:
        association.receive(intake)
        return intake.submit().wait()
