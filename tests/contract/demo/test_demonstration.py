"""A demonstration is loaded once however often, goes on where it stopped, and goes out whole: it, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.hide import hidden_studies
from fileroom.archive.scrub import scrub
from fileroom.demo import computed
from fileroom.demo.demonstration import LEFT_OVER, Demonstration
from fileroom.demo.loading import Progress
from fileroom.demo.objects import Planned
from fileroom.demo.people import DOV, INSTITUTION
from fileroom.routing.rules import DEMONSTRATION
from tests.support.archives import Archive, ct, running_archive


def few() -> list[Planned]:
    """Two slices of each chest."""
    planned = list(computed.plan())
    return [*planned[:2], *planned[-2:]]


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url) as running:
        yield running


def demonstration(archive: Archive, plan: list[Planned] | None = None) -> Demonstration:
    planned = few() if plan is None else plan
    return Demonstration(
        archive.database, archive.packs, archive.home, archive.home / "documents", "main", lambda: planned
    )


def studies(archive: Archive) -> set[str]:
    study = schema.study.c
    with archive.database.read() as connection:
        return set(connection.execute(sa.select(study.study_uid).where(study.hidden.is_(False))).scalars())


def test_it_is_stored_and_counted(archive: Archive) -> None:
    told: list[Progress] = []
    done = demonstration(archive).load(told.append)
    assert (done.state, done.objects, done.objects_total, dict(done.counts)) == ("done", 4, 4, {"stored": 4})
    assert [progress.objects for progress in told] == [0, 1, 2, 3, 4]
    present = demonstration(archive).present()
    assert (present.studies, present.objects) == (2, 4)
    with archive.database.read() as connection:
        assert set(connection.execute(sa.select(schema.instance.c.source)).scalars()) == {DEMONSTRATION}
    assert present.size_bytes >= done.size_bytes > 0


def test_what_is_here_is_not_even_made_again(archive: Archive) -> None:
    demonstration(archive).load()

    def never() -> bytes:
        raise AssertionError("made again")

    again = demonstration(archive, [Planned(p.sop_uid, p.study_uid, never) for p in few()]).load()
    assert dict(again.counts) == {"here before": 4}


def test_interrupted_it_goes_on_where_it_stopped(archive: Archive) -> None:
    demonstration(archive, few()[:1]).load()
    assert dict(demonstration(archive).load().counts) == {"here before": 1, "stored": 3}


def test_taken_out_it_leaves_a_real_study_of_a_similar_patient(archive: Archive) -> None:
    own = ct(1, study=1, patient=DOV.patient_id)
    same = ct(1, study=2, patient=DOV.patient_id)
    same.IssuerOfPatientID = INSTITUTION
    for dataset in (own, same):
        archive.store(dataset)
    demonstration(archive).load()
    removal = demonstration(archive).remove()
    assert (removal.objects, removal.studies, removal.left, removal.refused) == (4, 2, (), ())
    assert studies(archive) == {"1.2.9.1", "1.2.9.2"}
    for dataset in (own, same):
        found = archive.retriever.instance(dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
        assert found is not None
        assert archive.retriever.file(found).read()
    assert scrub(archive.database, archive.packs).findings == ()


def test_a_study_that_a_person_added_to_is_hidden_and_comes_back(archive: Archive) -> None:
    planned = few()
    demonstration(archive).load()
    added = ct(1, patient=DOV.patient_id)
    added.StudyInstanceUID, added.IssuerOfPatientID = planned[0].study_uid, INSTITUTION
    archive.store(added)
    removal = demonstration(archive).remove()
    assert (removal.objects, removal.left) == (4, (planned[0].study_uid,))
    assert studies(archive) == set()
    assert [hidden.reason for hidden in hidden_studies(archive.database)] == [LEFT_OVER]
    demonstration(archive).load()
    assert studies(archive) == {planned[0].study_uid, planned[-1].study_uid}
    assert archive.retriever.instance(planned[0].study_uid, added.SeriesInstanceUID, added.SOPInstanceUID) is not None


def test_where_none_is_nothing_is_taken_out(archive: Archive) -> None:
    archive.store(ct(1))
    removal = demonstration(archive).remove()
    assert (removal.objects, removal.packs, removal.left) == (0, 0, ())
    assert studies(archive) == {"1.2.9.1"}


def test_in_the_background_it_tells_how_far_it_is(archive: Archive) -> None:
    gate = threading.Event()
    first, *rest = few()

    def waiting() -> bytes:
        gate.wait(30)
        return first.make()

    background = demonstration(archive, [Planned(first.sop_uid, first.study_uid, waiting), *rest])
    assert background.progress().state == "idle"
    assert background.start()
    assert not background.start()
    until(lambda: background.progress().objects_total == 4)
    with pytest.raises(errors.InUse):
        demonstration(archive).remove()
    gate.set()
    until(lambda: background.progress().state == "done")
    assert background.progress().objects == 4
    background.remove()
    assert background.progress().state == "idle"
    assert studies(archive) == set()


def test_stopped_in_the_background_it_keeps_what_is_stored(archive: Archive) -> None:
    first, second, *rest = few()
    background: list[Demonstration] = []

    def stopping() -> bytes:
        background[0]._stopping.set()
        return second.make()

    background.append(demonstration(archive, [first, Planned(second.sop_uid, second.study_uid, stopping), *rest]))
    background[0].start()
    background[0].stop()
    assert background[0].progress().state == "stopped"
    assert background[0].progress().objects < 4


def test_what_goes_wrong_in_the_background_is_told(archive: Archive) -> None:
    def failing() -> bytes:
        raise errors.StorageFull("no room", hint="free disk space")

    background = demonstration(archive, [Planned("2.25.1", "2.25.2", failing)])
    background.start()
    until(lambda: background.progress().state == "failed")
    assert (background.progress().error, background.progress().hint) == ("no room", "free disk space")


def until(condition: object) -> None:
    deadline = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)
