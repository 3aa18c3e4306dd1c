"""The threads that send: one for each destination that something waits for, so that none holds up another."""

from __future__ import annotations

import logging
import threading
import time

from fileroom.archive.peers import Peer, Peers
from fileroom.archive.telling import Telling, Transfer
from fileroom.audit.actor import Actor
from fileroom.audit.event import Kind
from fileroom.errors import FileroomError
from fileroom.routing.account import SendAccount
from fileroom.routing.attempts import Attempts
from fileroom.routing.delivery import Delivery, Sender
from fileroom.routing.sends import Send, SendObject

_log = logging.getLogger("fileroom.routing")

LOOK_SECONDS = 1.0  # how often the table is looked at when nobody wakes the thread
_TURN_SECONDS = 60.0  # after a send that ends later, a thread gives its place to another destination
_OBJECTS_AT_ONCE = 1000  # looked up and sent over one association; bounds memory


class Dispatcher:
    """Does what the send table says. `start` once, `stop` once; `wake` from any thread."""

    def __init__(
        self,
        attempts: Attempts,
        peers: Peers,
        sender: Sender,
        destinations_max: int,
        telling: Telling | None = None,
    ) -> None:
        """`destinations_max`: associations open at one time, each to another destination. `telling`: the ledger."""
        self._telling = telling
        self._attempts = attempts
        self._peers = peers
        self._sender = sender
        self._destinations_max = destinations_max
        self._lock = threading.Lock()
        self._working: dict[str, _Worker] = {}
        self._served: dict[str, float] = {}  # destination to when its last thread ended
        self._orphans: list[tuple[Send, str]] = []  # what a thread could not write the end of, and why
        self._stopping = threading.Event()
        self._waking = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="sends", daemon=True)

    def start(self) -> None:
        """Go on where the last server ended. Raises DatabaseUnavailable."""
        resumed = self._attempts.resume()
        if resumed:
            _log.info("sends resumed count=%d", resumed)
        self._thread.start()

    def stop(self, drain_seconds: float) -> None:
        """Let the objects that are on their way arrive, at most that long; what remains goes on at the next start."""
        self._stopping.set()
        self._waking.set()
        if self._thread.is_alive():
            self._thread.join()
        until = time.monotonic() + drain_seconds
        with self._lock:
            workers = list(self._working.values())
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))
        for worker in workers:
            worker.cut()
        for worker in workers:
            worker.join(2.0)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Something was queued: look now."""
        self._waking.set()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._waking.clear()
            try:
                self._adopt()
                self._cut_cancelled()
                self._employ()
            except FileroomError as error:
                _log.warning("sends wait error=%s", error)
            except Exception:  # noqa: BLE001 - the boundary of the thread: it looks again
                _log.exception("sends wait")
                self._stopping.wait(LOOK_SECONDS)
            self._waking.wait(LOOK_SECONDS)

    def _adopt(self) -> None:
        """Sends whose thread could not write down how it ended wait again."""
        while self._orphans:
            self._attempts.ended(*self._orphans[0])
            self._orphans.pop(0)

    def _cut_cancelled(self) -> None:
        """End the connections of sends that were cancelled: their peer may be one that never answers."""
        with self._lock:
            sending = {worker.sending: worker for worker in self._working.values() if worker.sending is not None}
        if sending:
            for key in self._attempts.cancelled(list(sending)):
                if sending[key].sending == key:
                    sending[key].cut()

    def _employ(self) -> None:
        """A thread for every destination that is due and has none, as far as places go; who was served last waits."""
        due = self._attempts.due()
        with self._lock:
            waiting = [title for title in due if title not in self._working]
            waiting.sort(key=lambda title: self._served.get(title, 0.0))
            for title in waiting[: max(0, self._destinations_max - len(self._working))]:
                self._working[title] = worker = _Worker(self, title)
                worker.start()

    def crowded(self) -> bool:
        """Whether all places are taken, so that one is to be given back after a turn."""
        with self._lock:
            return len(self._working) >= self._destinations_max

    def attempt(self, send: Send, worker: _Worker) -> None:
        """One attempt at one send, from its claim to its verdict. Raises DatabaseUnavailable."""
        peer = self._peers.find(send.destination)
        if peer is None:
            why = f"There is no peer {send.destination} any more. Add it again and retry, or cancel."
            self._attempts.hopeless(send, why)
            return
        rest = self._attempts.objects(send)
        account = SendAccount(
            self._attempts, send, {one.sop_uid: one for one in rest}, peer, self._sender.ae_title, self.stopping
        )
        begin, told = time.monotonic(), self._begun(send)
        try:
            self._deliver_all(rest, account, peer, worker)
        finally:
            if told is not None:
                told.end({send.study_uid: account.delivered}, account.last_error)
        if account.cut_short:
            self._attempts.interrupted(send)
            return
        self._verdict(send, account, time.monotonic() - begin)

    def _begun(self, send: Send) -> Transfer | None:
        """The ledger's word that objects of this study are about to go out, durable."""
        if self._telling is None:
            return None
        actor = Actor(send.requested_by, where="send")
        return self._telling.transfer(actor, Kind.SEND, [send.study_uid], f"to {send.destination}")

    def _deliver_all(self, rest: list[SendObject], account: SendAccount, peer: Peer, worker: _Worker) -> None:
        for at in range(0, len(rest), _OBJECTS_AT_ONCE):
            self._deliver(rest[at : at + _OBJECTS_AT_ONCE], account, peer, worker)
            if account.unreached or not account.poll():
                break
        account.record()

    def _deliver(self, part: list[SendObject], account: SendAccount, peer: Peer, worker: _Worker) -> None:
        found = {stored.sop_uid: stored for stored in self._sender.retriever.by_sop_uids([o.sop_uid for o in part])}
        account.gone([one for one in part if one.sop_uid not in found])
        instances = [found[one.sop_uid] for one in part if one.sop_uid in found]
        worker.delivery = delivery = Delivery(self._sender, peer, account)
        delivery.run(instances)
        worker.delivery = None

    def _verdict(self, send: Send, account: SendAccount, seconds: float) -> None:
        now = self._attempts.ended(send, account.last_error)
        if account.unreached and not account.heard:
            self._attempts.postpone(send.destination, account.last_error)
        _log.info(
            "send send=%d destination=%s state=%s delivered=%d attempts=%d seconds=%.1f",
            send.id,
            send.destination,
            "cancelled" if now is None else now.state,
            account.delivered,
            send.attempts,
            seconds,
        )

    def stopping(self) -> bool:
        """Whether the server wants to end."""
        return self._stopping.is_set()

    def next_for(self, title: str) -> Send | None:
        """The next send to this destination. Raises DatabaseUnavailable."""
        return None if self._stopping.is_set() else self._attempts.claim(title)

    def left(self, title: str, unfinished: Send | None, why: str) -> None:
        """A thread is done with its destination, or could not finish a send."""
        with self._lock:
            if unfinished is not None:
                self._orphans.append((unfinished, why))
            self._served[title] = time.monotonic()
            del self._working[title]
        self._waking.set()


