"""What goes in comes out bit for bit, once, under the right patient; what must not be merged is held."""

from __future__ import annotations

import hashlib
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.receive import Outcome, ReceiveLimits, Source
from tests.support import real_objects
from tests.support.archives import Archive, ct, encoded, running_archive

SMALL = ReceiveLimits(buffered_bytes_max=1 << 20, object_bytes_max=8 << 20, memory_bytes_max=4 << 20)


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url, SMALL) as running:
        yield running


def rows(archive: Archive, table: sa.Table) -> list[dict[str, object]]:
    with archive.database.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def test_every_real_object_comes_back_bit_for_bit(archive: Archive) -> None:
    stored = {}
    for path in real_objects.all_files():
        raw = path.read_bytes()
        try:
            receipt = archive.store_file(raw)
        except (errors.MalformedObject, errors.InvalidUid):
            continue
        if receipt.outcome is Outcome.STORED:
            stored[receipt.sop_uid] = (receipt, raw)
    assert len(stored) > 100
    for receipt, raw in stored.values():
        (found,) = archive.retriever.instances(receipt.study_uid, receipt.series_uid, receipt.sop_uid)
        assert archive.retriever.file(found).read() == raw
        assert hashlib.sha256(archive.retriever.dataset(found).read()).hexdigest() == found.digest


def test_a_dataset_from_c_store_comes_back_with_the_same_bytes(archive: Archive) -> None:
    raw = encoded(ct(1))
    receipt = archive.store(ct(1))
    (found,) = archive.retriever.instances(receipt.study_uid)
    assert archive.retriever.dataset(found).read() == raw
    file = archive.retriever.file(found).read()
    assert file[128:132] == b"DICM"
    assert file.endswith(raw)


def test_the_same_object_again_is_a_success_and_nothing_new(archive: Archive) -> None:
    assert archive.store(ct(1)).outcome is Outcome.STORED
    size = sum(row["size_bytes"] for row in rows(archive, schema.pack))  # type: ignore[misc]
    assert archive.store(ct(1)).outcome is Outcome.DUPLICATE
    assert len(rows(archive, schema.instance)) == 1
    assert rows(archive, schema.study)[0]["instance_count"] == 1
    assert sum(row["size_bytes"] for row in rows(archive, schema.pack)) == size  # type: ignore[misc]


def test_the_same_uid_with_other_bytes_is_held_and_the_first_stays(archive: Archive) -> None:
    archive.store(ct(1))
    other = ct(1, pixels=bytes(32))
    for _ in range(3):
        assert archive.store(other).outcome is Outcome.CONFLICT
    (found,) = archive.retriever.instances("1.2.9.1")
    assert archive.retriever.dataset(found).read() == encoded(ct(1))
    (held,) = rows(archive, schema.held)
    assert held["kind"] == "conflict"
    kept = archive.packs.range(held["pack_id"], held["offset"], held["size_bytes"]).read()  # type: ignore[arg-type]
    assert kept.endswith(encoded(other))


def test_one_study_uid_under_two_patients_is_held_for_a_person(archive: Archive) -> None:
    archive.store(ct(1, patient="P1"))
    assert archive.store(ct(2, patient="P2")).outcome is Outcome.HELD
    assert archive.store(ct(2, patient="P2")).outcome is Outcome.HELD
    assert [row["kind"] for row in rows(archive, schema.held)] == ["patient"]
    assert len(rows(archive, schema.instance)) == 1


def test_one_study_uid_from_two_sites_is_held_for_a_person(archive: Archive) -> None:
    archive.store(ct(1))
    assert archive.store(ct(2), Source("dimse", "CT2", "north")).outcome is Outcome.HELD
    assert [row["kind"] for row in rows(archive, schema.held)] == ["site"]


def test_a_blank_patient_id_identifies_nobody(archive: Archive) -> None:
    archive.store(ct(1, study=1, patient=""))
    archive.store(ct(1, study=2, patient=""))
    assert len(rows(archive, schema.patient)) == 2


def test_the_same_patient_id_at_two_sites_is_two_patients_but_one_with_a_shared_issuer(archive: Archive) -> None:
    archive.store(ct(1, study=1))
    archive.store(ct(1, study=2), Source("dimse", "CT2", "north"))
    assert len(rows(archive, schema.patient)) == 2
    for study, site in ((3, "main"), (4, "north")):
        dataset = ct(1, study=study)
        dataset.IssuerOfPatientID = "NATIONAL"
        archive.store(dataset, Source("dimse", "CT2", site))
    assert len(rows(archive, schema.patient)) == 3


def test_what_an_early_object_left_empty_a_later_one_fills_and_nothing_is_overwritten(archive: Archive) -> None:
    first, second, third = ct(1), ct(2), ct(3)
    second.StudyDescription = "CT chest"
    third.StudyDescription = "something else"
    for dataset in (first, second, third):
        archive.store(dataset)
    assert rows(archive, schema.study)[0]["study_description"] == "CT chest"


