"""What pages say is here is right or says when it will be, and counting takes a small part of the time at most."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fileroom import errors
from fileroom.archive.totals import SHARE, UNSEEN_SECONDS, Counting, Totals


class Archive:
    """Holds some studies; counting them takes a while of a clock that only moves when told."""

    def __init__(self, took_seconds: float) -> None:
        self.clock = 1000.0
        self.took = took_seconds
        self.studies = 1
        self.counted = 0
        self.counting = Counting(self.count, lambda: self.studies, lambda: self.clock)

    def count(self) -> Totals:
        self.counted += 1
        self.clock += self.took
        return Totals(1, self.studies, 1, 1, 1)

    def said(self) -> tuple[int, float]:
        totals = self.counting.now()
        return totals.studies, round(totals.again_seconds, 3)


def test_what_takes_no_time_is_always_right() -> None:
    archive = Archive(0.001)
    for number in range(1, 5):
        archive.studies = number
        assert archive.said() == (number, 0)


def test_nothing_is_counted_while_nothing_changes() -> None:
    archive = Archive(0.25)
    assert [archive.said() for _ in range(9)] == [(1, 0)] * 9
    archive.clock += UNSEEN_SECONDS - 1
    assert (archive.said(), archive.counted) == ((1, 0), 1)
    archive.clock += 2
    assert (archive.said(), archive.counted) == ((1, 0), 2)


def test_what_came_since_is_counted_soon_and_until_then_it_is_said_when() -> None:
    archive = Archive(0.25)
    archive.said()
    archive.studies = 2
    assert archive.said() == (1, SHARE * 0.25)
    archive.clock += 4.5
    assert (archive.said(), archive.counted) == ((1, 0.5), 1)
    archive.clock += 0.5
    assert (archive.said(), archive.counted) == ((2, 0), 2)


def test_what_comes_while_it_is_counted_is_not_missed() -> None:
    archive = Archive(0.25)

    def count() -> Totals:
        found = Archive.count(archive)
        archive.studies += archive.counted == 1  # behind the count, before its end
        return found

    archive.counting = Counting(count, lambda: archive.studies, lambda: archive.clock)
    assert archive.said() == (1, 0)
    assert archive.said() == (1, SHARE * 0.25)
    archive.clock += SHARE * 0.25
    assert archive.said() == (2, 0)


def test_many_that_ask_at_once_have_it_counted_once() -> None:
    archive, gate = Archive(0.25), threading.Event()

    def count() -> Totals:
        gate.wait(30)
        return archive.count()

    archive.counting = Counting(count, lambda: archive.studies, lambda: archive.clock)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(archive.said) for _ in range(8)]
        gate.set()
        assert [one.result() for one in asked] == [(1, 0)] * 8
    assert archive.counted == 1


def test_a_count_that_failed_is_not_kept() -> None:
    archive = Archive(0.25)

    def count() -> Totals:
        if not archive.counted:
            archive.counted = 1
            raise errors.DatabaseUnavailable("away")
        return archive.count()

    archive.counting = Counting(count, lambda: 1, lambda: archive.clock)
    with pytest.raises(errors.DatabaseUnavailable):
        archive.said()
    assert archive.said() == (1, 0)
