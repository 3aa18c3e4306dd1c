"""Decoding, rendering and rewriting stored images, in processes that a bad image may kill: it costs one error.

Pixels never pass through the server on the way in: a worker reads the pack itself through the descriptor it is sent.
What is large is written to a scratch file and leaves by sendfile, so that no slow reader keeps memory taken.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from fileroom.archive.image import Image
from fileroom.archive.packs import FileRange
from fileroom.archive.scratch import Scratch, ScratchFile
from fileroom.archive.suspects import Suspects
from fileroom.archive.worker_messages import Message, opened
from fileroom.archive.workers import Worker, WorkerLimits, Workers
from fileroom.dicom.header import Pixels
from fileroom.dicom.pixels import FRAME_BYTES_MAX
from fileroom.dicom.render_options import RenderOptions
from fileroom.dicom.syntax import TransferSyntax
from fileroom.errors import NotFound, UndecodableImage

IN_MEMORY_BYTES_MAX = 2 << 20  # of a result; a larger one goes to a scratch file
_FRAME_TIMES_MAX, _OBJECT_TIMES_MAX = 6, 60  # the longest times for one frame and for a whole object, see WorkerLimits
_SLACK_BYTES = 1 << 16  # of headers
_PICTURE_BYTES = 4  # a PNG or JPEG takes no more for one pixel

Result = bytes | memoryview | FileRange


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One frame as native little-endian pixel data holds it."""

    data: Result  # bytes when small, a view of memory shared with nobody, or when large a range of a scratch file
    pixels: Pixels  # as a native dataset would declare it


@dataclass(frozen=True, slots=True)
class Transcoded:
    """A rewritten object in an unnamed temporary file, which goes when the last range of it does."""

    file: FileRange  # the whole Part 10 file
    prefix_bytes: int  # before the dataset

    @property
    def dataset(self) -> FileRange:
        """The dataset alone."""
        return self.file.part(self.prefix_bytes, self.file.length - self.prefix_bytes)


class Decoder:
    """Decodes stored images. Thread-safe; each call uses one worker while it runs. Frames count from 0."""

    def __init__(self, limits: WorkerLimits, scratch: Scratch | None = None) -> None:
        """`scratch`: where large results lie; None: in the system's folder. Starts no process before the first call."""
        self._workers = Workers(limits)
        self._scratch = scratch or Scratch()
        self._suspects = Suspects()

    def frame(self, dataset: FileRange, image: Image, how: TransferSyntax, number: int) -> DecodedFrame:
        """One frame as native little-endian pixel data holds it, and what it then declares.

        Raises NotFound outside the frames, UndecodableImage when it cannot be decoded, Busy when all workers stay
        busy or results that are still being sent take all the space.
        """
        message = {"operation": "decode"} | _asking(dataset, image, how, number)
        answer, data = self._made(message, dataset, _frame_bytes(image.pixels), _frame_bytes(image.pixels))
        photometric = str(answer.get("photometric", image.pixels.photometric))[:16]
        return DecodedFrame(data, replace(image.pixels, photometric=photometric))

    def render(
        self, dataset: FileRange, image: Image, how: TransferSyntax, number: int, options: RenderOptions
    ) -> Result:
        """One frame as PNG or JPEG (PS3.18 8.3.5). Raises as `frame` does."""
        message = {"operation": "render", "options": dataclasses.asdict(options)}
        message |= _asking(dataset, image, how, number)
        at_work = _frame_bytes(image.pixels)
        _, data = self._made(message, dataset, at_work, _picture_bytes(image.pixels, options))
        return data.read() if isinstance(data, FileRange) and data.length <= IN_MEMORY_BYTES_MAX else data

    def transcode(self, file: FileRange, target_uid: str, image: Image | None = None) -> Transcoded:
        """A whole Part 10 file in Explicit or Implicit VR Little Endian, under the same UIDs.

        `image`: of its pixels, where it is known. Raises UndecodableImage when its pixels cannot be decoded,
        StorageFull when there is no room for it, Busy as `frame` does.
        """
        size = None
        if image is not None and image.frames is not None:
            size = 2 * file.length + _SLACK_BYTES + _native_bytes(image.pixels) * image.frames.count
        seconds = self._workers.limits.seconds(size or FRAME_BYTES_MAX + file.length, _OBJECT_TIMES_MAX)
        with self._worker(file) as worker:
            target = self._scratch.file(size)
            where = {"file": [file.offset, file.length], "target": target_uid, "bytes_max": target.bytes_max}
            message: Message = {"operation": "transcode"} | where
            answer, descriptors = worker.ask(message, (file.fd, target.fd), seconds)
        written = _written(answer, descriptors, target)
        prefix = answer.get("prefix_bytes")
        if not isinstance(prefix, int) or not 0 <= prefix <= written.length:
            raise UndecodableImage("the decoder did not write what it says")
        return Transcoded(written, prefix)

    def close(self) -> None:
        """End all workers; calls under way fail. Idempotent."""
        self._workers.close()

    def _made(
        self, message: Message, dataset: FileRange, frame_bytes: int, result_bytes_max: int
    ) -> tuple[Message, Result]:
        """The answer to a request about one frame, and its result, which is no larger than stated."""
        seconds = self._workers.limits.seconds(frame_bytes, _FRAME_TIMES_MAX)
        with self._worker(dataset) as worker:
            if result_bytes_max <= IN_MEMORY_BYTES_MAX:
                answer, descriptors = worker.ask(message, (dataset.fd,), seconds)
                return answer, _result(descriptors, result_bytes_max)
            target = self._scratch.file(result_bytes_max)
            message["bytes_max"] = target.bytes_max
            answer, descriptors = worker.ask(message, (dataset.fd, target.fd), seconds)
        return answer, _written(answer, descriptors, target)

    @contextmanager
    def _worker(self, stored: FileRange) -> Iterator[Worker]:
        """A worker for this object, which is remembered when the worker is lost on it."""
        self._suspects.check(stored)
        with self._workers.one() as worker:
            self._suspects.check(stored)  # others may have asked for the same while this one waited
            try:
                yield worker
            finally:
                if worker.lost:
                    self._suspects.add(stored)


