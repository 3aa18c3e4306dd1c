"""Whole objects rewritten to a native syntax: every element as it was, pixels as another decoder makes them."""

from __future__ import annotations

import gc
import subprocess
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from fileroom.archive.decode import Decoder
from fileroom.archive.packs import FileRange, PackFile
from fileroom.archive.scratch import Scratch
from fileroom.archive.transcode import transcode
from fileroom.archive.worker_messages import sealed
from fileroom.archive.workers import WorkerLimits
from fileroom.dicom.part10 import read_meta
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, syntax
from fileroom.errors import Busy, FileroomError, UndecodableImage
from tests.support.real_objects import all_files, named

SMALL = [path for path in all_files() if path.stat().st_size < 600_000 and path.name != "DICOMDIR"]
PIXELS = {0x7FE00001, 0x7FE00002, 0x7FE00003, 0x7FE00008, 0x7FE00009, 0x7FE00010}
TURNED = {"OW", "UN", "SQ"}  # pydicom leaves these in big endian; private ones lose their VR in implicit VR
REDECLARED = {0x00280004, 0x00280006}


def rewritten(path: Path, target: str) -> bytes:
    raw = path.read_bytes()
    out = BytesIO()
    descriptor = sealed(b"x" * 5000 + raw + b"y" * 5000)
    file = PackFile(descriptor)
    written = transcode(file.fd, 5000, len(raw), target, out)
    whole = out.getvalue()
    assert written.size_bytes == len(whole)
    assert read_meta(whole).dataset_offset == written.prefix_bytes
    return whole


def tags(dataset: Dataset) -> list[BaseTag]:
    return [tag for tag in list(dataset.keys()) if tag not in PIXELS | REDECLARED and tag.element]


def raw_value(dataset: Dataset, tag: BaseTag) -> Any:
    """The bytes; of what pydicom has read already, its value."""
    element = dataset.get_item(tag)
    assert element is not None
    return b"" if element.value is None or element.value == "" else element.value


def changed_bytes(before: Dataset, after: Dataset, where: str = "") -> list[str]:
    """The elements whose value does not lie byte for byte in both files, sequences item by item."""
    if tags(before) != tags(after):
        return [f"{where}: {set(tags(before)) ^ set(tags(after))}"]
    changed = []
    for tag in tags(before):
        a, b = raw_value(before, tag), raw_value(after, tag)
        if isinstance(a, bytes) and isinstance(b, bytes):
            changed += [] if a == b else [f"{where}{tag}"]
        elif before[tag].VR == "SQ" and len(before[tag].value) == len(after[tag].value):
            for number, (x, y) in enumerate(zip(before[tag].value, after[tag].value, strict=True)):
                changed += changed_bytes(x, y, f"{where}{tag}/{number}/")
        elif before[tag].value != after[tag].value:
            changed.append(f"{where}{tag}")
    return changed


def changed_values(before: Dataset, after: Dataset) -> list[str]:
    """For big-endian originals, whose bytes must differ: the elements that pydicom reads as another value."""
    return [str(tag) for tag in tags(before) if before[tag].VR not in TURNED and before[tag].value != after[tag].value]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read(source: Path | bytes) -> Dataset:
    return pydicom.dcmread(BytesIO(source) if isinstance(source, bytes) else source, force=True)


def pixel_array(dataset: Dataset) -> numpy.ndarray[Any, Any] | None:
    try:
        return dataset.pixel_array
    except (AttributeError, RuntimeError, ValueError, NotImplementedError):
        return None


def is_whole(path: Path) -> bool:
    return not any(word in path.name for word in ("trunc", "too_short", "nooffset", "badVR", "embedded", "bad_seq"))


