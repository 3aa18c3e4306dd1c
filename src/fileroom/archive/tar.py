"""The pack format: a plain POSIX tar (IEEE Std 1003.1, pax) of DICOM Part 10 files, written and walked by hand.

`tar xf` reads it on any machine. Each member carries pax records with what cannot be read from the file itself: its
digest, where and when it came from, its place in the order of arrival, and its own position, so that a member can be
found again behind damage and bytes inside an object cannot pose as one.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from fileroom import errors

BLOCK = 512
END = bytes(2 * BLOCK)  # end of archive
RESERVED_BYTES = 4 * BLOCK  # room kept for the records of a member whose size is not known yet
HEADER_BYTES_MAX = 64 * BLOCK
OBJECT_BYTES_MAX = 0o77777777777  # what a header can say
_SECTOR = 4096  # what a disk reads or fails to read at once
_NEWLINE = "\n"
_FAR = 1 << 62  # an end that no member reaches
_CRC = b" FILEROOM.crc="
_PLAIN_NAME = re.compile(r"(?!\.+/)[0-9.]{1,64}/(?!\.+/)[0-9.]{1,64}/(?!\.+\.dcm)[0-9.]{1,64}\.dcm").fullmatch


class Label(NamedTuple):
    """What a member's pax records say of it."""

    study_uid: str
    series_uid: str
    sop_uid: str
    digest: str  # SHA-256 of the dataset bytes, hex
    prefix_digest: str  # SHA-256 of the bytes before the dataset, hex
    prefix_bytes: int
    site: str
    source: str
    arrived_ms: int
    sequence: int  # rises with arrival
    conflict: bool = False  # same SOP Instance UID as an earlier object, other bytes
    patient: str = ""  # digest of the patient's identity, so that rot never brings an object under another patient


@dataclass(frozen=True, slots=True)
class Member:
    """One member as found in a pack."""

    start: int  # of its first header block
    offset: int  # of the Part 10 file's first byte
    size_bytes: int  # of the Part 10 file
    end: int  # of its padding: where the next member starts
    label: Label


def member_name(study_uid: str, series_uid: str, sop_uid: str, digest: str, conflict: bool) -> str:
    """`<study>/<series>/<instance>.dcm`, or the digest when a UID would make an unsafe name; no UID is ever trusted."""
    name = f"{study_uid}/{series_uid}/{sop_uid}.dcm"
    if not _PLAIN_NAME(name):
        name = f"{digest}.dcm"
    return f"conflicts/{digest}/{name}" if conflict else name


def header(label: Label, size_bytes: int, pack_id: int, start: int, records_bytes: int = 0) -> bytes:
    """The header blocks of a member of `size_bytes` at `start`; pax records filled up to `records_bytes` if given."""
    name = member_name(label.study_uid, label.series_uid, label.sop_uid, label.digest, label.conflict)
    records = b"".join(
        (
            _record("path", name),
            _record("size", str(size_bytes)),
            _record("FILEROOM.at", f"{pack_id:016x}:{start}"),
            _kept_record("FILEROOM.study", label.study_uid),
            _kept_record("FILEROOM.series", label.series_uid),
            _record("FILEROOM.instance", label.sop_uid),
            _record("FILEROOM.sha256", label.digest),
            _record("FILEROOM.prefix", f"{label.prefix_bytes}:{label.prefix_digest}"),
            _kept_record("FILEROOM.site", label.site),
            _kept_record("FILEROOM.source", label.source),
            _record("FILEROOM.arrived", str(label.arrived_ms)),
            _record("FILEROOM.sequence", str(label.sequence)),
            _record("FILEROOM.conflict", "1") if label.conflict else b"",
            _kept_record("FILEROOM.patient", label.patient) if label.patient else b"",
        )
    )
    records += _record("FILEROOM.crc", f"{zlib.crc32(records):08x}")
    if records_bytes:
        records += _filler(records_bytes - len(records))
    mtime = label.arrived_ms // 1000
    short = name if len(name) <= 100 else f"{label.digest}.dcm"
    return b"".join(
        (
            _block(f"PaxHeaders/{label.digest[:32]}", len(records), mtime, b"x"),
            records,
            bytes(-len(records) % BLOCK),
            _block(short, size_bytes, mtime, b"0"),
        )
    )


def padding(size_bytes: int) -> bytes:
    """The zero bytes that fill a member up to a whole block."""
    return bytes(-size_bytes % BLOCK)


