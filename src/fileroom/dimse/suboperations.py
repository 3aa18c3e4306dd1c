"""What C-MOVE and C-GET share: honest counts, the responses in between and at the end."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fileroom.archive.retrieve import StoredInstance
from fileroom.archive.telling import Telling, Transfer
from fileroom.audit.event import Kind
from fileroom.dicom.syntax import syntax
from fileroom.dimse.door import Caller
from fileroom.dimse.identifiers import failed_list
from fileroom.dimse.status import ALL_FAILED, CANCELLED, PENDING, SOME_FAILED, SUCCESS, Status
from fileroom.errors import FileroomError, PeerUnavailable
from fileroom.net.association import Association, Context
from fileroom.net.client import StoreAnswer
from fileroom.net.command import Command, response
from fileroom.routing.packing import Packing, Parcel

_log = logging.getLogger("fileroom.dimse")

_PENDING_EVERY = 20  # sub-operations
_PENDING_SECONDS = 0.5


class Progress:
    """The counts of one C-MOVE or C-GET, and its responses."""

    def __init__(
        self,
        association: Association,
        context: Context,
        request: Command,
        total: int,
        transfer: Transfer | None = None,
    ) -> None:
        self._association = association
        self._context = context
        self._request = request
        self.remaining = total
        self.completed = self.failed = self.warning = 0
        self.cancelled = False
        self._failed_uids: list[str] = []
        self._transfer = transfer
        self._sent: Counter[str] = Counter()  # by study
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

    def missed(self, stored: StoredInstance, error: Exception) -> None:
        """One object is not."""
        self._missed(stored, f"{type(error).__name__}: {error}")

    def gave_up(self, rest: Sequence[StoredInstance], error: PeerUnavailable) -> None:
        """None of these is."""
        for stored in rest:
            self._missed(stored, str(error))

    def _missed(self, stored: StoredInstance, why: str) -> None:
        self.remaining -= 1
        self.failed += 1
        self._failed_uids.append(stored.sop_uid)
        _log.warning("sub-operation failed sop_uid=%s reason=%s", stored.sop_uid, why)

    def answered(self, stored: StoredInstance, answer: StoreAnswer) -> None:
        """Count what the receiver said."""
        if answer.stored:
            self.succeeded(answer)
            self._sent[stored.study_uid] += 1
        else:
            self._missed(stored, f"the receiver answered {answer.status:04X}")

    @contextmanager
    def told(self) -> Iterator[None]:
        """What goes out within is told to the ledger at its end, however it ends."""
        try:
            yield
        finally:
            if self._transfer is not None:
                whys = ("cancelled" if self.cancelled else "", f"{self.failed} objects failed" if self.failed else "")
                rest = f"{self.remaining} not tried" if self.remaining else ""
                self._transfer.end(self._sent, ", ".join(why for why in (*whys, rest) if why))

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
        progress.missed(stored, error)
        return None


def begun(
    telling: Telling | None, caller: Caller, kind: Kind, instances: Sequence[StoredInstance], detail: str = ""
) -> Transfer | None:
    """The ledger's word that these are about to go out, durable; None without a ledger, or when there are none."""
    if telling is None or not instances:
        return None
    return telling.transfer(caller.actor, kind, (stored.study_uid for stored in instances), detail)
