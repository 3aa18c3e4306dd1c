"""Slow readers and hostile objects share the decoder with everybody else: what they may hold of it is bounded."""

from __future__ import annotations

import gc
import os
import time
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy
import pytest

from fileroom.archive import suspects
from fileroom.archive.decode import DecodedFrame, Decoder
from fileroom.archive.image import Image
from fileroom.archive.packs import FileRange, PackFile
from fileroom.archive.scratch import Scratch
from fileroom.archive.suspects import SUSPECT_SECONDS, Suspects
from fileroom.archive.worker_messages import sealed
from fileroom.archive.workers import Worker, WorkerLimits
from fileroom.dicom.fragments import FrameRanges
from fileroom.dicom.frames import FrameTable
from fileroom.dicom.header import Pixels
from fileroom.dicom.render_options import RenderOptions
from fileroom.dicom.syntax import JPEG_LS_LOSSLESS, syntax
from fileroom.errors import Busy, UndecodableImage

MIB = 1 << 20
LIMITS = WorkerLimits(1, 400 * MIB, 1.0, idle_seconds=30)
LARGE = numpy.zeros((2048, 2048), numpy.uint16)  # 8 MiB
SMALL = numpy.arange(64 * 48, dtype=numpy.uint16).reshape(64, 48)


def stored(picture: numpy.ndarray[tuple[int, int], numpy.dtype[numpy.uint16]]) -> tuple[FileRange, Image]:
    """A JPEG-LS frame in a file of its own."""
    stream = bytes(imagecodecs.jpegls_encode(picture))
    rows, columns = picture.shape
    declared = Pixels("PixelData", 12, -1, rows, columns, 1, 16, 16, 15, 0, 0, 1, "MONOCHROME2")
    table = FrameTable(False, 1, 0, FrameRanges(array("Q", [0]), array("Q", [len(stream)]), None))
    return FileRange(PackFile(sealed(b"\0" * 8 + stream)), 8, len(stream)), Image(declared, table)


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """Space for three large frames; none may take more than half of what is left."""
    return Scratch(tmp_path, 32 * MIB)


@pytest.fixture
def decoder(scratch: Scratch) -> Iterator[Decoder]:
    made = Decoder(LIMITS, scratch)
    yield made
    made.close()


def decode(decoder: Decoder, found: tuple[FileRange, Image]) -> DecodedFrame:
    return decoder.frame(*found, syntax(JPEG_LS_LOSSLESS), 0)


def _memory_files() -> int:
    links = [os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.islink(entry.path)]
    return sum("memfd:" in link for link in links)


def test_large_frames_that_slow_readers_hold_take_disk_and_no_memory_and_are_bounded(
    decoder: Decoder, scratch: Scratch, tmp_path: Path
) -> None:
    found = stored(LARGE)
    memory_files = _memory_files()
    held = [decode(decoder, found), decode(decoder, found)]
    for frame in held:
        assert isinstance(frame.data, FileRange)
        assert frame.data.read() == LARGE.tobytes()
    assert _memory_files() == memory_files
    assert list(tmp_path.iterdir()) == [], "the files have no names"
    held.append(decode(decoder, found))
    with pytest.raises(Busy):
        decode(decoder, found)
    small = decode(decoder, stored(SMALL)).data
    assert not isinstance(small, FileRange), "small ones are still decoded"
    held.clear()
    del frame
    gc.collect()
    assert scratch.held_bytes == 0
    decode(decoder, found)


def test_large_pictures_are_held_on_disk_too(decoder: Decoder, scratch: Scratch) -> None:
    noise = numpy.random.default_rng(1).integers(0, 4096, (1500, 2000)).astype(numpy.uint16)
    where, image = stored(noise)
    picture = decoder.render(where, image, syntax(JPEG_LS_LOSSLESS), 0, RenderOptions("image/png"))
    assert isinstance(picture, FileRange)
    assert picture.read().startswith(b"\x89PNG")
    assert scratch.held_bytes == picture.length
    plain = decoder.render(*stored(LARGE[:1500]), syntax(JPEG_LS_LOSSLESS), 0, RenderOptions("image/png"))
    assert isinstance(plain, bytes)


def test_a_failed_decode_gives_its_space_back(decoder: Decoder, scratch: Scratch) -> None:
    where, image = stored(LARGE)
    for _ in range(5):
        with pytest.raises(UndecodableImage):
            decoder.frame(where.part(0, where.length - 40), cut(image, 40), syntax(JPEG_LS_LOSSLESS), 0)
    gc.collect()
    assert scratch.held_bytes == 0


def cut(image: Image, size: int) -> Image:
    table = image.frames
    assert table is not None
    ((at, length),) = table.fragments(0)
    return replace(
        image, frames=FrameTable(False, 1, 0, FrameRanges(array("Q", [at]), array("Q", [length - size]), None))
    )


@pytest.mark.parametrize(("says", "writes"), [(8 * MIB, 5), (5, 8 * MIB), (9 * MIB, 9 * MIB)])
def test_a_worker_that_lies_about_what_it_wrote_is_not_believed(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch, says: int, writes: int
) -> None:
    def lying(self: Worker, message: object, descriptors: tuple[int, ...], seconds: float) -> tuple[object, list[int]]:
        os.truncate(descriptors[1], writes)
        return {"size_bytes": says}, []

    monkeypatch.setattr(Worker, "ask", lying)
    with pytest.raises((UndecodableImage, Busy)):
        decode(decoder, stored(LARGE))


def test_memory_larger_than_the_image_is_not_taken_from_a_worker(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "ask", lambda *_: ({}, [sealed(bytes(SMALL.nbytes + 1))]))
    with pytest.raises(UndecodableImage, match="more than"):
        decode(decoder, stored(SMALL))


def test_an_object_that_hung_a_worker_is_refused_at_once_and_others_are_decoded(decoder: Decoder) -> None:
    hostile, honest = stored(SMALL), stored(SMALL)
    decode(decoder, honest)
    (worker,) = decoder._workers._all
    os.kill(worker._process.pid, 19)  # SIGSTOP: it hangs
    with pytest.raises(UndecodableImage, match="longer than"):
        decode(decoder, hostile)
    begin = time.monotonic()
    for _ in range(10):
        with pytest.raises(UndecodableImage, match="a moment ago"):
            decode(decoder, hostile)
    assert time.monotonic() - begin < 0.5
    assert isinstance(decode(decoder, honest), DecodedFrame)


def test_suspects_are_forgotten_after_some_minutes_and_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    remembered = Suspects(lambda: now[0])
    where, _ = stored(SMALL)
    remembered.add(where)
    with pytest.raises(UndecodableImage):
        remembered.check(where.part(4, where.length - 4))  # its dataset: it ends at the same place
    remembered.check(where.part(0, 4))
    now[0] = SUSPECT_SECONDS
    remembered.check(where)
    monkeypatch.setattr(suspects, "_SUSPECTS_MAX", 3)
    for size in range(1, 9):
        remembered.add(where.part(0, size))
    assert len(remembered._until) == 3


def test_a_large_image_gets_more_time_than_a_small_one_and_none_gets_for_ever() -> None:
    limits = WorkerLimits(1, 400 * MIB, 10.0)
    assert limits.seconds(SMALL.nbytes, 6) == 10
    assert 13 < limits.seconds(17 * MIB, 6) < 14
    assert limits.seconds(1 << 30, 6) == 60
