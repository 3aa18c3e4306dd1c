"""Every object of every pack, read again in the order of arrival, in batches: what a rebuild feeds the index with.

Reading (hashing, scanning headers) and indexing each keep a processor busy, so a large archive is read by a process
beside the one that indexes.
"""

from __future__ import annotations

import heapq
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from fileroom import errors
from fileroom.archive.arrival import Arrival
from fileroom.archive.members import Finding, PackReader
from fileroom.archive.packs import Packs
from fileroom.archive.tar import Member

_BATCH = 1000
_BESIDE_BYTES_MIN = 16 << 20  # less is read sooner than a process starts


@dataclass(slots=True)
class Replayed:
    """Some objects in order, and what was found on the way."""

    arrivals: list[Arrival] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    size_bytes: int = 0  # of the packs' bytes read
    ends: dict[int, int] = field(default_factory=dict)  # pack id to where its last whole object ends


def replay(packs: Packs, ids: list[int]) -> Iterator[Replayed]:
    """All objects of these packs by sequence, across packs. Raises DatabaseUnavailable when the reader is killed."""
    total = sum(packs.path(pack_id).stat().st_size for pack_id in ids)
    return _beside(packs.folder, ids) if total >= _BESIDE_BYTES_MIN else _Replay(packs, ids).batches()


def _beside(folder: Path, ids: list[int]) -> Iterator[Replayed]:
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(folder, ids, sending), daemon=True)
    process.start()
    sending.close()
    try:
        while (batch := receiving.recv()) is not None:
            yield batch
    except EOFError:
        raise errors.FileroomError("the process that reads the packs was ended", hint="run the command again") from None
    finally:
        receiving.close()
        process.terminate()
        process.join()


def _send(folder: Path, ids: list[int], sending: Connection) -> None:
    for batch in _Replay(Packs(folder), ids).batches():
        sending.send(batch)
    sending.send(None)


class _Replay:
    def __init__(self, packs: Packs, ids: list[int]) -> None:
        self._packs = packs
        self._ids = ids
        self._batch = Replayed()
        self._rotten: set[tuple[str, str]] = set()  # SOP Instance UID and digest of objects whose bytes differ

    def batches(self) -> Iterator[Replayed]:
        for reader, member in self._in_order():
            self._batch.size_bytes += member.end - member.start
            self._read(reader, member)
            if len(self._batch.arrivals) >= _BATCH:
                batch, self._batch = self._batch, Replayed()
                yield batch
        yield self._batch

    def _in_order(self) -> Iterator[tuple[PackReader, Member]]:
        """Every member of every pack by sequence. A pack is opened only when its turn comes."""
        waiting = sorted((first, pack_id) for pack_id in self._ids if (first := self._first(pack_id)) is not None)
        waiting.reverse()
        heads: list[tuple[int, int, Member, _Open]] = []  # by sequence, then by pack
        with ExitStack() as stack:
            while waiting or heads:
                while waiting and (not heads or waiting[-1][0] <= heads[0][0]):
                    opened = _Open(PackReader(self._packs.path(waiting[-1][1]), waiting.pop()[1]), self._batch_found)
                    stack.callback(opened.close)
                    self._push(heads, opened)
                _, _, member, opened = heapq.heappop(heads)
                yield opened.reader, member
                self._push(heads, opened)

    def _batch_found(self, finding: Finding) -> None:
        self._batch.findings.append(finding)

    def _push(self, heads: list[tuple[int, int, Member, _Open]], opened: _Open) -> None:
        member = next(opened.members, None)
        if member is None:
            opened.close()
            return
        self._batch.ends[opened.reader.pack_id] = member.end
        heapq.heappush(heads, (member.label.sequence, opened.reader.pack_id, member, opened))

    def _first(self, pack_id: int) -> int | None:
        """The sequence of a pack's first object. Of a pack without one, what is wrong with it is found here."""
        found: list[Finding] = []
        with PackReader(self._packs.path(pack_id), pack_id) as reader:
            member = next(reader.members(0, reader.size_bytes, found.append), None)
        if member is None:
            self._batch.findings += found
        return None if member is None else member.label.sequence

    def _read(self, reader: PackReader, member: Member) -> None:
        label = member.label
        uids = (label.study_uid, label.series_uid, label.sop_uid)
        try:
            arrival, wrong = reader.arrival(member)
        except errors.RefusedObject as error:
            kind = "rot" if reader.check(member) else "unreadable"
            self._batch_found(Finding(kind, reader.pack_id, member.offset, str(error), *uids))
            return
        if wrong:
            whose = (arrival.study_uid, arrival.series_uid, arrival.sop_uid, arrival.patient_digest)
            known = whose == (*uids, label.patient)
            detail = wrong if known else f"{wrong}; it no longer says whose it is and is left out of the index"
            self._batch_found(Finding("rot", reader.pack_id, member.offset, detail, *uids))
            self._rotten.add((label.sop_uid, label.digest))
            if not known:
                return
        else:
            arrival.repairs = (arrival.sop_uid, arrival.digest) in self._rotten
        self._batch.arrivals.append(arrival)


class _Open:
    """A pack being read, and where the reading is."""

    def __init__(self, reader: PackReader, report: Callable[[Finding], None]) -> None:
        self.reader = reader
        self.members = reader.members(0, reader.size_bytes, report)
        self._closed = False

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.reader.__exit__()
