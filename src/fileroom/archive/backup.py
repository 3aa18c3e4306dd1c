"""A plain, consistent copy of an archive in another folder, made while objects arrive. The copy is a home itself.

The database is copied first, in one snapshot; then every pack up to what that snapshot promises. Packs only grow, so
these bytes no longer change. The database in the folder is replaced last: cut short, an earlier copy stays whole.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fileroom import errors, migrations
from fileroom.archive.packs import Packs, storage_error
from fileroom.database import METADATA, Database

MARK = "backup.json"  # in the folder of every copy
DATABASE_FILE = "fileroom.sqlite"

_PIECE_BYTES = 8 << 20
_ROWS = 2000

Progress = Callable[[int, int], None]  # bytes dealt with, bytes in all


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What the copy holds."""

    packs_copied: int
    packs_kept: int  # closed, and in the folder already from an earlier copy
    size_bytes: int  # of all its packs
    objects: int  # in its index
    lost: tuple[int, ...]  # packs that are gone or shorter than promised: an alarm, the rest was copied


@dataclass(frozen=True, slots=True)
class _Promise:
    """One pack as the snapshot knows it."""

    pack_id: int
    size_bytes: int
    closed: bool


def backup(
    database: Database,
    packs: Packs,
    target: Path,
    progress: Progress = lambda done, total: None,
    folders: Sequence[Path] = (),
) -> BackupReport:
    """Copy the archive to `target`: a new or empty folder, or one of an earlier copy, which is brought up to date.

    Returns after the copy survives power loss. On PostgreSQL the rows go to an SQLite file, so that the copy can be
    opened by itself. `folders`: others of the home that belong to it, copied before the database, so that nothing in
    them is ahead of it; what is not there is left out. Raises BadRequest when the folder holds something else, or a
    copy that took in objects of its own since; StorageFull, DatabaseUnavailable.
    """
    _check_target(target)
    try:
        (target / "packs").mkdir(mode=0o750, parents=True, exist_ok=True)
        snapshot = target / f"{DATABASE_FILE}.part"
        for leftover in target.glob(f"{snapshot.name}*"):
            leftover.unlink()
        for folder in folders:
            _copy_folder(folder, target / folder.name)
        _copy_database(database, snapshot)
        promises, objects, removed = _promised(snapshot)
        copies = Packs(target / "packs")
        _check_unused(copies, promises, removed, snapshot)
        report = _copy_packs(packs, copies, promises, objects, progress)
        _sync(snapshot)
        os.replace(snapshot, target / DATABASE_FILE)
        for pack_id in removed & set(copies.ids()):
            copies.path(pack_id).unlink()
        _write_mark(target, report)
    except OSError as error:
        raise storage_error(error) from error
    return report


def _check_target(target: Path) -> None:
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).exists():
        raise errors.BadRequest(
            f"{target} is not empty and holds no earlier backup", hint="name a new folder, or one of an earlier backup"
        )
    if target.exists() and not target.is_dir():
        raise errors.BadRequest(f"{target} is not a folder", hint="name a new folder")


def _check_unused(copies: Packs, promises: list[_Promise], removed: set[int], snapshot: Path) -> None:
    """A copy that was served and took objects in is an archive of its own: its database must not be replaced."""
    if set(copies.ids()) - {promise.pack_id for promise in promises} - removed:
        snapshot.unlink()
        raise errors.BadRequest(
            f"{copies.folder.parent} holds packs that are not of this archive: it was used as one since",
            hint="name a new folder",
        )


def _copy_database(database: Database, path: Path) -> None:
    path.touch(mode=0o640)
    if database.is_sqlite:
        try:
            with closing(sqlite3.connect(str(database.url.database))) as source, closing(_open(path)) as copy:
                source.backup(copy)
        except sqlite3.Error as error:
            raise errors.DatabaseUnavailable("the database cannot be copied", hint="fileroom doctor") from error
        return
    copied = Database(f"sqlite:///{path}")
    try:
        migrations.upgrade(copied)
        _copy_rows(database, copied)
    finally:
        copied.close()


