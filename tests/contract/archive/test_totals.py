"""The totals follow whatever changes them: arrivals, decisions, studies that are hidden, what is taken out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom.archive.conflicts import Conflicts
from fileroom.archive.hide import hide, unhide
from fileroom.archive.totals import Counting, count, signs
from fileroom.archive.verdicts import Verdict
from fileroom.demo.computed import plan
from fileroom.demo.demonstration import Demonstration
from tests.support.archives import Archive, ct, running_archive


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url) as running:
        yield running


def test_totals_are_right_after_each_change(archive: Archive) -> None:
    """Kept for ever while the signs stand still, so every change has to move them."""
    totals = Counting(lambda: count(archive.database), lambda: signs(archive.database), lambda: 0.0)

    def said() -> tuple[int, int, int, int]:
        found = totals.now()
        assert (found, found.again_seconds) == (count(archive.database), 0)
        return found.patients, found.studies, found.series, found.instances

    assert said() == (0, 0, 0, 0)
    archive.store(ct(1))
    archive.store(ct(2))
    assert said() == (1, 1, 1, 2)
    archive.store(ct(1, study=2))
    assert said() == (1, 2, 2, 3)
    hide(archive.database, "1.2.9.2", "wrong", "Ada")
    assert said() == (1, 1, 1, 2)
    hide(archive.database, "1.2.9.1", "wrong", "Ada")
    assert said() == (0, 0, 0, 0)
    unhide(archive.database, "1.2.9.2")
    assert said()[1:] == (1, 1, 1)
    unhide(archive.database, "1.2.9.1")
    archive.store(ct(3, patient="P2"))
    assert said() == (1, 2, 2, 3)
    conflicts = Conflicts(archive.database, archive.packs)
    (held,) = conflicts.listed()
    conflicts.decide(held.id, Verdict.ACCEPT, who="Ada")
    assert said()[1:] == (2, 2, 4)
    conflicts.undo(held.id, who="Ada")
    assert said()[1:] == (2, 2, 3)
    demonstration = Demonstration(
        archive.database, archive.packs, archive.home, archive.home / "documents", "main", lambda: list(plan())[:1]
    )
    demonstration.load()
    assert said()[1:] == (3, 3, 4)
    assert demonstration.remove().objects == 1
    assert said()[1:] == (2, 2, 3)
