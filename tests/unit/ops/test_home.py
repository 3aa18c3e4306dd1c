"""Who on this machine may read a home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fileroom.archive.importing import Journal
from fileroom.ops import options
from fileroom.settings import Settings


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_no_file_of_a_home_is_open_to_everybody_even_where_the_folder_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with options.open_database(replace(Settings(), home=tmp_path), make=True) as database:
        with database.write() as connection:
            connection.exec_driver_sql("CREATE TABLE t (a INTEGER)")
        Journal(tmp_path / "imports", [tmp_path])._file.close()
        found = {path: path.stat().st_mode & 0o007 for path in tmp_path.rglob("*")}
    assert any(path.name == "fileroom.sqlite-wal" for path in found)
    assert any(path.suffix == ".journal" for path in found)
    assert not any(found.values()), found
