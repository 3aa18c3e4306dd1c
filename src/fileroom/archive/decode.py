"""Decoding, rendering and rewriting stored images, in processes that a bad image may kill: it costs one error.

Pixels never pass through the server on the way in: a worker reads the pack itself through the descriptor it is sent.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from fileroom.archive.image import Image
from fileroom.archive.packs import FileRange, PackFile
from fileroom.archive.worker_messages import Message, opened
from fileroom.archive.workers import WorkerLimits, Workers
from fileroom.dicom.pixels import NativeFrame
from fileroom.dicom.render_options import RenderOptions
from fileroom.dicom.syntax import TransferSyntax
from fileroom.errors import NotFound, StorageFull, UndecodableImage

_TRANSCODE_FACTOR = 10  # a whole object may take so many times as long as one image


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

    def __init__(self, limits: WorkerLimits, scratch: Path | None = None) -> None:
        """`scratch`: the folder of temporary files; None: the system's. No process is started before the first call."""
        self._workers = Workers(limits)
        self._scratch = scratch

    def frame(self, dataset: FileRange, image: Image, how: TransferSyntax, number: int) -> NativeFrame:
        """One frame as native little-endian pixel data holds it, and what it then declares.

        `data` is bytes when small, else a view of memory shared with nobody. Raises NotFound outside the frames,
        UndecodableImage when it cannot be decoded, Busy when all workers stay busy.
        """
        message = {"operation": "decode"} | _asking(dataset, image, how, number)
        answer, descriptors = self._ask(message, dataset)
        pixels = replace(image.pixels, photometric=str(answer.get("photometric", image.pixels.photometric)))
        return NativeFrame(_result(descriptors), pixels)

    def render(
        self, dataset: FileRange, image: Image, how: TransferSyntax, number: int, options: RenderOptions
    ) -> bytes:
        """One frame as PNG or JPEG (PS3.18 8.3.5). Raises as `frame` does."""
        message = {"operation": "render", "options": dataclasses.asdict(options)}
        _, descriptors = self._ask(message | _asking(dataset, image, how, number), dataset)
        return bytes(_result(descriptors))

    def transcode(self, file: FileRange, target_uid: str) -> Transcoded:
        """A whole Part 10 file in Explicit or Implicit VR Little Endian, under the same UIDs.

        Raises UndecodableImage when its pixels cannot be decoded, StorageFull when there is no room for it.
        """
        try:
            with tempfile.TemporaryFile(dir=self._scratch) as out:
                target = PackFile(os.dup(out.fileno()))
        except OSError as error:
            raise StorageFull(f"no temporary file: {error.strerror}") from error
        message = {"operation": "transcode", "file": [file.offset, file.length], "target": target_uid}
        seconds = self._workers.limits.seconds_max * _TRANSCODE_FACTOR
        answer, descriptors = self._workers.ask(message, (file.fd, target.fd), seconds)
        for descriptor in descriptors:
            os.close(descriptor)
        size, prefix = answer.get("size_bytes"), answer.get("prefix_bytes")
        if not isinstance(size, int) or not isinstance(prefix, int) or os.fstat(target.fd).st_size != size:
            raise UndecodableImage("the decoder did not write what it says")
        return Transcoded(FileRange(target, 0, size), prefix)

    def close(self) -> None:
        """End all workers; calls under way fail. Idempotent."""
        self._workers.close()

    def _ask(self, message: Message, dataset: FileRange) -> tuple[Message, list[int]]:
        return self._workers.ask(message, (dataset.fd,), self._workers.limits.seconds_max)


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


def _result(descriptors: list[int]) -> bytes | memoryview:
    if len(descriptors) != 1:
        for descriptor in descriptors:
            os.close(descriptor)
        raise UndecodableImage("the decoder answered without a result")
    return opened(descriptors[0])
