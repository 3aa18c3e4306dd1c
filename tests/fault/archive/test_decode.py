"""Images that lie, crash, hang or eat memory cost one error; the server and its other requests go on."""

from __future__ import annotations

import gc
import io
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy
import PIL.Image
import pytest

from fileroom.archive import decode_requests
from fileroom.archive.decode import DecodedFrame, Decoder
from fileroom.archive.image import Image
from fileroom.archive.packs import FileRange, PackFile
from fileroom.archive.scratch import Scratch
from fileroom.archive.worker_messages import sealed
from fileroom.archive.workers import WorkerLimits
from fileroom.dicom.fragments import FrameRanges
from fileroom.dicom.frames import FrameTable
from fileroom.dicom.header import Pixels
from fileroom.dicom.syntax import (
    DEFLATED_FRAMES,
    EXPLICIT_LE,
    HTJ2K_LOSSLESS,
    JPEG_2000,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    JPEG_XL_LOSSLESS,
    syntax,
)
from fileroom.errors import Busy, FileroomError, NotFound, StorageFull, UndecodableImage

MIB = 1 << 20
PICTURE = numpy.random.default_rng(1).integers(0, 4096, (64, 48)).astype(numpy.uint16)
STREAMS = {
    JPEG_LS_LOSSLESS: bytes(imagecodecs.jpegls_encode(PICTURE)),
    JPEG_2000: bytes(imagecodecs.jpeg2k_encode(PICTURE, codecformat="J2K", reversible=True)),
    HTJ2K_LOSSLESS: bytes(imagecodecs.htj2k_encode(PICTURE, reversible=True)),
    JPEG_LOSSLESS_SV1: bytes(imagecodecs.jpeg8_encode(PICTURE, lossless=True, bitspersample=16)),
    JPEG_XL_LOSSLESS: bytes(imagecodecs.jpegxl_encode(PICTURE, lossless=True)),
}


def pixels(rows: int = 64, columns: int = 48, bits: int = 16) -> Pixels:
    return Pixels("PixelData", 0, -1, rows, columns, 1, bits, bits, bits - 1, 0, 0, 1, "MONOCHROME2")


def stored(stream: bytes, declared: Pixels | None = None) -> tuple[FileRange, Image]:
    """One fragment in a file, as a pack would hold it."""
    file = PackFile(sealed(b"\0" * 8 + stream))
    table = FrameTable(False, 1, 0, FrameRanges(array("Q", [0]), array("Q", [len(stream)]), None))
    return FileRange(file, 8, len(stream)), Image(declared or pixels(), table)


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    made = Decoder(WorkerLimits(2, 400 * MIB, 5.0, idle_seconds=30))
    yield made
    made.close()


def data_of(frame: DecodedFrame) -> bytes:
    return frame.data.read() if isinstance(frame.data, FileRange) else bytes(frame.data)


def size_of(frame: DecodedFrame) -> int:
    return len(data_of(frame))


def still_works(decoder: Decoder) -> bool:
    frame = decoder.frame(*stored(STREAMS[JPEG_LS_LOSSLESS]), syntax(JPEG_LS_LOSSLESS), 0)
    return data_of(frame) == PICTURE.tobytes()


def failure(decoder: Decoder) -> Exception:
    with pytest.raises(FileroomError) as caught:
        still_works(decoder)
    return caught.value


def _jpeg_claiming(rows: int, columns: int) -> bytes:
    stream = bytearray(imagecodecs.jpeg8_encode(numpy.zeros((16, 16), numpy.uint8)))
    at = stream.find(b"\xff\xc0")
    stream[at + 5 : at + 9] = rows.to_bytes(2, "big") + columns.to_bytes(2, "big")
    return bytes(stream)


def test_a_few_bytes_of_jpeg_do_not_become_a_large_grey_image(decoder: Decoder) -> None:
    found = stored(_jpeg_claiming(8000, 8000), pixels(8000, 8000, 8))
    with pytest.raises(UndecodableImage, match="too short"):
        decoder.frame(*found, syntax(JPEG_BASELINE), 0)
    flat = bytes(imagecodecs.jpeg8_encode(numpy.zeros((1000, 1000), numpy.uint8), level=1))
    assert size_of(decoder.frame(*stored(flat, pixels(1000, 1000, 8)), syntax(JPEG_BASELINE), 0)) == 1_000_000
    lossless = bytes(imagecodecs.jpeg8_encode(numpy.zeros((500, 500), numpy.uint8), lossless=True))
    assert size_of(decoder.frame(*stored(lossless, pixels(500, 500, 8)), syntax(JPEG_LOSSLESS_SV1), 0)) == 250_000


