"""What C-MOVE and C-GET share: honest counts, what to send in which syntax, the responses in between and at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, syntax
from fileroom.dimse.door import Transcode
from fileroom.dimse.identifiers import failed_list
from fileroom.dimse.status import ALL_FAILED, CANCELLED, PENDING, SOME_FAILED, SUCCESS, Status
from fileroom.errors import FileroomError, NotAcceptable
from fileroom.net.association import Association, Context
from fileroom.net.client import StoreAnswer
from fileroom.net.command import Command, response
from fileroom.net.sending import Payload

_log = logging.getLogger("fileroom.dimse")

_PENDING_EVERY = 20  # sub-operations
_PENDING_SECONDS = 0.5
NATIVE = (EXPLICIT_LE, IMPLICIT_LE)  # what every receiver can be expected to take one of


@dataclass(frozen=True, slots=True)
class Parcel:
    """One object ready to be sent: on which context, and its bytes in that context's syntax."""

    context: Context
    payload: Payload


class Packing:
    """Chooses the context for each object: as stored where that is accepted, else decoded to a native syntax."""

    def __init__(self, contexts: Iterable[Context], retriever: Retriever, transcode: Transcode | None) -> None:
        self._contexts = {(c.abstract_syntax, c.transfer_syntax): c for c in contexts if c.we_may_request}
        self._retriever = retriever
        self._transcode = transcode

    def pack(self, stored: StoredInstance) -> Parcel:
        """Raises NotAcceptable when no accepted context can carry it, other FileroomErrors when it cannot be read."""
        as_stored = self._contexts.get((stored.sop_class_uid, stored.transfer_syntax))
        if as_stored is not None:
            return Parcel(as_stored, self._retriever.dataset(stored))
        for uid in NATIVE:
            native = self._contexts.get((stored.sop_class_uid, uid))
            if native is not None and self._transcode is not None:
                return Parcel(native, self._transcode(stored, uid))
        raise NotAcceptable(f"the receiver takes no syntax for {syntax(stored.transfer_syntax).name}")


class Progress:
    """The counts of one C-MOVE or C-GET, and its responses."""

    def __init__(self, association: Association, context: Context, request: Command, total: int) -> None:
        self._association = association
        self._context = context
        self._request = request
        self.remaining = total
        self.completed = self.failed = self.warning = 0
        self.cancelled = False
        self._failed_uids: list[str] = []
        self._said = (total, time.monotonic())

    @property
    def delivered(self) -> int:
        """Objects that are with the receiver."""
        return self.completed + self.warning

    def succeeded(self, answer: StoreAnswer) -> None:
        """One object is with the receiver."""
        self.remaining -= 1
        if answer.warned:
            self.warning += 1
        else:
            self.completed += 1

    def missed(self, stored: StoredInstance, why: str) -> None:
        """One object is not."""
        self.remaining -= 1
        self.failed += 1
        self._failed_uids.append(stored.sop_uid)
        _log.warning("sub-operation failed sop_uid=%s reason=%s", stored.sop_uid, why)

    def answered(self, stored: StoredInstance, answer: StoreAnswer) -> None:
        """Count what the receiver said."""
        if answer.stored:
            self.succeeded(answer)
        else:
            self.missed(stored, f"the receiver answered {answer.status:04X}")

    def poll(self) -> bool:
        """Between two sub-operations: tell the peer how far it is now and then; False when it wants to stop."""
        remaining, when = self._said
        now = time.monotonic()
        if remaining - self.remaining >= _PENDING_EVERY or now - when >= _PENDING_SECONDS:
            self._said = (self.remaining, now)
            command = response(self._request, PENDING, counts=self._counts() | {"remaining": self.remaining})
            self._association.send(self._context.context_id, command)
        self.cancelled = self.cancelled or self._association.cancelled(self._request.message_id)
        return not self.cancelled

    def finish(self) -> Status:
        """Send the last response; its status."""
        status = self._status()
        counts = self._counts()
        if self.cancelled:
            counts["remaining"] = self.remaining
        uids = self._failed_uids
        command = response(self._request, status.code, status.comment, dataset=bool(uids), counts=counts)
        payload = failed_list(uids, syntax(self._context.transfer_syntax)) if uids else None
        self._association.send(self._context.context_id, command, payload)
        return status

    def _counts(self) -> dict[str, int]:
        return {"completed": self.completed, "failed": self.failed, "warning": self.warning}

    def _status(self) -> Status:
        if self.cancelled:
            return CANCELLED
        if not self.failed:
            return SUCCESS if not self.warning else SOME_FAILED
        return SOME_FAILED if self.completed or self.warning else ALL_FAILED


def packed(packing: Packing, stored: StoredInstance, progress: Progress) -> Parcel | None:
    """The parcel, or None after counting the object as failed."""
    try:
        return packing.pack(stored)
    except FileroomError as error:
        progress.missed(stored, f"{type(error).__name__}: {error}")
        return None
