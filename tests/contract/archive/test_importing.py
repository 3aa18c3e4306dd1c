"""Importing: every object under the paths is stored, known, held, refused or skipped, and the report says which."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydicom.dataset import FileMetaDataset
from pydicom.fileset import FileSet

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.commit import Committer
from fileroom.archive.importing import Importer, ImportReport, Journal
from fileroom.archive.rebuild import rebuild_index
from fileroom.archive.receive import ReceiveLimits, Source
from fileroom.archive.scrub import scrub
from fileroom.dicom.part10 import read_meta
from tests.support.archives import CT, EXPLICIT_LE, Archive, ct, encoded, running_archive
from tests.support.corpus import ct_study, small_studies, small_study
from tests.support.corpus.instance import Instance, write_all

SOURCE = Source("import", "cd", "main")
OBJECT_MAX = 8 << 20
LIMITS = ReceiveLimits(buffered_bytes_max=1 << 20, object_bytes_max=OBJECT_MAX, memory_bytes_max=8 << 20)

Run = Callable[..., ImportReport]


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path / "home", database_url, LIMITS) as running:
        yield running


@pytest.fixture
def run(archive: Archive, tmp_path: Path) -> Run:
    """Call it with paths for an import of them, one after the other with the same journal."""

    def imported(*paths: Path, afresh: bool = False) -> ImportReport:
        with Journal(tmp_path / "imports", list(paths), afresh=afresh) as journal:
            return Importer(archive.receiver, SOURCE, journal, lambda report: None).run(list(paths))

    return imported


def stored(archive: Archive) -> set[str]:
    with archive.database.read() as connection:
        return set(connection.execute(sa.select(schema.instance.c.sop_uid)).scalars())


def uids(objects: list[Instance]) -> set[str]:
    return {one.sop_uid for one in objects}


def part10(number: int) -> bytes:
    dataset = ct(number)
    return Instance(CT, dataset.SOPInstanceUID, "", "", encoded(dataset)).part10


def zipped(path: Path, files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return path


def test_a_folder_is_taken_in_whole_and_everything_comes_back_bit_for_bit(
    archive: Archive, run: Run, tmp_path: Path
) -> None:
    objects = [*ct_study(1, slices=5), *small_studies(6)]
    write_all(objects[:5], tmp_path / "cd" / "a" / "b")
    write_all(objects[5:], tmp_path / "cd" / "c")
    report = run(tmp_path / "cd")
    assert report.counts == {"stored": 11}
    assert report.complete
    assert report.studies == {one.study_uid for one in objects}
    assert report.size_bytes == sum(len(one.part10) for one in objects)
    for one in objects:
        (found,) = archive.retriever.instances(one.study_uid, one.series_uid, one.sop_uid)
        assert archive.retriever.file(found).read() == one.part10
    assert scrub(archive.database, archive.packs).findings == ()


def test_a_large_object_goes_through_as_well(archive: Archive, run: Run, tmp_path: Path) -> None:
    large = ct(1, pixels=bytes(3 << 20))
    path = tmp_path / "large.dcm"
    path.write_bytes(Instance(CT, large.SOPInstanceUID, "", "", encoded(large)).part10)
    assert run(path).counts == {"stored": 1}
    (found,) = archive.retriever.instances("1.2.9.1")
    assert archive.retriever.file(found).read() == path.read_bytes()


def test_one_file_or_several_paths_may_be_named(archive: Archive, run: Run, tmp_path: Path) -> None:
    first, second, third = write_all(small_studies(3), tmp_path / "cd")
    assert run(first, second).counts == {"stored": 2}
    assert run(third, first).counts == {"stored": 1, "duplicate": 1}
    assert len(stored(archive)) == 3


def test_a_dicomdir_means_the_files_beside_it(archive: Archive, run: Run, tmp_path: Path) -> None:
    files = FileSet()
    for number in (1, 2, 3):
        dataset = ct(number)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = EXPLICIT_LE
        dataset.StudyTime, dataset.StudyID, dataset.AccessionNumber = "101010", "1", ""
        dataset.PatientBirthDate, dataset.PatientSex = "", ""
        files.add(dataset)
    files.write(tmp_path / "cd")
    report = run(tmp_path / "cd" / "DICOMDIR")
    assert report.counts == {"stored": 3, "skipped": 1}
    assert report.complete
    assert stored(archive) == {"1.2.9.1.1.1", "1.2.9.1.1.2", "1.2.9.1.1.3"}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_read_without_being_unpacked(archive: Archive, run: Run, tmp_path: Path, mode: str) -> None:
    objects = list(small_studies(5))
    path = tarred(tmp_path / "cd.bin", {f"d/{n}": one.part10 for n, one in enumerate(objects)}, mode)
    before = set(tmp_path.iterdir())
    assert run(path).counts == {"stored": 5}
    assert stored(archive) == uids(objects)
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "imports"}


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_is_read_without_being_unpacked(archive: Archive, run: Run, tmp_path: Path, how: int) -> None:
    objects = list(small_studies(5))
    files = {f"d/{n}": one.part10 for n, one in enumerate(objects)} | {"d/": b"", "README.TXT": b"read me"}
    report = run(zipped(tmp_path / "cd.zip", files, how))
    assert report.counts == {"stored": 5, "skipped": 1}
    assert stored(archive) == uids(objects)


def test_names_in_an_archive_that_climb_out_lead_nowhere(archive: Archive, run: Run, tmp_path: Path) -> None:
    raw = small_study(1).part10
    (tmp_path / "cd").mkdir()
    zipped(tmp_path / "cd" / "a.zip", {"../../evil.dcm": raw})
    tarred(tmp_path / "cd" / "b.tar", {"../../evil.dcm": small_study(2).part10, "/tmp/fileroom-evil.dcm": raw})
    report = run(tmp_path / "cd")
    assert report.counts == {"stored": 2, "duplicate": 1}
    assert not list(tmp_path.rglob("*evil*"))
    assert not os.path.exists("/tmp/fileroom-evil.dcm")


def test_links_devices_and_pipes_in_a_tar_are_not_followed(archive: Archive, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cd.tar"
    with tarfile.open(path, "w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"link{kind.decode()}")
            info.type, info.linkname = kind, "/etc/hostname"
            tar.addfile(info)
    assert run(path).counts == {}


def test_what_is_not_dicom_is_skipped_and_what_is_broken_is_named(archive: Archive, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cd"
    folder.mkdir()
    good = small_study(1)
    good.write(folder / "good.dcm")
    (folder / "autorun.inf").write_text("[autorun]\nopen=viewer.exe\n")
    (folder / "empty").touch()
    (folder / "viewer.exe").write_bytes(b"MZ" + os.urandom(50_000))
    (folder / "cut.dcm").write_bytes(small_study(2).part10[:-100])
    (folder / "torn.zip").write_bytes(zipped(tmp_path / "x.zip", {"a": small_study(3).part10}).read_bytes()[:400])
    (folder / "torn.tar.gz").write_bytes(tarred(tmp_path / "x.tgz", {"a": good.part10}, "w:gz").read_bytes()[:300])
    (folder / "too large.dcm").write_bytes(
        Instance(CT, "1.2.9.1.1.1", "", "", encoded(ct(1, pixels=bytes(OBJECT_MAX)))).part10
    )
    report = run(folder)
    assert stored(archive) == {good.sop_uid}
    assert (report.counts["stored"], report.counts["skipped"]) == (1, 3)
    named = {Path(problem.name.partition("!")[0]).name: problem.outcome for problem in report.problems}
    assert named == {
        "cut.dcm": "refused",
        "too large.dcm": "refused",
        "torn.zip": "unreadable",
        "torn.tar.gz": "unreadable",
    }
    assert all(problem.why for problem in report.problems)
    assert not report.complete


def test_what_may_not_be_read_is_named_and_the_rest_taken(archive: Archive, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cd"
    write_all(small_studies(1), folder)
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    report = run(folder, tmp_path / "not there")
    assert report.counts["stored"] == 1
    names = {Path(problem.name).name for problem in report.problems if problem.outcome == "unreadable"}
    assert {"dangling", "not there"} <= names


NEARLY = [
    ("bare", encoded(ct(4))),
    ("without preamble", part10(4)[128:]),
    ("without mark", part10(4)[132:]),
    ("without transfer syntax", Instance(CT, "1.2.9.1.1.4", "", "", encoded(ct(4)), transfer_syntax="").part10),
]


@pytest.mark.parametrize(("name", "raw"), NEARLY)
def test_a_file_that_is_not_quite_part_10_is_taken_and_survives_a_rebuild(
    archive: Archive, run: Run, tmp_path: Path, name: str, raw: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    assert run(path).counts == {"stored": 1}
    for _ in range(2):
        (found,) = archive.retriever.instances("1.2.9.1")
        assert archive.retriever.dataset(found).read() == encoded(ct(4))
        assert read_meta(archive.retriever.file(found).read()).transfer_syntax == EXPLICIT_LE
        report = rebuild_index(archive.database, archive.packs)
        assert (report.objects, report.findings) == (1, ())


def test_a_large_bare_dataset_is_refused_with_what_to_do(archive: Archive, run: Run, tmp_path: Path) -> None:
    (tmp_path / "bare").write_bytes(encoded(ct(4, pixels=bytes(3 << 20))))
    (problem,) = run(tmp_path / "bare").problems
    assert problem.outcome == "refused"
    assert "Part 10" in problem.why


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_is_one_refused_file_in_bounded_space(archive: Archive, run: Run, tmp_path: Path, kind: str) -> None:
    bomb = small_study(1).part10[:-20] + bytes(200 << 20)
    files = {"bomb.dcm": bomb, "good.dcm": small_study(2).part10}
    path = tmp_path / f"cd.{kind}"
    zipped(path, files) if kind == "zip" else tarred(path, files, "w:gz")
    report = run(path)
    assert report.counts == {"stored": 1, "refused": 1}
    assert sum(file.stat().st_size for file in archive.packs.folder.rglob("*") if file.is_file()) < 1 << 20


def test_a_size_that_lies_in_a_zip_is_refused(archive: Archive, run: Run, tmp_path: Path) -> None:
    raw = small_study(1).part10
    path = zipped(tmp_path / "cd.zip", {"a.dcm": raw}, zipfile.ZIP_STORED)
    lied = path.read_bytes().replace(len(raw).to_bytes(4, "little"), (len(raw) + 5000).to_bytes(4, "little"))
    path.write_bytes(lied)
    report = run(path)
    assert stored(archive) == set()
    assert [problem.outcome for problem in report.problems] in (["unreadable"], ["refused"])


def test_conflicts_and_studies_of_two_patients_are_kept_and_told(archive: Archive, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cd"
    folder.mkdir()
    other = Instance(CT, "1.2.9.1.1.1", "", "", encoded(ct(1, pixels=bytes(32))))
    stranger = Instance(CT, "1.2.9.1.1.5", "", "", encoded(ct(5, patient="P9")))
    for name, raw in (("1", part10(1)), ("2", other.part10), ("3", stranger.part10)):
        (folder / name).write_bytes(raw)
    report = run(folder)
    assert report.counts == {"stored": 1, "conflict": 1, "held": 1}
    assert {problem.outcome for problem in report.problems} == {"conflict", "held"}
    assert not report.complete


def test_again_only_what_is_new_or_changed_is_read(archive: Archive, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cd"
    paths = write_all(small_studies(4), folder)
    zipped(folder / "more.zip", {"a": small_study(10).part10, "b": small_study(11).part10})
    assert run(folder).counts == {"stored": 6}
    assert run(folder).counts == {"done before": 6}
    small_study(20).write(folder / "new.dcm")
    os.utime(paths[0], ns=(1, 1))
    assert run(folder).counts == {"done before": 5, "stored": 1, "duplicate": 1}
    assert run(folder, afresh=True).counts == {"duplicate": 7}


def test_cut_off_by_a_full_store_it_goes_on_where_it_stopped(
    archive: Archive, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cd"
    objects = list(small_studies(400))
    write_all(objects, folder)
    append = Committer._write_packs
    calls = [0]

    def full_after_some(committer: Committer, items: list[Any]) -> None:
        calls[0] += 1
        if calls[0] > 3:
            raise errors.StorageFull("the pack storage cannot take more: No space left on device")
        append(committer, items)

    monkeypatch.setattr(Committer, "_write_packs", full_after_some)
    with pytest.raises(errors.StorageFull):
        run(folder)
    monkeypatch.undo()
    assert 0 < len(stored(archive)) < 400
    report = run(folder)
    assert stored(archive) == uids(objects)
    assert set(report.counts) <= {"stored", "done before", "duplicate"}  # some became durable and were not waited for
    assert report.counts.total() == 400
    assert report.counts["done before"] > 0
    assert report.complete


def test_a_torn_last_line_of_the_journal_costs_that_line_only(archive: Archive, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cd"
    write_all(small_studies(3), folder)
    run(folder)
    (journal,) = (tmp_path / "imports").iterdir()
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:2]) + lines[2][:15])
    assert run(folder).counts == {"done before": 2, "duplicate": 1}
    assert run(folder).counts == {"done before": 3}


def test_no_name_or_reason_in_a_report_breaks_a_line_or_json(archive: Archive, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cd"
    folder.mkdir()
    (folder / "new\nline \udcff.dcm").write_bytes(small_study(1).part10[:-100])
    report = run(folder)
    assert report.counts == {"refused": 1}
    json.dumps([problem.name for problem in report.problems])