def _record(key: str, value: str) -> bytes:
    body = f" {key}={value}\n"
    if body.count("\n") > 1:
        body = f" {key}={value.replace(_NEWLINE, ' ')}\n"
    raw = body.encode()
    size = len(raw) + 2  # the length counts its own digits
    if size >= 100:
        size += 1 if size < 999 else 2
    return b"%d%s" % (size, raw)


_kept_record = lru_cache(maxsize=1024)(_record)  # for values that stay the same from object to object


def _filler(size: int) -> bytes:
    """One comment record of exactly `size` bytes (POSIX: readers ignore comments). The size must be over 100."""
    if size <= 100:
        raise ValueError("no room for the filler")
    digits = len(str(size))
    return b"%d comment=%s\n" % (size, b" " * (size - digits - len(" comment=\n")))


_HEAD = b"0000644\x000000000\x000000000\x00"
_TAIL = bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\x000000000\x00" + bytes(155 + 12)
_FIXED_SUM = sum(_HEAD) + sum(_TAIL) + 8 * 0x20


def _block(name: str, size: int, mtime: int, kind: bytes) -> bytes:
    raw = name.encode("ascii", "replace")
    numbers = b"%011o\x00%011o\x00" % (size, mtime)
    total = _FIXED_SUM + sum(raw) + sum(numbers) + kind[0]
    return b"".join((raw, bytes(100 - len(raw)), _HEAD, numbers, b"%06o\x00 " % total, kind, _TAIL))


def read_at(fd: int, size_bytes: int, at: int) -> bytes:
    """Bytes of a pack. What the disk cannot give any more reads as zeros: checksums and digests tell of it."""
    with contextlib.suppress(OSError):
        return os.pread(fd, size_bytes, at)
    pieces = []
    for start in range(at, at + size_bytes, _SECTOR):
        size = min(_SECTOR, at + size_bytes - start)
        try:
            pieces.append(os.pread(fd, size, start))
        except OSError:
            pieces.append(bytes(size))
    return b"".join(pieces)


def walk(fd: int, pack_id: int, start: int, end: int) -> Iterator[Member]:
    """The members of a pack between two offsets, in order.

    Ends quietly at the end-of-archive mark or at `end`. Raises DamagedPack at the first thing that is not a whole
    member; `resync` finds where to go on.
    """
    at = start
    while at + BLOCK <= end:
        head = read_at(fd, 4 * BLOCK, at)
        if not head.strip(b"\0"):
            return
        member = read_member(fd, pack_id, at, end, head)
        yield member
        at = member.end


def read_member(fd: int, pack_id: int, at: int, end: int, head: bytes = b"") -> Member:
    """The member whose header starts at `at`. Raises DamagedPack."""
    head = head or read_at(fd, 4 * BLOCK, at)
    records_bytes = _check_block(head[:BLOCK], b"x", pack_id, at)
    body = BLOCK + records_bytes + (-records_bytes % BLOCK)
    if body + BLOCK > HEADER_BYTES_MAX:
        raise damaged(pack_id, at, "its records are too long")
    if len(head) < body + BLOCK:
        head = read_at(fd, body + BLOCK, at)
    size = _check_block(head[body : body + BLOCK], b"0", pack_id, at)
    offset = at + body + BLOCK
    member_end = offset + size + (-size % BLOCK)
    if member_end > end:
        raise damaged(pack_id, at, "it is cut short")
    label = _label(head[BLOCK : BLOCK + records_bytes], pack_id, at)
    if label.prefix_bytes > size:
        raise damaged(pack_id, at, "its records do not agree with its size")
    return Member(at, offset, size, member_end, label)


def reaches_past(fd: int, pack_id: int, at: int, limit: int) -> bool:
    """Whether one of the members that follow each other from `at` states, in a readable header, an end past `limit`."""
    while at < limit:
        try:
            at = read_member(fd, pack_id, at, _FAR).end
        except errors.DamagedPack:
            return False
    return at > limit


def resync(fd: int, pack_id: int, at: int, end: int) -> int | None:
    """The offset of the next member's header after damage at `at`; None when there is none before `end`."""
    needle = f" FILEROOM.at={pack_id:016x}:".encode()
    chunk_at = at - at % BLOCK + BLOCK
    while chunk_at < end:
        chunk = read_at(fd, min(4 << 20, end - chunk_at), chunk_at)
        found = chunk.find(needle)
        while found >= 0:
            block = chunk_at + found - found % BLOCK - BLOCK  # these records lie in the first block behind the header
            if block > at and _is_member(fd, pack_id, block, end):
                return block
            found = chunk.find(needle, found + 1)
        if chunk_at + len(chunk) >= end or len(chunk) <= BLOCK:
            return None
        chunk_at += len(chunk) - BLOCK  # overlap: the needle may lie across two chunks
    return None


