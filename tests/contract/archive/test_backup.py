"""A backup is a whole archive of one moment, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom.archive.backup import backup
from fileroom.archive.hide import hidden_studies, hide
from fileroom.archive.packs import Packs
from fileroom.archive.peers import Peer, Peers, check_may
from fileroom.archive.receive import ReceiveLimits
from fileroom.archive.scrub import scrub
from fileroom.errors import BadRequest
from tests.support.archives import Archive, running_archive
from tests.support.corpus import small_studies
from tests.support.corpus.instance import Instance


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path / "home", database_url, ReceiveLimits(pack_bytes_max=20_000)) as running:
        yield running


def store(archive: Archive, instances: Iterator[Instance]) -> None:
    for instance in instances:
        archive.store_file(instance.part10)


def objects(archive: Archive) -> dict[str, bytes]:
    """Every object of the studies here, by UID."""
    studies = {instance.study_uid for instance in small_studies(60)}
    return {
        stored.sop_uid: archive.retriever.dataset(stored).read()
        for study in studies
        for stored in archive.retriever.instances(study)
    }


def opened(folder: Path) -> Path:
    """The database of the copy as a URL's path."""
    return folder / "fileroom.sqlite"


def test_the_copy_opens_as_an_archive_with_the_same_objects_and_records(archive: Archive, tmp_path: Path) -> None:
    store(archive, small_studies(30))
    hidden = next(small_studies(1)).study_uid
    hide(archive.database, hidden, "a test", "tester")
    peer = Peer("CT_1", "127.0.0.1", 104, "main", check_may(["store"]))
    Peers(archive.database).add(peer)
    report = backup(archive.database, archive.packs, tmp_path / "copy")
    assert (report.objects, report.lost) == (30, ())
    with running_archive(tmp_path / "copy", f"sqlite:///{opened(tmp_path / 'copy')}") as copy:
        assert objects(copy) == objects(archive)
        assert len(objects(copy)) == 29
        assert [study.study_uid for study in hidden_studies(copy.database)] == [hidden]
        assert Peers(copy.database).all() == [peer]
        assert scrub(copy.database, copy.packs).findings == ()


def test_again_only_what_is_new_is_copied(archive: Archive, tmp_path: Path) -> None:
    store(archive, small_studies(30))
    first = backup(archive.database, archive.packs, tmp_path / "copy")
    store(archive, small_studies(10, first=30))
    second = backup(archive.database, archive.packs, tmp_path / "copy")
    assert first.packs_kept == 0
    assert second.packs_kept > 0
    assert second.packs_copied < first.packs_copied + second.packs_kept
    assert second.objects == 40


def test_what_arrives_meanwhile_is_whole_or_not_in_it(archive: Archive, tmp_path: Path) -> None:
    store(archive, small_studies(10))
    sender = threading.Thread(target=store, args=(archive, small_studies(40, first=10)))
    sender.start()
    copies = [backup(archive.database, archive.packs, tmp_path / f"copy-{number}") for number in range(4)]
    sender.join()
    for number, report in enumerate(copies):
        folder = tmp_path / f"copy-{number}"
        with running_archive(folder, f"sqlite:///{opened(folder)}") as copy:
            found = scrub(copy.database, copy.packs)
            assert found.findings == ()
            assert found.objects >= report.objects >= 10


def test_a_pack_that_is_gone_is_an_alarm_and_the_rest_is_copied(archive: Archive, tmp_path: Path) -> None:
    store(archive, small_studies(30))
    gone = archive.packs.ids()[0]
    archive.packs.path(gone).unlink()
    report = backup(archive.database, archive.packs, tmp_path / "copy")
    assert report.lost == (gone,)
    assert Packs(tmp_path / "copy" / "packs").ids() == archive.packs.ids()


def test_a_folder_with_something_else_in_it_is_not_touched(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("dear")
    with pytest.raises(BadRequest, match="not empty"):
        backup(archive.database, archive.packs, tmp_path / "letters")
    with pytest.raises(BadRequest, match="not a folder"):
        backup(archive.database, archive.packs, tmp_path / "letters" / "letter.txt")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["letter.txt"]


def test_folders_of_the_home_go_along_as_private_as_they_were(archive: Archive, tmp_path: Path) -> None:
    key = tmp_path / "home" / "ledger" / "signing-key"
    key.parent.mkdir()
    key.touch(mode=0o600)
    key.write_text("synthetic")
    for text in ("synthetic", "another"):
        key.write_text(text)
        backup(archive.database, archive.packs, tmp_path / "copy", folders=[key.parent, tmp_path / "home" / "none"])
        copied = tmp_path / "copy" / "ledger" / "signing-key"
        assert copied.read_text() == text
        assert copied.stat().st_mode & 0o777 == 0o600
