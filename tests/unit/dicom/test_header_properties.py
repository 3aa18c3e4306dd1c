"""Random datasets, written by pydicom, read back by the scan as pydicom reads them; and every real file on disk."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.valuerep import PersonName

from fileroom.dicom.attributes import ATTRIBUTES
from fileroom.dicom.header import Pixels, scan
from fileroom.dicom.part10 import read_file_start, read_meta
from fileroom.dicom.syntax import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, TransferSyntax, syntax
from fileroom.errors import MalformedObject
from tests.support import real_objects
from tests.support.raw_elements import SERIES, SOP, SOP_CLASS, STUDY

SCANNED = tuple(a for a in ATTRIBUTES if a.scanned)
PLAIN = [syntax(uid) for uid in (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE)]
BROKEN = {"MR_truncated.dcm", "rtplan_truncated.dcm", "emri_small_jpeg_2k_lossless_too_short.dcm"}

TEXT = st.text("ABCxyz 0123é^=ßñ", max_size=12)
VALUES = {
    "DA": st.dates().map(lambda date: f"{date.year:04}{date.month:02}{date.day:02}"),
    "TM": st.times().map(lambda time: f"{time:%H%M%S}"),
    "UI": st.lists(st.integers(0, 9999), min_size=2, max_size=8).map(lambda parts: ".".join(map(str, parts))),
    "IS": st.integers(-99999, 99999).map(str),
    "US": st.integers(0, 65535),
    "CS": st.lists(st.text("ABC_ 12", min_size=1, max_size=8).filter(str.strip), max_size=3),
    "AS": st.sampled_from(["045Y", "003M"]),
    "DS": st.just("1.5"),
    "OB": st.binary(max_size=10).map(lambda value: value + b"\0" * (len(value) % 2)),
    "UT": TEXT,
    "UN": st.binary(max_size=10).map(lambda value: value + b"\0" * (len(value) % 2)),
}
TAGS = {a.tag: a.vr for a in SCANNED} | {0x00180050: "DS", 0x00091001: "UN", 0x00420011: "OB", 0x0040A160: "UT"}
SEQUENCES = [0x00081115, 0x00081140, 0x00400275, 0x0040A730, 0x52009230]


@st.composite
def datasets(draw: st.DrawFn, depth: int = 3) -> Dataset:
    """Some of the indexed attributes, others, and sequences that hold the same again."""
    dataset = Dataset()
    for tag in draw(st.sets(st.sampled_from(sorted(TAGS)), max_size=8)):
        dataset.add_new(tag, TAGS[tag], draw(VALUES.get(TAGS[tag], TEXT)))
    if depth:
        for tag in draw(st.sets(st.sampled_from(SEQUENCES), max_size=2)):
            items = draw(st.lists(datasets(depth=depth - 1), max_size=2))
            for one in items:
                one.is_undefined_length_sequence_item = draw(st.booleans())
            dataset.add_new(tag, "SQ", items)
            dataset[tag].is_undefined_length = draw(st.booleans())
    return dataset


@settings(max_examples=150)
@given(datasets(), st.sampled_from(PLAIN))
def test_any_dataset_is_read_as_pydicom_reads_it(dataset: Dataset, to: TransferSyntax) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = SOP_CLASS, SOP
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY, SERIES
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = to.implicit, not to.big_endian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_dataset(file, dataset)
        expected = _values(pydicom.filereader.read_dataset(BytesIO(file.getvalue()), to.implicit, not to.big_endian))
    header = scan(file.getvalue(), to)
    assert header.values == expected
    assert header.charset == "ISO_IR 192"


def _values(dataset: Dataset) -> dict[str, str]:
    return {a.column: text for a in SCANNED if a.tag in dataset and (text := _text(dataset, a.tag))}


def _text(dataset: Dataset, tag: int) -> str:
    """A value as text, from pydicom's own decoding."""
    value = dataset[tag].value
    if value is None:
        return ""
    several = value if isinstance(value, pydicom.multival.MultiValue | list) else [value]
    texts = [str(one if isinstance(one, PersonName) else getattr(one, "original_string", one)) for one in several]
    return "\\".join(text.strip(" \0") for text in texts)


def _real() -> Iterator[Path]:
    return (path for path in real_objects.all_files() if path.stat().st_size < 4 << 20)


@pytest.mark.filterwarnings("ignore")
def test_every_real_file_is_read_as_pydicom_reads_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "pydicom")
    read = 0
    for path in _real():
        content = path.read_bytes()
        meta = read_file_start(content) if path.name != "meta_missing_tsyntax.dcm" else None
        if meta is None or path.name in BROKEN:
            continue
        dataset = pydicom.dcmread(BytesIO(content), force=True)
        if not all(uid in dataset for uid in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")):
            with pytest.raises(MalformedObject, match="is missing"):
                scan(memoryview(content)[meta.dataset_offset :], syntax(meta.transfer_syntax))
            continue
        header = scan(memoryview(content)[meta.dataset_offset :], syntax(meta.transfer_syntax))
        assert header.values == _values(dataset), path.name
        _check_pixels(header.pixels, dataset, path.name)
        read += 1
    assert read > 150


def _check_pixels(pixels: Pixels | None, dataset: Dataset, name: str) -> None:
    keyword = next((k for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if k in dataset), None)
    if keyword is None:
        assert pixels is None, name
        return
    assert pixels is not None, name
    get = dataset.get
    assert (pixels.keyword, pixels.rows, pixels.columns) == (keyword, dataset.Rows, dataset.Columns), name
    assert (pixels.samples, pixels.photometric) == (dataset.SamplesPerPixel, dataset.PhotometricInterpretation), name
    assert (pixels.bits_allocated, pixels.bits_stored) == (dataset.BitsAllocated, get("BitsStored", 0)), name
    frames = str(get("NumberOfFrames") or 1)
    assert pixels.frames == (int(frames) if frames.isdecimal() else 1), name
    if pixels.length >= 0:
        assert pixels.length == len(dataset[keyword].value), name


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_real_files_that_are_cut_short_are_refused(name: str) -> None:
    content = real_objects.named(name).read_bytes()
    meta = read_meta(content)
    with pytest.raises(MalformedObject):
        scan(content[meta.dataset_offset :], syntax(meta.transfer_syntax))


def test_a_real_file_cut_at_any_byte_is_refused_or_cut_between_elements() -> None:
    content = real_objects.named("CT_small.dcm").read_bytes()
    dataset = content[read_meta(content).dataset_offset :]
    starts = {element.file_tell for element in pydicom.dcmread(real_objects.named("CT_small.dcm"))}
    explicit = syntax(EXPLICIT_LE)
    passed = []
    for size in range(1, len(dataset), 7):
        try:
            scan(dataset[:size], explicit)
        except MalformedObject:
            continue
        passed.append(size)
    offset = len(content) - len(dataset)
    values = {start - offset for start in starts}
    assert all(size + 8 in values or size + 12 in values for size in passed)
