"""One object on its way in: its bytes gathered in memory while small, streamed into a pack of its own when large.

Memory is bounded by a budget shared by all intakes: an intake that gets no more room streams instead of waiting, so
that half-received objects can never block each other.
"""

from __future__ import annotations

import hashlib
from types import TracebackType

from fileroom import errors
from fileroom.archive import tar
from fileroom.archive.arrival import Arrival, Source
from fileroom.archive.buffers import Buffers
from fileroom.archive.commit import Committer
from fileroom.archive.describe import describe
from fileroom.archive.inflight import Pending, Watch
from fileroom.archive.packs import Packs, PackWriter
from fileroom.database import Ids
from fileroom.dicom import part10
from fileroom.dicom.header import scan
from fileroom.dicom.syntax import syntax

_PIECE_BYTES = 1 << 20  # how much is gathered between two writes while streaming

Buffer = bytes | bytearray | memoryview


class Intake:
    """Takes the bytes of one object, in order, from one thread; `submit` hands it over, `abort` forgets it.

    With `prefix` the bytes are a dataset alone and the prefix is put before it; without, they are a Part 10 file.
    `sop`: the SOP class and instance its sender announced, when it did.
    """

    def __init__(
        self,
        source: Source,
        prefix: bytes,
        shared: Shared,
        transfer_syntax: str = "",
        *,
        size_hint: int = 0,
        sop: tuple[str, str] | None = None,
    ) -> None:
        self._source = source
        self._prefix = prefix
        self._sop = sop
        self._transfer_syntax = transfer_syntax
        self._shared = shared
        self._buffer = shared.buffers.take(min(size_hint, shared.buffered_max))
        self._used = 0
        self._hashed = 0  # bytes of the buffer that are in the digest already
        self._sha = hashlib.sha256() if prefix else None
        self._stream: _Stream | None = None
        self._handed_over = False
        if self._buffer is None:
            self._to_stream()

    def write(self, chunk: Buffer) -> None:
        """Take a copy of these bytes. Raises ObjectTooLarge, StorageFull."""
        size = len(chunk)
        if size > _PIECE_BYTES and self._stream is not None:
            view = memoryview(chunk)
            for at in range(0, size, _PIECE_BYTES):
                self.write(view[at : at + _PIECE_BYTES])
            return
        room = self.space(size)
        room[:] = chunk
        room.release()
        self.wrote(size)

    def space(self, size: int) -> memoryview:
        """Room for exactly `size` more bytes, to receive into; then call `wrote`. Release it before anything else.

        Raises ObjectTooLarge, StorageFull.
        """
        if self._stream is not None:
            return self._stream.space(size)
        needed = self._used + size
        if needed > self._shared.buffered_max or not self._grow(needed):
            self._to_stream()
            return self.space(size)
        assert self._buffer is not None
        return memoryview(self._buffer.memory)[self._used : needed]

    def wrote(self, size: int) -> None:
        """`size` bytes of the room were filled. Raises StorageFull."""
        if self._stream is not None:
            self._stream.wrote(size)
            return
        self._used += size
        if self._sha is not None and self._used - self._hashed >= 1 << 17:
            self._hash_on()

    def submit(self, study_uid: str = "") -> Pending:
        """All bytes are in: read the header and hand the object over to be made durable.

        With `study_uid`, only an object of that study is taken. Raises MalformedObject, InvalidUid, WrongStudy,
        SopMismatch, StorageFull; nothing of the object is then kept.
        """
        try:
            if self._stream is not None:
                pending = self._stream.submit(self._source, self._prefix, self._transfer_syntax, study_uid, self._sop)
            else:
                pending = self._submit_buffer(study_uid)
        except BaseException:
            self.abort()
            raise
        self._handed_over = True
        return pending

    def _submit_buffer(self, study_uid: str) -> Pending:
        assert self._buffer is not None
        whole = memoryview(self._buffer.memory)[: self._used]
        prefix: Buffer = self._prefix
        dataset, syntax_uid = whole, self._transfer_syntax
        if not prefix:
            prefix, dataset, syntax_uid = split(whole, self._source)
        if self._sha is not None:
            self._hash_on()
            digest = self._sha.hexdigest()
        else:
            digest = hashlib.sha256(dataset).hexdigest()
        arrival = describe(dataset, prefix, syntax_uid, digest, self._source)
        _check(arrival, study_uid, self._sop)
        buffer, self._buffer = self._buffer, None
        return self._shared.committer.append(arrival, (prefix, dataset), lambda: self._shared.buffers.give_back(buffer))

    def abort(self) -> None:
        """Forget the object; idempotent, and nothing after `submit`."""
        if self._buffer is not None:
            self._shared.buffers.give_back(self._buffer)
            self._buffer = None
        if self._stream is not None:
            self._stream.abort()

    def __enter__(self) -> Intake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watch = self._shared.watch
        if watch is not None and not self._handed_over and isinstance(error, errors.FileroomError):
            watch.object(self._source.door, type(error).__name__, self._used, 0.0)
        self.abort()

    def _hash_on(self) -> None:
        assert self._sha is not None
        assert self._buffer is not None
        self._sha.update(memoryview(self._buffer.memory)[self._hashed : self._used])
        self._hashed = self._used

    def _grow(self, needed: int) -> bool:
        buffers, old = self._shared.buffers, self._buffer
        assert old is not None
        if needed <= len(old.memory):
            return buffers.extend(old, needed)
        new = buffers.take(needed)
        if new is None:
            return False
        with memoryview(old.memory) as source, memoryview(new.memory) as target:
            target[: self._used] = source[: self._used]
        self._buffer = new
        buffers.give_back(old)
        return True

    def _to_stream(self) -> None:
        self._stream = _Stream(self._shared, self._prefix)
        if self._buffer is not None:
            buffer, self._buffer = self._buffer, None
            try:
                with memoryview(buffer.memory) as view:
                    self._stream.append(view[: self._used])
            finally:
                self._shared.buffers.give_back(buffer)


