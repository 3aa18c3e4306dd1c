"""What the reading rows read: the same studies in both servers, and later a crowd of small studies around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from benches import crew, processes
from benches.clients import dimse
from benches.clients.failure import ClientFailed
from benches.sides import Side
from tests.support import corpus
from tests.support.corpus.instance import Instance

CROWD = 20_000


@dataclass(slots=True)
class Library:
    """Numbers of studies by kind: `ct` of 100 slices, `exams` of four mammograms, one tomosynthesis, `small` ones."""

    sides: list[Side]
    quick: bool = False
    unusable: dict[str, str] = field(default_factory=dict)  # side -> why it could not be loaded
    small: int = 0  # how many small studies are in now
    _cache: dict[str, list[Instance]] = field(default_factory=dict)

    @property
    def ct(self) -> list[list[Instance]]:
        """The CT studies (headers only cost memory: slices share one block of pixels)."""
        number, slices = (2, 20) if self.quick else (10, 100)
        flat = self._cached("ct", lambda: [one for n in range(number) for one in corpus.ct_study(n, slices=slices)])
        return [flat[start : start + slices] for start in range(0, len(flat), slices)]

    @property
    def mammograms(self) -> list[Instance]:
        exams = 1 if self.quick else 5
        return self._cached("mg", lambda: [one for n in range(exams) for one in corpus.mammogram_exam(n)])

    @property
    def tomosynthesis(self) -> Instance:
        return self._cached("tomo", lambda: [corpus.tomosynthesis(0, frames=8 if self.quick else 60)])[0]

    @property
    def lonely(self) -> bool:
        """Whether the crowd is still outside."""
        return self.small <= 100

    def _cached(self, kind: str, make: object) -> list[Instance]:
        if kind not in self._cache:
            assert callable(make)
            self._cache[kind] = make()
        return self._cache[kind]

    def load(self) -> None:
        """Everything but the crowd, into both sides."""
        images = [one for study in self.ct for one in study] + self.mammograms + [self.tomosynthesis]
        self._send(images)
        self.small = 20 if self.quick else 100
        self._send(list(corpus.small_studies(self.small)))
        self._settle()

    def crowd(self) -> None:
        """Small studies up to 20,000, into both sides; nothing when they are in already."""
        goal = 400 if self.quick else CROWD
        if self.small < goal:
            self._send(list(corpus.small_studies(goal - self.small, first=self.small)))
            self.small = goal
            self._settle()

    def _send(self, instances: Sequence[Instance]) -> None:
        for side in self.sides:
            if side.name in self.unusable:
                continue
            try:
                send(side, instances, associations=4)
            except ClientFailed as error:
                self.unusable[side.name] = f"could not be loaded: {error}"

    def _settle(self) -> None:
        for side in self.sides:
            processes.settle(side.pid, timeout_seconds=5 if self.quick else 300)


def send(side: Side, instances: Sequence[Instance], associations: int) -> crew.Shift:
    """C-STOREs all of them, dealt out over so many associations. Raises ClientFailed."""
    hands = [instances[number::associations] for number in range(associations)]

    def hire(client: int) -> crew.Step:
        hand = hands[client]
        classes = sorted({one.sop_class_uid for one in hand})
        association = dimse.Association(side.dicom, side.aet, classes)

        def step(place: int) -> None:
            if place < len(hand):
                association.store(hand[place].sop_class_uid, hand[place].sop_uid, hand[place].parts)

        return step

    return crew.work(associations, max(map(len, hands)), hire)
