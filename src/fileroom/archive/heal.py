"""At the start: what a crash left behind is put right before anything is served.

Whole objects behind the last acknowledged offset are taken into the index (they arrived, only the answer did not);
torn bytes behind them are kept in `packs/aside` and cut off. Damage before that offset is an alarm, never a cut.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema, tar
from fileroom.archive.arrival import Arrival
from fileroom.archive.index import Index
from fileroom.archive.members import Finding, PackReader
from fileroom.archive.packs import Packs, storage_error, sync_folder
from fileroom.archive.removal import finish_removals
from fileroom.archive.tar import Member
from fileroom.database import Database, Ids

_log = logging.getLogger("fileroom.archive")
_BATCH = 500


@dataclass(frozen=True, slots=True)
class HealReport:
    """What was found and done."""

    objects_indexed: int  # whole, durable, not yet in the index
    packs_closed: int
    findings: tuple[Finding, ...]  # alarms, and bytes set aside


def heal(database: Database, packs: Packs) -> HealReport:
    """Bring packs and index into agreement; packs that a living process writes are left alone.

    Raises DatabaseUnavailable.
    """
    with database.read() as connection:
        known = {row.id: row for row in connection.execute(sa.select(schema.pack))}
    removed = finish_removals(database, packs)
    work = _Healing(database, packs)
    for part in sorted(packs.folder.glob("*.part")):
        work.put_aside_unfinished(part)
    for pack_id in packs.ids():
        if pack_id in removed:
            continue
        row = known.pop(pack_id, None)
        size = packs.path(pack_id).stat().st_size
        if row is None or not row.closed:
            try:
                work.close(pack_id, 0 if row is None else row.size_bytes)
            except errors.StorageFull as error:  # what is stored can be had all the same
                work.report(Finding("open", pack_id, 0, f"{error}; the next start tries again"))
        elif size < row.size_bytes:
            work.report(Finding("short", pack_id, size, f"{row.size_bytes} bytes were acknowledged"))
    for pack_id, row in known.items():
        if row.size_bytes:
            work.report(Finding("gone", pack_id, 0, f"{row.size_bytes} bytes were acknowledged"))
    return HealReport(work.objects_indexed, work.packs_closed, tuple(work.findings))


class _Healing:
    def __init__(self, database: Database, packs: Packs) -> None:
        self._database = database
        self._packs = packs
        self._index = Index(Ids())
        self.objects_indexed = 0
        self.packs_closed = 0
        self.findings: list[Finding] = []

    def report(self, finding: Finding) -> None:
        _log.error(
            "heal kind=%s pack=%016x offset=%d %s", finding.kind, finding.pack_id, finding.offset, finding.detail
        )
        self.findings.append(finding)

    def put_aside_unfinished(self, part: Path) -> None:
        """A large object whose arrival was cut off: nothing of it was acknowledged."""
        with _locked(part) as fd:
            if fd is not None:
                target = self._packs.aside / f"{part.stem}-{int(time.time())}.part"
                part.rename(target)
                self.report(Finding("aside", int(part.stem, 16), 0, f"an unfinished object, kept as {target.name}"))

    def close(self, pack_id: int, acknowledged: int) -> None:
        """Finish an open pack whose writer is gone."""
        path = self._packs.path(pack_id)
        with _locked(path) as fd:
            if fd is None:
                return
            size = os.fstat(fd).st_size
            if size < acknowledged:
                self.report(Finding("short", pack_id, size, f"{acknowledged} bytes were acknowledged"))
                return
            _settle(fd, acknowledged)
            end, torn = self._take_in(path, pack_id, acknowledged)
            if torn and _finished(fd, pack_id, size, [end, *(f.offset for f in torn if f.kind == "damaged")]):
                for finding in torn:  # its writer had ended it: not a torn tail, but damage, which stays where it is
                    self.report(finding)
                self._record_closed(pack_id, size - len(tar.END))
                self.packs_closed += 1
                return
            if end < size and _holds_bytes(fd, end, size):
                self._put_tail_aside(fd, pack_id, end, size)
            try:
                os.ftruncate(fd, end)
                os.pwrite(fd, tar.END, end)
                os.fsync(fd)
            except OSError as error:
                raise storage_error(error) from error
        self._record_closed(pack_id, end)
        self.packs_closed += 1

    def _take_in(self, path: Path, pack_id: int, start: int) -> tuple[int, list[Finding]]:
        """Index the whole members from `start`; where the last of them ends, and what lies behind it.

        What is not whole is a torn tail when nothing whole follows; else it is damage: reported and left in place.
        """
        end = start
        torn: list[Finding] = []
        batch: list[Member] = []
        with PackReader(path, pack_id) as reader:
            for member in reader.members(start, reader.size_bytes, torn.append):
                wrong = reader.check(member)
                if wrong:
                    torn.append(Finding("rot", pack_id, member.offset, wrong, sop_uid=member.label.sop_uid))
                    continue
                for finding in torn:
                    self.report(finding)
                torn.clear()
                batch.append(member)
                end = member.end
                if len(batch) >= _BATCH:
                    self._record(reader, batch)
            self._record(reader, batch)
        return end, torn

    def _record(self, reader: PackReader, batch: list[Member]) -> None:
        arrivals = []
        for member in batch:
            try:
                arrivals.append(reader.arrival(member)[0])
            except errors.RefusedObject as error:
                self.report(
                    Finding("unreadable", reader.pack_id, member.offset, str(error), sop_uid=member.label.sop_uid)
                )
        batch.clear()
        try:
            self._index_all(arrivals)
        except sa.exc.SQLAlchemyError:  # one of them cannot be held: it alone is left out
            self._index.forget()
            for arrival in arrivals:
                self._index_one(arrival)

    def _index_one(self, arrival: Arrival) -> None:
        try:
            self._index_all([arrival])
        except sa.exc.SQLAlchemyError as error:
            self._index.forget()
            why = f"the index cannot hold it: {type(error).__name__}"
            self.report(Finding("unindexed", arrival.pack_id, arrival.offset, why, sop_uid=arrival.sop_uid))

    def _index_all(self, arrivals: list[Arrival]) -> None:
        with self._database.write() as connection:
            self._index.record(connection, arrivals)
        self.objects_indexed += len(arrivals)

    def _put_tail_aside(self, fd: int, pack_id: int, end: int, size: int) -> None:
        target = self._packs.aside / f"{pack_id:016x}-{end}.tail"
        try:
            with target.open("wb") as kept:
                at = end
                while at < size:
                    at += kept.write(os.pread(fd, min(1 << 20, size - at), at))
                kept.flush()
                os.fsync(kept.fileno())
            sync_folder(self._packs.aside)
        except OSError as error:
            raise storage_error(error) from error
        self.report(Finding("aside", pack_id, end, f"{size - end} bytes, kept as {target.name}"))

    def _record_closed(self, pack_id: int, size_bytes: int) -> None:
        table = schema.pack
        with self._database.write() as connection:
            changed = connection.execute(
                sa.update(table).where(table.c.id == pack_id).values(size_bytes=size_bytes, closed=True)
            )
            if changed.rowcount == 0:
                row = {"id": pack_id, "size_bytes": size_bytes, "closed": True, "created_ms": int(time.time() * 1000)}
                connection.execute(sa.insert(table), [row])


def _finished(fd: int, pack_id: int, size: int, starts: list[int]) -> bool:
    """Whether the pack ends with the mark its writer puts last, `starts` being where members begin that are not whole.

    A tail torn in black pixels ends in zeros as well, but there a member states that it reaches into them.
    """
    mark = size - len(tar.END)
    if mark < 0 or os.pread(fd, len(tar.END), mark) != tar.END:
        return False
    return not any(tar.reaches_past(fd, pack_id, start, mark) for start in starts)


def _holds_bytes(fd: int, start: int, end: int) -> bool:
    """Whether anything but zeros lies there."""
    return any(os.pread(fd, min(1 << 20, end - at), at).strip(b"\0") for at in range(start, end, 1 << 20))


def _settle(fd: int, start: int) -> None:
    """Return once what can be read from `start` on is what the disk holds: the index must not believe in less.

    The system may keep bytes in memory whose sync failed, and call them written: they are read from the disk again.
    """
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, start - start % mmap.PAGESIZE, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        raise storage_error(error) from error


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """The open file under an exclusive lock; None when a living process holds it or the file is gone."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise storage_error(error) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield fd
    finally:
        os.close(fd)
