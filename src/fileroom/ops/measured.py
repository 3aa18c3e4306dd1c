"""A receiver that counts and times what goes through it, for /metrics."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, cast

from fileroom.archive.receive import Intake, Pending, Receipt, Receiver, Source
from fileroom.errors import FileroomError
from fileroom.ops.metrics import Metrics


class MeasuredReceiver(Receiver):
    """A Receiver; every object that comes through is counted once, by door and outcome or by the kind of refusal."""

    metrics: Metrics | None = None  # set once, before the doors open

    def dataset(self, source: Source, *arguments: Any, **named: Any) -> Intake:
        """As Receiver.dataset."""
        return self._measured(source, super().dataset(source, *arguments, **named))

    def file(self, source: Source, size_bytes: int | None = None) -> Intake:
        """As Receiver.file."""
        return self._measured(source, super().file(source, size_bytes))

    def _measured(self, source: Source, intake: Intake) -> Intake:
        if self.metrics is None:
            return intake
        return cast(Intake, _MeasuredIntake(intake, source.door, self.metrics))


class _MeasuredIntake:
    """Stands for an Intake. Room for bytes is asked of the intake itself: nothing is in between while they come."""

    __slots__ = ("_counted", "_door", "_intake", "_metrics", "_size", "space")

    def __init__(self, intake: Intake, door: str, metrics: Metrics) -> None:
        self._intake = intake
        self._door = door
        self._metrics = metrics
        self._size = 0
        self._counted = False
        self.space = intake.space

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._size += len(chunk)
        self._intake.write(chunk)

    def wrote(self, size: int) -> None:
        self._size += size
        self._intake.wrote(size)

    def submit(self, *arguments: Any) -> Pending:
        pending = self._intake.submit(*arguments)
        self._counted = True
        return _MeasuredPending(pending, self._door, self._size, self._metrics)

    def abort(self) -> None:
        self._intake.abort()

    def __enter__(self) -> _MeasuredIntake:
        self._intake.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, FileroomError) and not self._counted:
            self._metrics.object(self._door, type(error).__name__, self._size, 0.0)
        self._intake.__exit__(kind, error, trace)


class _MeasuredPending(Pending):
    """Stands for a Pending that the committer resolves."""

    __slots__ = ("_begin", "_door", "_inner", "_metrics", "_size")

    def __init__(self, inner: Pending, door: str, size: int, metrics: Metrics) -> None:
        super().__init__()
        self._inner = inner
        self._door = door
        self._size = size
        self._metrics = metrics
        self._begin = time.perf_counter()

    def wait(self) -> Receipt:
        try:
            receipt = self._inner.wait()
        except FileroomError as error:
            self._metrics.object(self._door, type(error).__name__, self._size, time.perf_counter() - self._begin)
            raise
        self._metrics.object(self._door, receipt.outcome, self._size, time.perf_counter() - self._begin)
        return receipt
