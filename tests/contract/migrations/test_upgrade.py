"""The tables that the revisions make are those the rooms declare, on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import fileroom.accountability.map_schema
import fileroom.archive.schema
import fileroom.audit.schema
import fileroom.evidence.schema
import fileroom.routing.schema  # noqa: F401 - all declare their tables
from fileroom import errors, migrations
from fileroom.database import METADATA, Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def test_the_revisions_make_exactly_the_tables_that_the_rooms_declare(database: Database) -> None:
    migrations.upgrade(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []


def test_the_revisions_name_collations_and_constraints_as_the_rooms_do(database: Database) -> None:
    migrations.upgrade(database)
    migrated = _shape(database)
    with database.write() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    assert migrated == _shape(database)


def test_head_is_the_newest_revision_and_there_is_one_line_of_them() -> None:
    scripts = ScriptDirectory(str(migrations.FOLDER))
    assert scripts.get_heads() == [migrations.HEAD]


def test_an_upgraded_database_needs_no_upgrade(database: Database) -> None:
    assert migrations.revision(database) is None
    assert migrations.upgrade(database)
    assert not migrations.upgrade(database)
    assert migrations.revision(database) == migrations.HEAD


def test_a_database_of_a_newer_fileroom_is_refused(database: Database) -> None:
    migrations.upgrade(database)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(errors.BadSetting, match="newer Fileroom"):
        migrations.upgrade(database)


def test_processes_that_start_at_once_take_turns(database_url: str) -> None:
    code = (
        "import sys; from fileroom import migrations; from fileroom.database import Database; "
        "print(migrations.upgrade(Database(sys.argv[1])))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, database_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
    assert sorted(out.decode().strip() for out, _ in said) == ["False", "False", "False", "True"]


def test_connections_that_open_a_new_file_at_once_all_get_in(tmp_path: Path) -> None:
    for round_ in range(20):
        together = threading.Barrier(4)

        def look(path: Path = tmp_path / f"{round_}.sqlite", together: threading.Barrier = together) -> str | None:
            database = Database(f"sqlite:///{path}")
            together.wait(10)
            try:
                return migrations.revision(database)
            finally:
                database.close()

        with ThreadPoolExecutor(4) as pool:
            assert [seen.result() for seen in [pool.submit(look) for _ in range(4)]] == [None] * 4


def _shape(database: Database) -> dict[str, object]:
    """Columns with their types and collations, keys, constraints and indexes, as the database tells them."""
    with database.read() as connection:
        inspector = sa.inspect(connection)
        return {
            table: (
                [(c["name"], repr(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(table)],
                inspector.get_pk_constraint(table),
                sorted(inspector.get_foreign_keys(table), key=str),
                sorted(inspector.get_unique_constraints(table), key=str),
                sorted(inspector.get_indexes(table), key=str),
            )
            for table in METADATA.tables
        } | {"triggers": connection.execute(sa.text(_TRIGGERS[connection.dialect.name])).all()}


_TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT t.tgname, pg_get_triggerdef(t.oid), p.prosrc FROM pg_trigger t JOIN pg_proc p ON "
    "p.oid = t.tgfoid WHERE NOT t.tgisinternal ORDER BY t.tgname",
}
