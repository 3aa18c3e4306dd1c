"""From a member of a pack back to an arrival: what heal, scrub and rebuild-index share.

The recorded digest is what counts: a member whose bytes no longer agree with it is reported, never given a new one.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fileroom import errors
from fileroom.archive import tar
from fileroom.archive.arrival import Arrival, Source
from fileroom.archive.describe import describe
from fileroom.archive.tar import Member
from fileroom.dicom import part10

_READ_BYTES_MAX = 4 << 20  # larger members are read in pieces and mapped
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. Holds no patient data."""

    kind: str  # see FINDINGS
    pack_id: int
    offset: int
    detail: str
    study_uid: str = ""
    series_uid: str = ""
    sop_uid: str = ""


FINDINGS = {
    "rot": "an object's bytes differ from the digest recorded when it arrived",
    "damaged": "a stretch of a pack is not readable as a member",
    "unreadable": "an object's bytes are as recorded, but no longer readable as DICOM",
    "missing": "the index knows an object that its pack does not hold",
    "unindexed": "a pack holds an object that the index does not know",
    "short": "a pack is shorter than what was acknowledged",
    "gone": "a pack that the index knows is not there",
    "stray": "a pack is there that the index does not know",
    "open": "an interrupted pack could not be finished",
    "aside": "bytes behind the last acknowledged object were set aside after a crash",
}


class PackReader:
    """One pack opened for checking. Use as a context manager."""

    def __init__(self, path: Path, pack_id: int) -> None:
        self.pack_id = pack_id
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size_bytes = os.fstat(self._fd).st_size

    def __enter__(self) -> PackReader:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def members(self, start: int, end: int, report: Callable[[Finding], None]) -> Iterator[Member]:
        """Every readable member between two offsets, going on behind damage, which is reported."""
        at = start
        while True:
            try:
                for member in tar.walk(self._fd, self.pack_id, at, end):
                    at = member.end
                    yield member
                if end - at <= len(tar.END):
                    return
                why = "zeros where a member or the end should be"
            except errors.DamagedPack as error:
                whole = self._salvaged(at, end)
                if whole is not None:
                    uids = (whole.label.study_uid, whole.label.series_uid, whole.label.sop_uid)
                    report(Finding("damaged", self.pack_id, at, "its header only: the object itself is whole", *uids))
                    at = whole.end
                    yield whole
                    continue
                why = f"{error}; {self._guess(at, end)}"
            report(Finding("damaged", self.pack_id, at, why))
            behind = tar.resync(self._fd, self.pack_id, at, end)
            if behind is None:
                return
            at = behind

    def _salvaged(self, at: int, end: int) -> Member | None:
        """The member behind a damaged header, when its bytes agree with the digest that the header still holds."""
        member = tar.salvage(self._fd, self.pack_id, at, end)
        return member if member is not None and not self.check(member) else None

    def _guess(self, at: int, end: int) -> str:
        """Which object a damaged header belonged to, as far as the file behind it can say."""
        for offset in range(at, min(end, at + 16 * tar.BLOCK), tar.BLOCK):
            head = tar.read_at(self._fd, 1 << 16, offset)
            if head[128:132] == b"DICM":
                try:
                    return f"it holds SOP Instance UID {part10.read_meta(head).sop_uid}"
                except errors.FileroomError:
                    break
        return "it does not say which object it was"

    def check(self, member: Member) -> str:
        """Empty when the member's bytes are as recorded; else what is not."""
        try:
            if member.size_bytes > _READ_BYTES_MAX:
                return self._check_large(member)
            with self._window(member) as (view, at):
                return _compare(view, at, member)
        except errors.MalformedObject as error:
            return str(error)

    def arrival(self, member: Member) -> tuple[Arrival, str]:
        """What the index is to know of a member, its digest as recorded; and what `check` says of it.

        Raises MalformedObject, InvalidUid, when it is no longer readable.
        """
        label = member.label
        large = member.size_bytes > _READ_BYTES_MAX
        wrong = self._check_large(member) if large else ""  # read before it is mapped: see there
        with self._window(member) as (view, at):
            if not large:
                wrong = _compare(view, at, member)
            dataset_at = at + label.prefix_bytes
            prefix, dataset = view[at:dataset_at], view[dataset_at : at + member.size_bytes]
            try:
                meta = part10.read_meta(prefix)
                source = Source(*_door_and_peer(label.source), label.site)
                arrival = describe(dataset, prefix, meta.transfer_syntax, label.digest, source)
            finally:
                prefix.release()
                dataset.release()
        arrival.sequence = label.sequence
        arrival.conflict = label.conflict
        arrival.arrived_ms = label.arrived_ms
        arrival.pack_id, arrival.offset = self.pack_id, member.offset
        return arrival, wrong

    def _check_large(self, member: Member) -> str:
        """As `check`, in pieces. Raises MalformedObject when the disk fails: touching a map would end the process."""
        middle, end = member.offset + member.label.prefix_bytes, member.offset + member.size_bytes
        prefix, dataset = self._digest(member.offset, middle), self._digest(middle, end)
        return _differing(prefix, dataset, member)

    def _digest(self, start: int, end: int) -> str:
        sha = hashlib.sha256()
        for at in range(start, end, _PIECE_BYTES):
            sha.update(_read(self._fd, min(_PIECE_BYTES, end - at), at))
        return sha.hexdigest()

    def _window(self, member: Member) -> _Window:
        return _Window(self._fd, member.offset, member.size_bytes)


def _read(fd: int, size: int, offset: int) -> bytes:
    try:
        return os.pread(fd, size, offset)
    except OSError as error:
        raise errors.MalformedObject(f"its bytes cannot be read: {error.strerror}") from error


class _Window:
    """A stretch of a pack as memory: small ones read, large ones mapped."""

    def __init__(self, fd: int, offset: int, size: int) -> None:
        self._map: mmap.mmap | None = None
        if size <= _READ_BYTES_MAX:
            self._view, self._at = memoryview(_read(fd, size, offset)), 0
            return
        page = offset - offset % mmap.ALLOCATIONGRANULARITY
        self._map = mmap.mmap(fd, offset - page + size, prot=mmap.PROT_READ, offset=page)
        self._view, self._at = memoryview(self._map), offset - page

    def __enter__(self) -> tuple[memoryview, int]:
        return self._view, self._at

    def __exit__(self, *_: object) -> None:
        self._view.release()
        if self._map is not None:
            self._map.close()


def _compare(view: memoryview, at: int, member: Member) -> str:
    dataset_at = at + member.label.prefix_bytes
    prefix = hashlib.sha256(view[at:dataset_at]).hexdigest()
    return _differing(prefix, hashlib.sha256(view[dataset_at : at + member.size_bytes]).hexdigest(), member)


def _differing(prefix_digest: str, digest: str, member: Member) -> str:
    if prefix_digest != member.label.prefix_digest:
        return "the file's preamble or meta information differs from its recorded digest"
    if digest != member.label.digest:
        return "the dataset differs from its recorded digest"
    return ""


def _door_and_peer(label: str) -> tuple[str, str]:
    door, _, peer = label.partition(":")
    return door, peer
