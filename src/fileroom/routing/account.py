"""What becomes of the objects of one send during one attempt, written down as it goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from fileroom.archive.peers import Peer
from fileroom.archive.retrieve import StoredInstance
from fileroom.errors import Busy, DatabaseUnavailable, PeerUnavailable, StorageFull
from fileroom.net.client import StoreAnswer
from fileroom.net.failure import AssociationEnded, PeerTooSlow
from fileroom.routing.attempts import Attempts, News
from fileroom.routing.sends import Send, SendObject
from fileroom.routing.words import is_passing, status_words, trouble

_log = logging.getLogger("fileroom.routing")

# What a kill leaves in doubt, and is sent once more.
RECORD_SECONDS = 1.0
RECORD_OBJECTS = 200

_REFUSED_MAX = 3  # refusals of the moment in a row: then the attempt ends
_DUPLICATE = 0x0111  # the peer has an object of this SOP Instance UID (PS3.7 C.5.9)
_OURS_FOR_NOW = (Busy, StorageFull, DatabaseUnavailable)  # our own trouble, which passes


class SendAccount:
    """The account of one attempt. Owned by the thread that sends."""

    def __init__(
        self,
        attempts: Attempts,
        send: Send,
        objects: Mapping[str, SendObject],
        peer: Peer,
        our_title: str,
        stopping: Callable[[], bool],
    ) -> None:
        """`objects`: what is to be delivered, by SOP Instance UID. `stopping`: the server wants to end."""
        self._attempts = attempts
        self._send = send
        self._objects = objects
        self._peer = peer
        self._our_title = our_title
        self._stopping = stopping
        self._news = News()
        self._recorded = time.monotonic()
        self._refused = 0  # refusals of the moment in a row
        self.going = True  # False once the send is cancelled, or the peer takes nothing now
        self.heard = False  # the peer said something about an object
        self.unreached = False  # the peer could not be reached, or was of no use
        self.cut_short = False  # the server ended it
        self.delivered = 0
        self.last_error = ""  # why the attempt did not deliver everything

    def poll(self) -> bool:
        """Whether to send the next object; what happened is written down now and then. Raises DatabaseUnavailable."""
        count = len(self._news.delivered) + len(self._news.failed)
        if count >= RECORD_OBJECTS or time.monotonic() - self._recorded >= RECORD_SECONDS:
            self.record()
        if self.going and self._stopping():
            self.cut_short = True
        return self.going and not self.cut_short

    def record(self) -> None:
        """Write down what happened, and learn whether the send was cancelled. Raises DatabaseUnavailable."""
        news, self._news = self._news, News()
        self._recorded = time.monotonic()
        try:
            self.going = self._attempts.record(self._send, news) and self.going
        except BaseException:
            self._news = news
            raise

    def answered(self, stored: StoredInstance, answer: StoreAnswer) -> None:
        """The peer has it, or says why not."""
        self.heard = True
        one = self._objects[stored.sop_uid]
        if answer.stored or (answer.status == _DUPLICATE and one.tries):  # it arrived when it was in doubt
            self._refused = 0
            self.delivered += 1
            self._news.delivered.append(one.place)
            return
        why = f"{self._peer.ae_title} refused: {status_words(answer.status, _printable(answer.comment))}"
        _log.warning(
            "object refused send=%d destination=%s sop_uid=%s status=%04X",
            self._send.id,
            self._send.destination,
            stored.sop_uid,
            answer.status,
        )
        if not is_passing(answer.status):
            self._refused = 0
            self._failed(one, why, answer.status)
            return
        self._again(one, why, answer.status)
        self._refused += 1
        if self._refused == _REFUSED_MAX:
            self.going = False

    def missed(self, stored: StoredInstance, error: Exception) -> None:
        """It was not sent, or the connection broke while it was: then it is in doubt, and sent again."""
        one = self._objects[stored.sop_uid]
        if isinstance(error, AssociationEnded):
            self._again(one, self._broken(error), None)
        elif isinstance(error, _OURS_FOR_NOW):
            self._again(one, f"Not sent for now: {error}.", None)
        elif isinstance(error, OSError):
            self._failed(one, "it cannot be read here; `fileroom scrub` says what is damaged", None)
        else:
            self._failed(one, f"it cannot be sent: {error}", None)

    def gave_up(self, rest: Sequence[StoredInstance], error: PeerUnavailable) -> None:
        """The rest waits for the next attempt."""
        self.unreached = True
        self.last_error = str(trouble(error, self._peer, self._our_title))

    def gone(self, objects: Sequence[SendObject]) -> None:
        """These are not in the archive any more, or their study is hidden."""
        for one in objects:
            self._failed(one, "it is not here any more, or its study is hidden", None)

    def _broken(self, error: AssociationEnded) -> str:
        if self.heard or isinstance(error, PeerTooSlow):
            return f"The connection to {self._peer.ae_title} broke in the middle: {error}."
        return str(trouble(error, self._peer, self._our_title))

    def _failed(self, one: SendObject, why: str, status: int | None) -> None:
        self._news.failed.append(replace(one, failed=True, reason=why, status=status))

    def _again(self, one: SendObject, why: str, status: int | None) -> None:
        self.last_error = why
        self._news.tried.append(replace(one, tries=one.tries + 1, reason=why, status=status))


def _printable(comment: str) -> str:
    """A peer's comment as it may be shown; it is kept, and never logged."""
    return "".join(character if character.isprintable() else "?" for character in comment)[:64].strip()
