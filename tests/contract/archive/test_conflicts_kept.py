"""Decisions outlive what may happen to an archive: a rebuild, a backup, a start after a crash, lost bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.backup import backup
from fileroom.archive.conflicts import Conflicts
from fileroom.archive.heal import heal
from fileroom.archive.packs import Packs
from fileroom.archive.rebuild import rebuild_index
from fileroom.archive.receive import Outcome, Source
from fileroom.archive.scrub import scrub
from fileroom.archive.verdicts import Verdict
from fileroom.database import Database
from tests.support.archives import Archive, ct, encoded, running_archive
from tests.support.deciding import (
    SOP,
    conflicts_of,
    everything,
    one_held,
    other,
    served,
    settled,
)
from tests.support.truth import wrong_counts


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url) as running:
        yield running


def fill(archive: Archive) -> None:
    """Decisions of every kind, undone ones, and objects that came before, between and after."""
    conflicts = conflicts_of(archive)
    first = ct(1)
    first.StudyDescription, first.AccessionNumber = "first", "A1"
    for dataset in (first, ct(2), ct(3), ct(4), ct(5, series=2)):
        archive.store(dataset)
    archive.store(other(1, StudyDescription="replaced", PatientName="New^Name"))
    archive.store(other(2, SeriesDescription="third", pixels=bytes(32)))
    archive.store(other(2, SeriesDescription="second"))
    archive.store(other(3))
    archive.store(other(4, StudyDescription="undone"))
    archive.store(ct(6, series=7, patient="P2"))
    archive.store(ct(7, series=7, patient="P2"))
    archive.store(ct(8, series=8), Source("import", "test", "elsewhere"))
    archive.store(other(5, patient="P1", SeriesInstanceUID="1.2.9.1.2"))
    by_uid = {(held.sop_uid, n): held.id for n, held in enumerate(reversed(conflicts.listed()))}
    ids = list(by_uid.values())
    conflicts.decide(ids[0], Verdict.REPLACE, who="Ada")
    late = ct(11)
    late.AccessionNumber, late.StudyDescription = "LATE", "never seen"
    archive.store(late)
    conflicts.decide(ids[1], Verdict.REPLACE, who="Ada")
    conflicts.decide(ids[2], Verdict.REPLACE, who="Ada")
    conflicts.decide(ids[3], Verdict.KEEP, who="Ada")
    conflicts.decide(ids[4], Verdict.REPLACE, who="Ada")
    conflicts.undo(ids[4], who="Ada")
    conflicts.decide(ids[5], Verdict.ACCEPT, who="Ada")
    conflicts.decide(ids[6], Verdict.KEEP_OUT, who="Ada")
    conflicts.decide(ids[7], Verdict.ACCEPT, who="Ada")
    archive.store(ct(12, series=8))


def test_a_rebuilt_index_gives_equal_answers_with_decisions_of_every_kind(tmp_path: Path, database_url: str) -> None:
    with running_archive(tmp_path, database_url) as archive:
        fill(archive)
        settled(archive)
        before = everything(archive.database)
        waiting = Conflicts(archive.database, archive.packs).counts()
    database, packs = Database(database_url), Packs(tmp_path / "packs")
    for _ in range(2):
        report = rebuild_index(database, packs)
        assert report.findings == ()
        assert everything(database) == before
        assert report.objects == len(before["instance"])
        assert wrong_counts(database) == []
        assert scrub(database, packs).findings == ()
    assert Conflicts(database, packs).counts() == waiting
    database.close()
    with running_archive(tmp_path, database_url) as archive:  # and what was undone, or is undone now, is right too
        conflicts = conflicts_of(archive)
        for held in conflicts.listed(decided=True):
            if held.verdict is not None and held.sop_uid != "1.2.9.1.1.2":
                conflicts.undo(held.id, who="Bob")
        settled(archive)
        undone = everything(archive.database)
        rebuild_index(archive.database, archive.packs)
        assert everything(archive.database) == undone


def test_a_backup_holds_the_decisions_and_gives_the_same_answers(tmp_path: Path, database_url: str) -> None:
    with running_archive(tmp_path / "home", database_url) as archive:
        fill(archive)
        before = everything(archive.database)
        backup(archive.database, archive.packs, tmp_path / "copy")
    copy, packs = Database(f"sqlite:///{tmp_path / 'copy' / 'fileroom.sqlite'}"), Packs(tmp_path / "copy" / "packs")
    assert everything(copy) == before
    assert scrub(copy, packs).findings == ()
    rebuild_index(copy, packs)
    assert everything(copy) == before
    copy.close()


def test_a_start_that_takes_objects_in_again_leaves_decisions_alone(tmp_path: Path, database_url: str) -> None:
    """The database was told less of the packs than they hold, as after a crash: all is read again, nothing is new."""
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(1))
        archive.store(other())
        archive.store(ct(2, patient="P2"))
        conflicts = conflicts_of(archive)
        for held, verdict in zip(conflicts.listed(), (Verdict.ACCEPT, Verdict.REPLACE), strict=True):
            conflicts.decide(held.id, verdict, who="Ada")
        before = everything(archive.database)
    database, packs = Database(database_url), Packs(tmp_path / "packs")
    with database.write() as connection:
        connection.execute(sa.update(schema.pack).values(closed=False, size_bytes=0))
    heal(database, packs)
    after = everything(database)
    assert {name: rows for name, rows in after.items() if name != "pack"} == {
        name: rows for name, rows in before.items() if name != "pack"
    }
    assert Conflicts(database, packs).counts() == {}
    database.close()


def test_a_decided_object_whose_bytes_are_lost_is_repaired_when_it_is_sent_again(
    tmp_path: Path, database_url: str
) -> None:
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(1))
        archive.store(other())
        held = one_held(archive)
        conflicts_of(archive).decide(held, Verdict.REPLACE, who="Ada")
    with running_archive(tmp_path, database_url) as archive:
        (found,) = archive.retriever.by_sop_uids([SOP])
        with archive.packs.path(found.pack_id).open("r+b") as file:
            file.seek(found.offset + found.size_bytes - 8)
            file.write(b"\xff" * 4)
        assert archive.store(other()).outcome is Outcome.DUPLICATE
        assert served(archive) == encoded(other())
        conflicts = conflicts_of(archive)
        conflicts.undo(held, who="Ada")
        assert served(archive) == encoded(ct(1))
        conflicts.decide(held, Verdict.REPLACE, who="Ada")  # uses the good copy
        assert served(archive) == encoded(other())
    database = Database(database_url)
    rebuild_index(database, Packs(tmp_path / "packs"))
    database.close()
    with running_archive(tmp_path, database_url) as archive:
        assert served(archive) == encoded(other())
