"""A database and a folder of packs that are not of the same archive are never brought together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import errors, migrations
from fileroom.archive import schema
from fileroom.archive.binding import bind
from fileroom.archive.packs import Packs
from fileroom.database import METADATA, Database
from tests.support.archives import ct, running_archive


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    migrations.upgrade(opened)
    yield opened
    opened.close()


def test_a_database_and_its_packs_stay_bound(tmp_path: Path, database: Database) -> None:
    identity = bind(database, Packs(tmp_path / "packs"))
    assert bind(database, Packs(tmp_path / "packs")) == identity
    assert (tmp_path / "packs" / "ARCHIVE-ID").read_text().strip() == identity


def test_another_archives_packs_are_refused(tmp_path: Path, database: Database) -> None:
    bind(database, Packs(tmp_path / "mine"))
    other = Packs(tmp_path / "other")
    (other.folder / "ARCHIVE-ID").write_text("f00d\n")
    with pytest.raises(errors.BadSetting, match="two archives"):
        bind(database, other)


def test_an_empty_home_is_refused_by_a_database_that_promised_packs(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    bind(database, Packs(tmp_path / "packs"))
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(1))
    with pytest.raises(errors.BadSetting, match="none of the packs"):
        bind(database, Packs(tmp_path / "empty"))


def test_packs_moved_without_their_identity_are_known_again(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    identity = bind(database, Packs(tmp_path / "packs"))
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(1))
    shutil.copytree(tmp_path / "packs", tmp_path / "moved", ignore=shutil.ignore_patterns("ARCHIVE-ID"))
    assert bind(database, Packs(tmp_path / "moved")) == identity
    assert (tmp_path / "moved" / "ARCHIVE-ID").exists()


def test_a_lost_database_takes_on_the_packs_identity(tmp_path: Path, database: Database) -> None:
    identity = bind(database, Packs(tmp_path / "packs"))
    with database.write() as connection:
        for name in (*schema.SHADOWS, "archive"):
            connection.execute(sa.delete(METADATA.tables[name]))
    assert bind(database, Packs(tmp_path / "packs")) == identity
