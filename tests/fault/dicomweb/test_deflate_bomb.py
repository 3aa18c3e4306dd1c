"""A deflated object that inflates to a thousand times its size is served without holding it in memory."""

from __future__ import annotations

import tracemalloc
import zlib
from pathlib import Path

import pytest

from fileroom.archive.documents import Documents
from fileroom.archive.mapped import inflated
from fileroom.archive.scratch import Scratch
from fileroom.dicom.deflate import inflated_bytes_max
from fileroom.dicom.part10 import prefix
from fileroom.dicomweb.links import bulk_url
from fileroom.errors import Busy
from tests.support.archives import Archive, ct, encoded, running_archive

DEFLATED = "1.2.840.10008.1.2.1.99"
CT = "1.2.840.10008.5.1.4.1.1.2"
VALUE_BYTES = 200 << 20


def _bomb(archive: Archive) -> str:
    """Stores one; its SOP Instance UID."""
    dataset = ct(1)
    private = b"\x99\0\x10\0LO\x04\0EVIL" + b"\x99\0\x01\x10OB\0\0" + VALUE_BYTES.to_bytes(4, "little")
    deflater = zlib.compressobj(9, wbits=-15)
    raw = deflater.compress(encoded(dataset) + private)
    raw += b"".join(deflater.compress(bytes(1 << 20)) for _ in range(VALUE_BYTES >> 20)) + deflater.flush()
    file = prefix(CT, dataset.SOPInstanceUID, DEFLATED, "X") + raw
    assert len(file) < 1 << 20
    archive.store_file(file)
    return str(dataset.SOPInstanceUID)


def test_metadata_and_bulk_values_of_a_deflate_bomb_take_no_memory(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        (stored,) = archive.retriever.by_sop_uids([_bomb(archive)])
        documents = Documents(archive.database, archive.retriever, tmp_path / "cache", bulk_url)
        tracemalloc.start()
        try:
            assert b"/bulkdata/00991001" in documents.instance(stored, "http://localhost/dicomweb")
            view, how = archive.retriever.readable(stored)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert not how.deflated
        assert len(view) > VALUE_BYTES
        assert bytes(view[-10:]) == bytes(10)
        assert peak < 32 << 20, peak
        assert not any(path.suffix not in (".tar", ".part", "") for path in archive.packs.folder.iterdir())


def test_what_inflates_into_a_file_is_what_inflates_in_memory(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        (stored,) = archive.retriever.by_sop_uids([_bomb(archive)])
        deflated = archive.retriever.dataset(stored)
        scratch = Scratch(tmp_path)
        view = inflated(deflated, scratch)
        assert bytes(view[:4096]) == zlib.decompressobj(wbits=-15).decompress(deflated.read(), 4096)
        assert scratch.held_bytes == len(view)
        last = view[-1:]
        del view
        assert scratch.held_bytes > VALUE_BYTES, "as long as a part of it is used, its space is taken"
        del last
        assert scratch.held_bytes == 0


def test_readers_of_deflate_bombs_are_told_to_come_back_when_the_space_for_them_is_taken(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        (stored,) = archive.retriever.by_sop_uids([_bomb(archive)])
        deflated = archive.retriever.dataset(stored)
        scratch = Scratch(tmp_path, 5 * VALUE_BYTES // 2)
        slow = inflated(deflated, scratch)
        with pytest.raises(Busy):
            inflated(deflated, scratch)
        assert scratch.held_bytes == len(slow), "what was refused gave its space back"
        del slow
        assert len(inflated(deflated, scratch)) > VALUE_BYTES


def test_an_object_claims_no_more_space_than_it_can_inflate_to(tmp_path: Path) -> None:
    deflater = zlib.compressobj(9, wbits=-15)
    raw = deflater.compress(bytes(VALUE_BYTES)) + deflater.flush()
    assert VALUE_BYTES <= inflated_bytes_max(len(raw)) < 2 * VALUE_BYTES
    scratch = Scratch(tmp_path, 10 * VALUE_BYTES)
    claimed = [scratch.file(inflated_bytes_max(len(raw)), or_less=True) for _ in range(5)]
    assert all(file.bytes_max >= VALUE_BYTES for file in claimed), "several are read at once"