@pytest.mark.parametrize("target", [EXPLICIT_LE, IMPLICIT_LE], ids=["explicit", "implicit"])
@pytest.mark.parametrize("path", [path for path in SMALL if is_whole(path)], ids=lambda path: path.name)
def test_every_element_and_every_pixel_is_as_it_was(path: Path, target: str) -> None:
    before = read(path)
    if not before.file_meta.get("TransferSyntaxUID") or not before.file_meta.get("MediaStorageSOPInstanceUID"):
        return
    if "PixelData" in before and not before.get("Rows"):
        return
    whole = rewritten(path, target)
    after = read(whole)
    assert after.file_meta.TransferSyntaxUID == target
    assert after.file_meta.MediaStorageSOPInstanceUID == before.file_meta.MediaStorageSOPInstanceUID
    if syntax(before.file_meta.TransferSyntaxUID).big_endian:
        assert len(changed_values(before, after)) == 0
    else:
        assert changed_bytes(read(path), read(whole)) == []
    expected = pixel_array(before)
    if expected is not None:
        assert numpy.array_equal(after.pixel_array, expected)


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_dcmtk.dcm", "JPEG-LL.dcm", "JPEG-lossy.dcm", "SC_rgb_rle_2frame.dcm"])
def test_dcmtk_reads_what_we_write_as_what_it_writes(name: str, tmp_path: Path, dcmtk: Callable[[str], str]) -> None:
    ours, theirs = tmp_path / "ours.dcm", tmp_path / "theirs.dcm"
    ours.write_bytes(rewritten(named(name), EXPLICIT_LE))
    tool = "dcmdrle" if "rle" in name else "dcmdjpeg"
    subprocess.run([dcmtk(tool), str(named(name)), str(theirs)], check=True)
    subprocess.run([dcmtk("dcmftest"), str(ours)], check=True, stdout=subprocess.DEVNULL)
    a, b = read(ours), read(theirs)
    assert a.PhotometricInterpretation == b.PhotometricInterpretation
    assert numpy.abs(a.pixel_array.astype(int) - b.pixel_array).max() <= (3 if "rgb" in name else 0)


def test_compressed_icons_become_native_too() -> None:
    before = read(named("MR_small_jpeg_ls_lossless.dcm"))
    icon = Dataset()
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        setattr(icon, keyword, before[keyword].value)
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.add_new(0x7FE00010, "OB", before.PixelData)
    icon["PixelData"].is_undefined_length = True
    before.IconImageSequence = [icon]
    file = BytesIO()
    before.save_as(file)
    descriptor = PackFile(sealed(file.getvalue()))
    out = BytesIO()
    transcode(descriptor.fd, 0, len(file.getvalue()), EXPLICIT_LE, out)
    after = read(out.getvalue())
    assert after.IconImageSequence[0].PixelData == after.PixelData == read(named("MR_small.dcm")).PixelData


@pytest.mark.parametrize("path", [path for path in SMALL if not is_whole(path)], ids=lambda path: path.name)
def test_broken_objects_are_refused_or_rewritten_whole(path: Path) -> None:
    try:
        after = read(rewritten(path, EXPLICIT_LE))
    except FileroomError:
        return
    assert len(after) > 0


def test_other_targets_are_refused() -> None:
    with pytest.raises(UndecodableImage):
        rewritten(named("CT_small.dcm"), "1.2.840.10008.1.2.4.90")


def test_through_a_worker_the_result_is_a_range_that_lives_as_long_as_it_is_held(tmp_path: Path) -> None:
    decoder = Decoder(WorkerLimits(1, 400 << 20, 10.0), scratch=Scratch(tmp_path))
    path = named("emri_small_jpeg_2k_lossless.dcm")
    source = FileRange(PackFile(sealed(path.read_bytes())), 0, path.stat().st_size)
    result = decoder.transcode(source, EXPLICIT_LE)
    assert list(tmp_path.iterdir()) == []
    assert result.file.read() == rewritten(path, EXPLICIT_LE)
    assert result.dataset.read() == result.file.read()[result.prefix_bytes :]
    assert numpy.array_equal(read(result.file.read()).pixel_array, read(path).pixel_array)
    decoder.close()


def test_a_result_larger_than_the_space_for_such_is_refused_and_takes_none(tmp_path: Path) -> None:
    path = named("emri_small_jpeg_2k_lossless.dcm")
    source = FileRange(PackFile(sealed(path.read_bytes())), 0, path.stat().st_size)
    size = len(rewritten(path, EXPLICIT_LE))
    scratch = Scratch(tmp_path, 2 * size - 2)  # one file may hold half of it
    decoder = Decoder(WorkerLimits(1, 400 << 20, 10.0), scratch)
    for _ in range(2):
        with pytest.raises(Busy):
            decoder.transcode(source, EXPLICIT_LE)
    gc.collect()
    assert scratch.held_bytes == 0
    decoder.close()
    roomy = Decoder(WorkerLimits(1, 400 << 20, 10.0), Scratch(tmp_path, 2 * size))
    slow = roomy.transcode(source, EXPLICIT_LE)
    assert slow.file.length == size
    with pytest.raises(Busy):
        roomy.transcode(source, EXPLICIT_LE)
    roomy.close()
