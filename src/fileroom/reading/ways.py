"""Where a study can go from its page. Other rooms know how; `ops` passes them in, and the page shows what is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """One sending of a study to a peer, as its page tells it."""

    ae_title: str
    asked_ms: int  # since 1970 UTC
    state: str  # in words: waiting, under way, done, failed
    detail: str  # what happened, and what to do about it; "" when there is nothing to say
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Sending:
    """How studies are sent to peers."""

    peers: Callable[[], Sequence[str]]  # AE titles that may be chosen
    send: Callable[[str, str], None]  # study UID, AE title. Raises NotFound for a peer or study that is not here
    sent: Callable[[str], Sequence[Sent]]  # of a study UID, the latest first


@dataclass(frozen=True, slots=True)
class Ways:
    """What the page offers. None: this Fileroom does not have it."""

    # study UIDs, the current one first, and the modalities of that one -> path of the viewer
    viewer: Callable[[Sequence[str], Collection[str]], str] | None = None
    download: Callable[[str], str] | None = None  # study UID -> path
    sending: Sending | None = None
    ledger: Callable[[str], str] | None = None  # study UID -> path of who looked at it
