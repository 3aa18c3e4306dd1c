"""Sends from a real archive, and receivers that say what a test wants them to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt

from fileroom.archive.peers import ALL, Peer, Peers
from fileroom.net.limits import Limits
from fileroom.routing.delivery import Sender
from fileroom.routing.packing import Transcode
from fileroom.routing.routing import Routing, RoutingLimits
from fileroom.routing.sends import OPEN, Send
from tests.support.archives import CT, Archive, running_archive
from tests.support.doors import until
from tests.support.processes import free_port

IMPATIENT = Limits(connect_seconds=1, artim_seconds=1, answer_seconds=1, write_seconds=1, tick_seconds=0.1)
QUICK = RoutingLimits(attempts_max=20, pauses_seconds=(0.2,))


@dataclass(frozen=True, slots=True)
class Route:
    """An archive that sends."""

    archive: Archive
    peers: Peers
    routing: Routing

    def know(self, title: str, port: int, **changes: Any) -> None:
        self.peers.add(replace(Peer(title, "127.0.0.1", port, "main", ALL), **changes))

    def ended(self, send: Send, seconds: float = 20.0) -> Send:
        """The send once it has ended."""
        assert until(lambda: self.routing.get(send.id).state not in OPEN, seconds), self.routing.get(send.id)
        return self.routing.get(send.id)


@contextmanager
def running_route(
    home: Path,
    database_url: str = "",
    limits: RoutingLimits = QUICK,
    net: Limits = IMPATIENT,
    transcode: Transcode | None = None,
) -> Iterator[Route]:
    """An archive and its routing, stopped in order at the end."""
    home.mkdir(exist_ok=True)
    with running_archive(home, database_url or f"sqlite:///{home / 'index.sqlite'}") as archive:
        peers = Peers(archive.database)
        sender = Sender("FILEROOM", archive.retriever, transcode, net)
        routing = Routing(archive.database, peers, sender, limits)
        routing.start()
        try:
            yield Route(archive, peers, routing)
        finally:
            routing.stop(2.0)


class Receiver:
    """pynetdicom as a storage SCP on a port of its own.

    `answers`: SOP Instance UID to the statuses it answers one after the other, the last one from then on; 0 when there
    is none. `before`: called with each UID before the answer.
    """

    def __init__(
        self,
        answers: Mapping[str, list[int]] | None = None,
        before: Callable[[str], None] = lambda uid: None,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.got: list[str] = []  # SOP Instance UIDs as they came
        self.when: list[float] = []  # and at which second
        self._answers = {uid: list(statuses) for uid, statuses in (answers or {}).items()}
        self._before = before
        self._lock = threading.Lock()
        entity = AE(ae_title="RECEIVER")
        entity.add_supported_context(UID(CT), [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
        self._server = entity.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)]
        )

    def _store(self, event: Any) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)
        with self._lock:
            self.got.append(uid)
            self.when.append(time.monotonic())
            statuses = self._answers.get(uid, [0])
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self._before(uid)
        return status

    def abort(self) -> None:
        """Abort every association that is open; go on listening."""
        for association in list(self._server.active_associations):
            association.abort()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
