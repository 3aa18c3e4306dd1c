"""Four senders at once, two through each door, with a ledger of what was sent and what was acknowledged."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from fileroom.errors import PeerUnavailable
from tests.support.corpus import Instance, ct_slice, small_study, tomosynthesis, visit
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store, dataset_digest, fetch, stow

SENDERS = 4
LARGE_FRAMES = 13  # 34 MB: over what is gathered in memory
_GONE = (PeerUnavailable, OSError, http.client.HTTPException)
Send = Callable[[FileroomServer, Sequence[Instance], "Ledger", random.Random], None]


class Ledger:
    """What was sent, and what of it was acknowledged. Thread-safe."""

    def __init__(self) -> None:
        self.sent: dict[str, Instance] = {}
        self.acknowledged: set[str] = set()
        self.refused: dict[str, int] = {}  # status by SOP Instance UID
        self._changed = threading.Condition()

    def sending(self, objects: Sequence[Instance]) -> None:
        with self._changed:
            self.sent.update({one.sop_uid: one for one in objects})

    def heard(self, sop_uid: str, status: int) -> None:
        with self._changed:
            if status == 0:
                self.acknowledged.add(sop_uid)
                self.refused.pop(sop_uid, None)
            else:
                self.refused[sop_uid] = status
            self._changed.notify_all()

    def wait_for(self, happened: Callable[[], bool], timeout_seconds: float = 60) -> None:
        """Returns once it happened; asked anew after every answer, and twenty times a second."""
        waited = 0.0
        with self._changed:
            while not happened():
                assert waited < timeout_seconds, "it never happened"
                waited += 0.0 if self._changed.wait(0.05) else 0.05

    @property
    def unanswered(self) -> list[Instance]:
        return [one for uid, one in self.sent.items() if uid not in self.acknowledged]


class Ingest:
    """The senders, each in a thread, until their objects are sent or the server is gone."""

    def __init__(
        self, server: FileroomServer, ledger: Ledger, seed: str, *, objects: int = 120, large: int = 3
    ) -> None:
        self.ledger = ledger
        self.unexpected: list[BaseException] = []
        senders: tuple[Send, ...] = (_by_c_store, _by_stow) * (SENDERS // 2)
        self._threads = [
            threading.Thread(target=self._run, args=(send, server, f"{seed} {number}", objects, large))
            for number, send in enumerate(senders)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, send: Send, server: FileroomServer, seed: str, objects: int, large: int) -> None:
        try:
            send(server, list(mixture(seed, objects, large)), self.ledger, random.Random(seed))
        except _GONE:
            pass
        except BaseException as error:  # noqa: BLE001 - shown by the test that joins
            self.unexpected.append(error)

    def join(self, timeout_seconds: float = 60) -> None:
        """Returns once every sender has ended."""
        for thread in self._threads:
            thread.join(timeout_seconds)
            assert not thread.is_alive(), "a sender hangs"
        assert self.unexpected == []


def mixture(seed: str, count: int, large: int) -> Iterator[Instance]:
    """Small objects, CT slices and large volumes, shuffled, the first large one twice.

    Equal seeds give equal objects, others other ones.
    """
    draw = random.Random(f"mixture {seed}")
    first = draw.randrange(1 << 40)
    kinds = ["large"] * large + draw.choices(["small", "ct"], [3, 2], k=count - large)
    draw.shuffle(kinds)
    numbers = list(enumerate(kinds, start=first))
    numbers += [pair for pair in numbers if pair[1] == "large"][:1]
    for number, kind in numbers:
        if kind == "small":
            yield small_study(number)
        elif kind == "ct":
            yield ct_slice(visit("ct", number // 10), number // 10, number % 10 + 1)
        else:
            yield tomosynthesis(number, frames=LARGE_FRAMES)


def _by_c_store(server: FileroomServer, objects: Sequence[Instance], ledger: Ledger, _draw: random.Random) -> None:
    answers = c_store(server, objects)
    for one in objects:
        ledger.sending([one])
        said = next(answers)
        ledger.heard(said.sop_uid, said.status)
    next(answers, None)  # the release


def _by_stow(server: FileroomServer, objects: Sequence[Instance], ledger: Ledger, draw: random.Random) -> None:
    left = iter(objects)
    while group := list(islice(left, draw.randint(1, 6))):
        ledger.sending(group)
        for said in stow(server, group):
            ledger.heard(said.sop_uid, said.status)


def lost_or_broken(server: FileroomServer, ledger: Ledger) -> list[str]:
    """Acknowledged objects that do not come back bit for bit, and others that come back in part."""
    wrong = []
    for uid, one in ledger.sent.items():
        file = fetch(server, one)
        if file is None:
            if uid in ledger.acknowledged:
                wrong.append(f"{uid} was acknowledged and is gone")
        elif dataset_digest(file) != one.digest:
            wrong.append(f"{uid} came back with other bytes")
    return wrong


def send_again(server: FileroomServer, ledger: Ledger) -> None:
    """Every object without an acknowledgement, as its sender would; all must be acknowledged now."""
    for said in c_store(server, ledger.unanswered) if ledger.unanswered else ():
        assert said.acknowledged, f"{said.sop_uid} was refused with {said.status:04X}"
        ledger.heard(said.sop_uid, said.status)
