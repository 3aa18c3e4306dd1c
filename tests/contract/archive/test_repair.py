"""The same object again is nothing new only while the copy that is here can be had: else it takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.packs import Packs
from fileroom.archive.rebuild import rebuild_index
from fileroom.archive.receive import Outcome
from fileroom.archive.scrub import scrub
from fileroom.database import Database
from tests.support.archives import SOURCE, Archive, ct, encoded, running_archive


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url) as running:
        yield running


def served(archive: Archive, number: int) -> bytes:
    found = archive.retriever.instance("1.2.9.1", "1.2.9.1.1", f"1.2.9.1.1.{number}")
    assert found is not None
    return archive.retriever.dataset(found).read()


def spoil(archive: Archive, number: int, what: str) -> None:
    found = archive.retriever.instance("1.2.9.1", "1.2.9.1.1", f"1.2.9.1.1.{number}")
    assert found is not None
    path = archive.packs.path(found.pack_id)
    if what == "gone":
        path.unlink()
        return
    with path.open("r+b") as file:
        file.seek(found.offset + found.size_bytes - 8)
        file.write(b"\xff" * 4)


@pytest.mark.parametrize("pixels", [32, 33 << 20], ids=["in memory", "streamed"])
@pytest.mark.parametrize("what", ["rotten", "gone"])
def test_an_object_whose_stored_bytes_are_lost_is_repaired_by_sending_it_again(
    what: str, pixels: int, tmp_path: Path, database_url: str
) -> None:
    whole = ct(1, pixels=bytes(pixels))
    with running_archive(tmp_path, database_url) as archive:
        archive.store(whole)
    with running_archive(tmp_path, database_url) as archive:
        spoil(archive, 1, what)
        assert archive.store(whole).outcome is Outcome.DUPLICATE
        assert served(archive, 1) == encoded(whole)
        assert archive.store(whole).outcome is Outcome.DUPLICATE
        with archive.database.read() as connection:
            assert connection.execute(sa.select(schema.study.c.instance_count)).scalar_one() == 1
    if what == "rotten":
        database = Database(database_url)
        rebuild_index(database, Packs(tmp_path / "packs"))
        assert {finding.kind for finding in scrub(database, Packs(tmp_path / "packs")).findings} == {"rot"}
        database.close()
        with running_archive(tmp_path, database_url) as archive:
            assert served(archive, 1) == encoded(whole)  # the rebuilt index uses the good copy too


def test_the_same_bytes_under_another_transfer_syntax_are_another_object(archive: Archive) -> None:
    raw = encoded(ct(1))
    archive.store_bytes(raw, "1.2.9.1.1.1")
    with archive.receiver.dataset(
        SOURCE, "1.2.840.10008.1.2.1.98", "1.2.840.10008.5.1.4.1.1.2", "1.2.9.1.1.1", "X"
    ) as intake:
        intake.write(raw)
        assert intake.submit().wait().outcome is Outcome.CONFLICT


def test_a_modality_that_comes_late_is_in_the_study_too(archive: Archive) -> None:
    first = ct(1)
    del first.Modality
    archive.store(first)
    archive.store(ct(2))
    with archive.database.read() as connection:
        assert connection.execute(sa.select(schema.study.c.modalities)).scalar_one() == "CT"


def test_an_issuer_that_is_called_like_a_site_is_no_site(archive: Archive) -> None:
    archive.store(ct(1, study=1))
    other = ct(1, study=2)
    other.IssuerOfPatientID = "main"
    archive.store(other)
    with archive.database.read() as connection:
        assert len(connection.execute(sa.select(schema.patient.c.id)).all()) == 2