class Shared:
    """What all intakes of a process share."""

    def __init__(
        self,
        buffers: Buffers,
        committer: Committer,
        packs: Packs,
        ids: Ids,
        buffered_max: int,
        object_max: int,
        watch: Watch | None = None,
    ) -> None:
        self.buffers = buffers
        self.committer = committer
        self.packs = packs
        self.ids = ids
        self.buffered_max = buffered_max
        self.object_max = object_max
        self.watch = watch


class _Stream:
    """An object too large for memory, written to a pack of its own as it comes; its header last."""

    def __init__(self, shared: Shared, prefix: bytes) -> None:
        self._shared = shared
        self._start = tar.RESERVED_BYTES + 2 * tar.BLOCK  # where the Part 10 file begins
        self._sha = hashlib.sha256()
        self._hash_all = bool(prefix)  # a whole file is hashed at the end, once it is known where its dataset begins
        self._room = bytearray(_PIECE_BYTES)
        self._writer: PackWriter | None = shared.packs.create(shared.ids.next(), unfinished=True)
        try:
            self._writer.append([bytes(self._start), prefix])
        except BaseException:
            self.abort()
            raise

    def space(self, size: int) -> memoryview:
        if size > len(self._room):
            self._room = bytearray(size)
        return memoryview(self._room)[:size]

    def wrote(self, size: int) -> None:
        with memoryview(self._room) as view:
            self.append(view[:size])

    def append(self, data: Buffer) -> None:
        writer = self._open()
        if writer.size_bytes - self._start + len(data) > self._shared.object_max:
            raise errors.ObjectTooLarge(f"an object over {self._shared.object_max} bytes")
        if self._hash_all:
            self._sha.update(data)
        writer.append([data])

    def submit(
        self, source: Source, prefix: bytes, transfer_syntax: str, study_uid: str, sop: tuple[str, str] | None
    ) -> Pending:
        writer = self._open()
        with writer.mapped() as whole, memoryview(whole) as view:
            file = view[self._start : writer.size_bytes]
            found: Buffer = file[: len(prefix)]
            dataset, syntax_uid = file[len(prefix) :], transfer_syntax
            try:
                if not prefix:
                    found, dataset, syntax_uid = split(file, source)
                    if not isinstance(found, memoryview):
                        raise errors.MalformedObject("of this size only whole Part 10 files can be taken")
                    self._sha.update(dataset)
                arrival = describe(dataset, found, syntax_uid, self._sha.hexdigest(), source)
                _check(arrival, study_uid, sop)
            finally:
                for piece in (found, dataset, file):
                    if isinstance(piece, memoryview):
                        piece.release()
        self._writer = None
        return self._shared.committer.adopt(arrival, writer, self._start)

    def abort(self) -> None:
        if self._writer is not None:
            self._shared.packs.discard(self._writer)
            self._writer = None

    def _open(self) -> PackWriter:
        if self._writer is None:
            raise errors.MalformedObject("this object was given up")
        return self._writer


def _check(arrival: Arrival, study_uid: str, sop: tuple[str, str] | None) -> None:
    if study_uid and arrival.study_uid != study_uid:
        raise errors.WrongStudy(arrival.sop_class_uid, arrival.sop_uid)
    if sop is not None and sop != (arrival.sop_class_uid, arrival.sop_uid):
        raise errors.SopMismatch("the dataset is not the SOP class and instance its sender announced")


def split(whole: memoryview, source: Source) -> tuple[Buffer, memoryview, str]:
    """Prefix, dataset and transfer syntax of a file. What is not whole Part 10 gets a prefix of ours: a bare dataset, a
    file without preamble, one that does not say its transfer syntax.

    Raises MalformedObject, InvalidUid.
    """
    meta = _part10(whole)
    if meta is not None:
        return whole[: meta.dataset_offset], whole[meta.dataset_offset :], meta.transfer_syntax
    meta = part10.read_file_start(whole)
    if meta is None:
        raise errors.MalformedObject("not a DICOM file")
    dataset = whole[meta.dataset_offset :]
    names = scan(dataset, syntax(meta.transfer_syntax)).values
    prefix = part10.prefix(names["sop_class_uid"], names["sop_uid"], meta.transfer_syntax, source.peer[:16])
    return prefix, dataset, meta.transfer_syntax


def _part10(whole: memoryview) -> part10.FileMeta | None:
    """What the file says of itself; None when it does not say all that a pack's member must."""
    try:
        return part10.read_meta(whole)
    except errors.MalformedObject:
        return None