def test_thousands_of_scans_do_not_keep_a_decoder_busy(decoder: Decoder) -> None:
    made = io.BytesIO()
    PIL.Image.new("L", (2000, 2000)).save(made, "JPEG", progressive=True)
    honest = made.getvalue()
    assert size_of(decoder.frame(*stored(honest, pixels(2000, 2000, 8)), syntax(JPEG_BASELINE), 0)) == 4_000_000
    scan = honest[honest.rfind(b"\xff\xda") : -2]
    hostile = honest[:-2] + scan * 3000 + honest[-2:]
    begin = time.monotonic()
    with pytest.raises(UndecodableImage, match="scans"):
        decoder.frame(*stored(hostile, pixels(2000, 2000, 8)), syntax(JPEG_BASELINE), 0)
    assert time.monotonic() - begin < 2


def children(decoder: Decoder) -> list[int]:
    return [worker._process.pid for worker in decoder._workers._all]


def test_a_frame_comes_back_from_a_process_of_its_own(decoder: Decoder) -> None:
    assert still_works(decoder)
    (child,) = children(decoder)
    assert child != os.getpid()


def test_a_large_frame_comes_back_whole(decoder: Decoder) -> None:
    picture = numpy.arange(3328 * 2560, dtype=numpy.uint16).reshape(3328, 2560)
    where, image = stored(bytes(imagecodecs.jpegls_encode(picture)), pixels(3328, 2560))
    frame = decoder.frame(where, image, syntax(JPEG_LS_LOSSLESS), 0)
    assert isinstance(frame.data, FileRange)
    assert frame.data.read() == picture.tobytes()


@pytest.mark.parametrize("uid", STREAMS)
def test_a_cut_stream_is_one_error_and_never_part_of_an_image(decoder: Decoder, uid: str) -> None:
    stream = STREAMS[uid]
    assert data_of(decoder.frame(*stored(stream), syntax(uid), 0)) == PICTURE.tobytes()
    for cut in (0, 1, 10, 30, 100, len(stream) // 2, len(stream) - 300, len(stream) - 70):
        with pytest.raises(UndecodableImage):
            decoder.frame(*stored(stream[:cut]), syntax(uid), 0)
    assert still_works(decoder)


def test_a_crash_costs_one_request(decoder: Decoder) -> None:
    assert still_works(decoder)
    (child,) = children(decoder)
    errors: list[Exception] = []
    os.kill(child, signal.SIGSTOP)
    asking = threading.Thread(target=lambda: errors.append(failure(decoder)))
    asking.start()
    time.sleep(0.1)
    os.kill(child, signal.SIGSEGV)
    os.kill(child, signal.SIGCONT)
    asking.join(10)
    assert "crashed" in str(errors[0])
    assert "-11" in str(errors[0])
    assert still_works(decoder)
    assert child not in children(decoder)


def test_a_hang_is_killed_when_its_time_is_up() -> None:
    decoder = Decoder(WorkerLimits(1, 400 * MIB, 1.0))
    assert still_works(decoder)
    (child,) = children(decoder)
    os.kill(child, signal.SIGSTOP)
    begin = time.monotonic()
    with pytest.raises(UndecodableImage, match="longer than 1 seconds"):
        still_works(decoder)
    assert time.monotonic() - begin < 3
    assert not Path(f"/proc/{child}").exists()
    assert still_works(decoder)
    decoder.close()


def test_an_image_that_needs_too_much_memory_is_one_error(decoder: Decoder) -> None:
    blank = bytes(imagecodecs.jpegls_encode(numpy.zeros((16384, 16384), numpy.uint16)))
    with pytest.raises(UndecodableImage, match="memory"):
        decoder.frame(*stored(blank, pixels(16384, 16384)), syntax(JPEG_LS_LOSSLESS), 0)
    assert still_works(decoder)


def test_dimensions_that_lie_are_refused_before_memory_is_taken(decoder: Decoder) -> None:
    stream = bytearray(imagecodecs.jpegls_encode(PICTURE))
    at = stream.index(b"\xff\xf7") + 5
    stream[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(UndecodableImage, match="65535 x 65535"):
        decoder.frame(*stored(bytes(stream)), syntax(JPEG_LS_LOSSLESS), 0)
    with pytest.raises(UndecodableImage, match="bytes is declared"):
        decoder.frame(*stored(bytes(stream), pixels(65535, 65535)), syntax(JPEG_LS_LOSSLESS), 0)
    assert still_works(decoder)


def test_a_deflated_frame_that_is_a_bomb_inflates_no_more_than_a_frame(decoder: Decoder) -> None:
    packer = zlib.compressobj(1, wbits=-15)
    bomb = packer.compress(bytes(450 * MIB)) + packer.flush()
    frame = decoder.frame(*stored(bomb), syntax(DEFLATED_FRAMES), 0)
    assert data_of(frame) == bytes(64 * 48 * 2)


def test_random_bytes_never_take_the_server_down(decoder: Decoder) -> None:
    random = numpy.random.default_rng(7)
    outcomes = set()
    for number in range(150):
        uid = list(STREAMS)[number % len(STREAMS)]
        stream = bytearray(STREAMS[uid])
        for at in random.integers(0, len(stream), 4):
            stream[at] = random.integers(0, 256)
        try:
            decoder.frame(*stored(bytes(stream)), syntax(uid), 0)
            outcomes.add("decoded")
        except UndecodableImage:
            outcomes.add("refused")
    assert outcomes == {"decoded", "refused"}
    assert still_works(decoder)


def test_workers_are_only_as_many_as_allowed_and_others_wait_or_are_told(decoder: Decoder) -> None:
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(still_works(decoder))) for _ in range(12)]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(children(decoder)))
        time.sleep(0.001)
    assert results == [True] * 12
    assert most == 2
    hasty = Decoder(WorkerLimits(1, 400 * MIB, 5.0, wait_seconds=0.2))
    assert still_works(hasty)
    os.kill(children(hasty)[0], signal.SIGSTOP)
    failures: list[Exception] = []
    stuck = threading.Thread(target=lambda: failures.append(failure(hasty)))
    stuck.start()
    time.sleep(0.1)
    assert isinstance(failure(hasty), Busy)
    hasty.close()
    stuck.join(10)
    assert isinstance(failures[0], UndecodableImage)