def salvage(fd: int, pack_id: int, at: int, end: int) -> Member | None:
    """The member behind a damaged header, when its records are whole or but one bit of them is not. None otherwise.

    Its bytes are still to be compared with its digest.
    """
    raw = read_at(fd, 8 * BLOCK, at)
    try:
        size = _check_block(raw[:BLOCK], b"x", pack_id, at)
    except errors.DamagedPack:
        size = len(raw[BLOCK:].split(b"\0", 1)[0])
    body = BLOCK + size + (-size % BLOCK)
    try:
        records = _mended(raw[BLOCK : BLOCK + size])
        label, size = _label(records, pack_id, at), int(_records(records)["size"])
    except (KeyError, ValueError, errors.DamagedPack):
        return None
    offset = at + body + BLOCK
    member_end = offset + size + (-size % BLOCK)
    return Member(at, offset, size, member_end, label) if label.prefix_bytes <= size and member_end <= end else None


def _mended(records: bytes) -> bytes:
    """The records with one flipped bit put right, if that makes them agree with their checksum; else as they are."""
    if _agrees(records):
        return records
    tried = bytearray(records)
    for at in range(len(tried)):
        for bit in range(8):
            tried[at] ^= 1 << bit
            if _agrees(tried):
                return bytes(tried)
            tried[at] ^= 1 << bit
    return records


def _agrees(records: bytes | bytearray) -> bool:
    """Whether the records agree with the checksum that ends them."""
    at = records.rfind(_CRC) - 2  # ours is the last: an AE title may hold the same words
    stated = records[at + 2 + len(_CRC) : at + 2 + len(_CRC) + 8]
    return at >= 0 and stated == b"%08x" % zlib.crc32(memoryview(records)[:at])


def _is_member(fd: int, pack_id: int, at: int, end: int) -> bool:
    try:
        read_member(fd, pack_id, at, end)
    except errors.DamagedPack:
        return False
    return True


def damaged(pack_id: int, at: int, why: str) -> errors.DamagedPack:
    """The error for a member that is not what it should be."""
    return errors.DamagedPack(f"pack {pack_id:016x}: damaged at byte {at}: {why}")


def _check_block(block: bytes, kind: bytes, pack_id: int, at: int) -> int:
    """The size a header block states, after its checksum and kind were found right."""
    if len(block) < BLOCK or block[156:157] != kind or block[257:262] != b"ustar":
        raise damaged(pack_id, at, "no member header")
    try:
        stated, size = int(block[148:154], 8), int(block[124:135], 8)
    except ValueError:
        raise damaged(pack_id, at, "its header is not readable") from None
    if sum(block) - sum(block[148:156]) + 8 * 0x20 != stated:
        raise damaged(pack_id, at, "its header fails its checksum")
    return size


def _label(records: bytes, pack_id: int, at: int) -> Label:
    try:
        if not _agrees(records):
            raise ValueError("checksum")
        found = _records(records)
        if found["FILEROOM.at"] != f"{pack_id:016x}:{at}":
            raise ValueError("position")
        return _label_of(found)
    except (KeyError, ValueError):
        raise damaged(pack_id, at, "its records are not readable") from None


def _records(raw: bytes) -> dict[str, str]:
    """Key to value. No value of ours holds a line break, and the checksum was made over the whole."""
    found = {}
    for line in raw.decode().split("\n"):
        key, _, value = line.partition(" ")[2].partition("=")
        found[key] = value
    return found


def _label_of(found: dict[str, str]) -> Label:
    prefix_bytes, prefix_digest = found["FILEROOM.prefix"].split(":")
    return Label(
        found["FILEROOM.study"],
        found["FILEROOM.series"],
        found["FILEROOM.instance"],
        found["FILEROOM.sha256"],
        prefix_digest,
        int(prefix_bytes),
        found["FILEROOM.site"],
        found["FILEROOM.source"],
        int(found["FILEROOM.arrived"]),
        int(found["FILEROOM.sequence"]),
        "FILEROOM.conflict" in found,
        found.get("FILEROOM.patient", ""),
    )