def _native_bytes(pixels: Pixels) -> int:
    """The most that one native frame takes, every sample of every pixel there."""
    return (pixels.rows * pixels.columns * pixels.samples * pixels.bits_allocated + 7) // 8


def _frame_bytes(pixels: Pixels) -> int:
    """The same of a frame that can be decoded. Raises UndecodableImage."""
    size = _native_bytes(pixels)
    if not 0 < size <= FRAME_BYTES_MAX:
        raise UndecodableImage(f"a frame of {size} bytes is declared")
    return size


def _picture_bytes(pixels: Pixels, options: RenderOptions) -> int:
    size = pixels.rows * pixels.columns
    if options.viewport is not None:
        size = options.viewport.width * options.viewport.height
    return size * _PICTURE_BYTES + _SLACK_BYTES


def _asking(dataset: FileRange, image: Image, how: TransferSyntax, number: int) -> Message:
    """The part of a request that names a frame."""
    table, fragments, native = image.frames, [], None
    if table is None and not how.deflated:
        raise UndecodableImage("the frames of this object cannot be told apart")
    if table is not None and not how.deflated:
        if not 0 <= number < table.count:
            raise NotFound(f"frame {number + 1} of {table.count}")
        fragments = [[dataset.part(*part).offset, part[1]] for part in table.fragments(number)]
        if table.native:
            native = dataclasses.asdict(replace(table, ranges=None))
            del native["ranges"]
    return {
        "syntax": how.uid,
        "pixels": dataclasses.asdict(image.pixels),
        "dataset": [dataset.offset, dataset.length],
        "frame": number,
        "fragments": fragments,
        "table": native,
    }


def _result(descriptors: list[int], size_max: int) -> bytes | memoryview:
    if len(descriptors) != 1:
        for descriptor in descriptors:
            os.close(descriptor)
        raise UndecodableImage("the decoder answered without a result")
    return opened(descriptors[0], size_max)


def _written(answer: Message, descriptors: list[int], target: ScratchFile) -> FileRange:
    """All of what a worker wrote to a scratch file; what it says of it is checked."""
    for descriptor in descriptors:
        os.close(descriptor)
    size = target.settle()
    if answer.get("size_bytes") != size:
        raise UndecodableImage("the decoder did not write what it says")
    return FileRange(target, 0, size)