def test_idle_workers_go_and_none_is_there_before_the_first_request() -> None:
    decoder = Decoder(WorkerLimits(2, 400 * MIB, 5.0, idle_seconds=0.3))
    assert children(decoder) == []
    assert still_works(decoder)
    (child,) = children(decoder)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
    assert children(decoder) == []
    assert still_works(decoder)
    decoder.close()


def test_a_closed_decoder_leaves_no_process_and_answers_busy(decoder: Decoder) -> None:
    assert still_works(decoder)
    (child,) = children(decoder)
    decoder.close()
    decoder.close()
    assert not Path(f"/proc/{child}").exists()
    with pytest.raises(Busy):
        still_works(decoder)


def test_descriptors_do_not_leak(decoder: Decoder) -> None:
    assert still_works(decoder)
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        assert still_works(decoder)
        with pytest.raises(UndecodableImage):
            decoder.frame(*stored(b"nothing"), syntax(JPEG_LS_LOSSLESS), 0)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_workers_die_with_a_server_that_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys, time
        sys.path.insert(0, sys.argv[1])
        from fileroom.archive.workers import WorkerLimits, Workers
        workers = Workers(WorkerLimits(1, 400 << 20, 30.0, idle_seconds=600))
        worker = workers._take()
        print(worker._process.pid, flush=True)
        time.sleep(60)
    """)
    root = str(Path(decode_requests.__file__).parents[2])
    server = subprocess.Popen([sys.executable, "-c", script, root], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    child = int(server.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    server.kill()
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 5
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(process: int) -> bool:
    try:
        return "Z (zombie)" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_worker_sees_no_secret_and_writes_no_core(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILEROOM_DATABASE_URL", "postgresql://user:secret@nowhere/db")
    assert still_works(decoder)
    (child,) = children(decoder)
    assert b"secret" not in Path(f"/proc/{child}/environ").read_bytes()
    assert resource.prlimit(child, resource.RLIMIT_CORE)[0] == 0
    assert resource.prlimit(child, resource.RLIMIT_AS)[0] == 400 * MIB


def test_a_frame_outside_the_object_is_not_found(decoder: Decoder) -> None:
    with pytest.raises(NotFound):
        decoder.frame(*stored(STREAMS[JPEG_LS_LOSSLESS]), syntax(JPEG_LS_LOSSLESS), 1)
    assert children(decoder) == []


def test_a_full_disk_while_rewriting_is_storage_full(decoder: Decoder, tmp_path: Path) -> None:
    missing = Decoder(WorkerLimits(1, 400 * MIB, 5.0), scratch=Scratch(tmp_path / "gone"))
    with pytest.raises(StorageFull):
        missing.transcode(stored(b"")[0], EXPLICIT_LE)
