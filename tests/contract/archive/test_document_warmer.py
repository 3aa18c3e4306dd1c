"""Documents are made before anybody asks, once a series has stopped growing."""

from __future__ import annotations

import time
from pathlib import Path

from fileroom.archive.document_warmer import DocumentWarmer, Patience
from fileroom.archive.documents import Documents
from tests.support.archives import Archive, ct, running_archive

BASE = "http://127.0.0.1:8080/dicomweb"
SOON = Patience(poll_seconds=0.02, quiet_seconds=0.1, busy_seconds=5.0, instances_min=3)


def _documents(archive: Archive, home: Path) -> Documents:
    return Documents(archive.database, archive.retriever, home / "cache", lambda base, stored: base)


def _kept(home: Path) -> int:
    return len(list((home / "cache").iterdir()))


def _wait_for(home: Path, files: int) -> None:
    deadline = time.monotonic() + 10
    while _kept(home) < files:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_series_that_stopped_growing_gets_its_documents(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        archive.store(ct(1, series=9))  # here before: left alone
        documents = _documents(archive, tmp_path)
        warmer = DocumentWarmer(archive.database, documents, lambda: BASE, SOON)
        warmer.start()
        time.sleep(0.1)
        for number in range(1, 5):
            archive.store(ct(number))
        archive.store(ct(1, series=2))  # too small to be worth it
        _wait_for(tmp_path, 2)
        warmer.stop()
        assert _kept(tmp_path) == 2
        names = {file.name for file in (tmp_path / "cache").iterdir()}
        document = documents.series("1.2.9.1", "1.2.9.1.1", BASE)
        assert document is not None
        assert {file.name for file in (tmp_path / "cache").iterdir()} == names


def test_a_series_that_is_growing_is_left_alone(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        documents = _documents(archive, tmp_path)
        patience = Patience(poll_seconds=0.02, quiet_seconds=0.5, busy_seconds=5.0, instances_min=3)
        warmer = DocumentWarmer(archive.database, documents, lambda: BASE, patience)
        warmer.start()
        for number in range(1, 12):
            archive.store(ct(number))
            time.sleep(0.05)
        assert _kept(tmp_path) == 0
        _wait_for(tmp_path, 2)
        warmer.stop()