def _open(path: Path) -> sqlite3.Connection:
    """The copy, as one file: no log beside it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=DELETE")
    return connection


def _copy_rows(database: Database, copied: Database) -> None:
    with database.read() as source, copied.write() as target:
        source = source.execution_options(isolation_level="REPEATABLE READ", stream_results=True)
        for table in METADATA.sorted_tables:
            for rows in source.execute(sa.select(table)).mappings().partitions(_ROWS):
                target.execute(sa.insert(table), [dict(row) for row in rows])


def _promised(snapshot: Path) -> tuple[list[_Promise], int, set[int]]:
    """What the snapshot promises: packs, the number of objects; and the packs that were taken out of the archive."""
    with closing(_open(snapshot)) as copy:
        rows = copy.execute("SELECT id, size_bytes, closed FROM pack ORDER BY id").fetchall()
        [objects] = copy.execute("SELECT count(*) FROM instance").fetchone()
        removed = {pack_id for (pack_id,) in copy.execute("SELECT id FROM removed_pack")}
    return [_Promise(pack_id, size_bytes, bool(closed)) for pack_id, size_bytes, closed in rows], objects, removed


def _copy_packs(
    packs: Packs, copies: Packs, promises: list[_Promise], objects: int, progress: Progress
) -> BackupReport:
    total, done, copied, kept = sum(promise.size_bytes for promise in promises), 0, 0, 0
    lost: list[int] = []
    for promise in promises:
        source, copy = packs.path(promise.pack_id), copies.path(promise.pack_id)
        size = _size(source)
        if size < promise.size_bytes:
            lost.append(promise.pack_id)
        wanted = size if promise.closed else min(size, promise.size_bytes)
        if promise.closed and wanted and _size(copy) == wanted:
            kept += 1
        elif wanted:
            _copy_file(source, copy, wanted)
            copied += 1
        done += promise.size_bytes
        progress(done, total)
    for aside in packs.aside.iterdir():
        if _size(copies.aside / aside.name) != _size(aside):
            _copy_file(aside, copies.aside / aside.name, _size(aside))
    return BackupReport(copied, kept, done, objects, tuple(lost))


def _copy_file(source: Path, target: Path, size: int) -> None:
    """The first `size` bytes, under the lasting name only once they are all there and durable."""
    part = target.with_name(f"{target.name}.copy")
    with source.open("rb") as reading, part.open("wb") as writing:
        left = size
        while left:
            piece = reading.read(min(_PIECE_BYTES, left))
            if not piece:
                break
            writing.write(piece)
            left -= len(piece)
        writing.flush()
        os.fsync(writing.fileno())
    os.replace(part, target)


def _copy_folder(source: Path, target: Path) -> None:
    """Every file that is not there yet, or is another; each as private as it was."""
    for file in sorted(source.rglob("*")) if source.is_dir() else ():
        copy = target / file.relative_to(source)
        if (
            file.is_dir()
            or file.suffix in (".part", ".lock")
            or (copy.is_file() and copy.read_bytes() == file.read_bytes())
        ):
            continue
        copy.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        part = copy.with_name(f"{copy.name}.copy")
        part.unlink(missing_ok=True)
        part.touch(mode=file.stat().st_mode & 0o777)
        part.write_bytes(file.read_bytes())
        _sync(part)
        os.replace(part, copy)
        _sync(copy.parent)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _write_mark(target: Path, report: BackupReport) -> None:
    made = {
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "objects": report.objects,
        "size_bytes": report.size_bytes,
    }
    part = target / f"{MARK}.part"
    part.write_text(json.dumps(made) + "\n")
    _sync(part)
    os.replace(part, target / MARK)
    for folder in (target / "packs" / "aside", target / "packs", target, target.parent):
        _sync(folder)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