def test_counts_and_modalities_follow_the_objects(archive: Archive) -> None:
    for series in (1, 2):
        for number in (1, 2, 3):
            dataset = ct(number, series=series)
            dataset.Modality = "CT" if series == 1 else "SR"
            archive.store(dataset)
    (study,) = rows(archive, schema.study)
    assert (study["series_count"], study["instance_count"], study["modalities"]) == (2, 6, "CT\\SR")
    assert {row["instance_count"] for row in rows(archive, schema.series)} == {3}
    assert rows(archive, schema.patient)[0]["study_count"] == 1


def test_senders_at_the_same_time_never_duplicate_a_patient_a_study_or_a_series(archive: Archive) -> None:
    outcomes = []

    def send(worker: int) -> None:
        for number in range(40):
            outcomes.append(archive.store(ct(number % 20, series=number % 3)).outcome)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    distinct = {(number % 20, number % 3) for number in range(40)}
    assert outcomes.count(Outcome.STORED) == len(distinct)
    assert len(outcomes) - len(distinct) == outcomes.count(Outcome.DUPLICATE)
    assert len(rows(archive, schema.patient)) == len(rows(archive, schema.study)) == 1
    assert len(rows(archive, schema.series)) == 3
    assert rows(archive, schema.study)[0]["instance_count"] == len(distinct)


def test_two_processes_on_one_database_agree(archive: Archive, database_url: str) -> None:
    with running_archive(archive.home, database_url, SMALL) as other:
        outcomes = []

        def send(where: Archive) -> None:
            for number in range(30):
                outcomes.append(where.store(ct(number % 15, study=number % 5)).outcome)

        threads = [threading.Thread(target=send, args=(where,)) for where in (archive, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count(Outcome.STORED) == 15
        assert set(outcomes) == {Outcome.STORED, Outcome.DUPLICATE}
        assert len(rows(archive, schema.study)) == 5
        assert sum(row["instance_count"] for row in rows(archive, schema.study)) == 15  # type: ignore[misc]


def test_a_large_object_streams_into_a_pack_of_its_own(archive: Archive) -> None:
    large = ct(1, pixels=bytes(3 << 20))
    assert archive.store(large).outcome is Outcome.STORED
    assert archive.store(large).outcome is Outcome.DUPLICATE
    assert archive.store(ct(1, pixels=bytes(b"\1" * (3 << 20)))).outcome is Outcome.CONFLICT
    (found,) = archive.retriever.instances("1.2.9.1")
    assert archive.retriever.dataset(found).read() == encoded(large)
    assert len(archive.packs.ids()) == 2
    assert not list(archive.packs.folder.glob("*.part"))
    with tarfile.open(archive.packs.path(found.pack_id)) as plain:
        assert plain.getnames() == ["1.2.9.1/1.2.9.1.1/1.2.9.1.1.1.dcm"]


def test_a_large_file_streams_too_and_keeps_its_own_meta_information(archive: Archive) -> None:
    receipt = archive.store(ct(2, pixels=bytes(2 << 20)))
    (found,) = archive.retriever.instances(receipt.study_uid)
    raw = archive.retriever.file(found).read().replace(b"1.2.9.1.1.2", b"1.2.9.1.1.7")
    assert archive.store_file(raw).sop_uid == "1.2.9.1.1.7"
    found = archive.retriever.instances("1.2.9.1", "1.2.9.1.1", "1.2.9.1.1.7")[0]
    assert archive.retriever.file(found).read() == raw


def test_an_object_over_the_bound_is_refused_and_leaves_nothing(archive: Archive) -> None:
    with pytest.raises(errors.ObjectTooLarge):
        archive.store(ct(1, pixels=bytes(9 << 20)))
    assert not rows(archive, schema.instance)
    assert not list(archive.packs.folder.glob("*.part"))


def test_more_objects_than_memory_at_once_stream_instead_of_waiting(archive: Archive) -> None:
    intakes = []
    for number in range(12):
        raw = encoded(ct(number, pixels=bytes(900 << 10)))
        intake = (
            archive.receiver.file(Source("stow", "x", "main"))
            if number < 0
            else archive.receiver.dataset(
                Source("dimse", "x", "main"),
                "1.2.840.10008.1.2.1",
                "1.2.840.10008.5.1.4.1.1.2",
                f"1.2.9.1.1.{number}",
                "X",
            )
        )
        intake.write(raw)
        intakes.append(intake)
    receipts = [intake.submit().wait() for intake in intakes]
    assert all(receipt.outcome is Outcome.STORED for receipt in receipts)


@pytest.mark.parametrize("uid", ["../../../etc/passwd", "1.2.x", "1..2"])
def test_odd_uids_are_kept_and_flagged_and_never_become_a_file_name(archive: Archive, uid: str) -> None:
    dataset = ct(1)
    dataset["SOPInstanceUID"]._value = uid
    raw = encoded(dataset)
    receipt = archive.store_bytes(raw, uid)
    assert receipt.outcome is Outcome.STORED
    assert receipt.warnings
    names = {path.name for path in archive.home.rglob("*")}
    assert not any("passwd" in name for name in names)


def test_values_that_a_database_cannot_hold_cost_only_that_value(archive: Archive) -> None:
    dataset = ct(1)
    dataset.StudyDescription = "nul\0inside"
    assert archive.store(dataset).outcome is Outcome.STORED
    assert archive.store(ct(2)).outcome is Outcome.STORED