class _Worker:
    """The thread of one destination."""

    def __init__(self, dispatcher: Dispatcher, title: str) -> None:
        self._dispatcher = dispatcher
        self._title = title
        self._thread = threading.Thread(target=self._run, name=f"send to {title}", daemon=True)
        self.delivery: Delivery | None = None
        self.sending: int | None = None  # the id of the send in hand

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def cut(self) -> None:
        """End its connection, when it has one."""
        delivery = self.delivery
        if delivery is not None:
            delivery.cut()

    def _run(self) -> None:
        begin, send, why = time.monotonic(), None, ""
        try:
            while (send := self._dispatcher.next_for(self._title)) is not None:
                self.sending = send.id
                self._dispatcher.attempt(send, self)
                self.sending = send = None
                if time.monotonic() - begin > _TURN_SECONDS and self._dispatcher.crowded():
                    break
        except FileroomError as error:
            why = f"Interrupted: {error}."
            _log.warning("send interrupted destination=%s error=%s", self._title, error)
        except Exception:  # noqa: BLE001 - the boundary of a thread: its send waits again, the others go on
            why = "Interrupted by a defect of Fileroom; its log says where."
            _log.exception("send broke destination=%s", self._title)
        finally:
            self.delivery = None
            self._dispatcher.left(self._title, send, why)
