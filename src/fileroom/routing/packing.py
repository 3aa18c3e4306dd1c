"""What to send in which syntax: as stored where the receiver takes that, else decoded to a native one (PS3.5 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, syntax
from fileroom.errors import NotAcceptable
from fileroom.net.association import Context
from fileroom.net.client import Wish
from fileroom.net.limits import CONTEXTS_MAX
from fileroom.net.sending import Payload

NATIVE = (EXPLICIT_LE, IMPLICIT_LE)  # what every receiver can be expected to take one of

Transcode = Callable[[StoredInstance, str], Payload]
"""The dataset of a stored object in a native transfer syntax. Raises FileroomError when it cannot be made."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One object ready to be sent: on which context, and its bytes in that context's syntax."""

    context: Context
    payload: Payload


class Packing:
    """Chooses the context for each object of one association."""

    def __init__(self, contexts: Iterable[Context], retriever: Retriever, transcode: Transcode | None) -> None:
        """Without `transcode`, an object is sent as stored or not at all."""
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
