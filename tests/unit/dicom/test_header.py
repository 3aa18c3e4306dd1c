"""The header scan reads what the index needs, from every encoding, and never from inside a sequence."""

from __future__ import annotations

import mmap
import struct
import zlib

import pytest

from fileroom.dicom.header import Header, scan
from fileroom.dicom.header_values import VALUE_CHARACTERS_MAX
from fileroom.dicom.syntax import (
    DEFLATED_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    JPEG_BASELINE,
    TransferSyntax,
    syntax,
)
from fileroom.errors import InvalidUid, MalformedObject
from tests.support.raw_elements import (
    EXPLICIT,
    IMPLICIT,
    SERIES,
    SOP,
    SOP_CLASS,
    STUDY,
    UNDEFINED,
    element,
    identity,
    item,
    sequence,
    sequence_end,
)

PLAIN = [syntax(uid) for uid in (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE)]
IDENTITY = {"sop_class_uid": SOP_CLASS, "sop_uid": SOP, "study_uid": STUDY, "series_uid": SERIES}


def us(tag: int, number: int, to: TransferSyntax = EXPLICIT) -> bytes:
    return element(tag, "US", struct.pack(">H" if to.big_endian else "<H", number), to=to)


def image(to: TransferSyntax = EXPLICIT) -> bytes:
    """Elements of the Image Pixel module, before the pixel data."""
    numbers = {2: 3, 6: 1, 0x10: 480, 0x11: 640, 0x100: 16, 0x101: 12, 0x102: 11, 0x103: 1}
    parts = [us(0x00280000 | number, value, to) for number, value in numbers.items()]
    parts.insert(1, element(0x00280004, "CS", b"RGB ", to=to))
    parts.insert(3, element(0x00280008, "IS", b"7 ", to=to))
    return b"".join(parts)


def scanned(*elements: bytes, to: TransferSyntax = EXPLICIT) -> Header:
    return scan(identity(to) + b"".join(elements), to)


@pytest.mark.parametrize("to", PLAIN, ids=lambda to: to.name)
def test_values_and_pixels_are_read_in_each_encoding(to: TransferSyntax) -> None:
    name = element(0x00100010, "PN", b"DOE^JANE ", to=to)
    rest = image(to) + element(0x7FE00010, "OW", b"\1\2\3\4", to=to)
    header = scan(_in_order(to, name) + rest, to)
    assert header.values == IDENTITY | {
        "patient_name": "DOE^JANE",
        "rows": "480",
        "columns": "640",
        "bits_allocated": "16",
        "frame_count": "7",
    }
    pixels = header.pixels
    assert pixels is not None
    assert (pixels.keyword, pixels.length, pixels.photometric, pixels.frames) == ("PixelData", 4, "RGB", 7)
    assert (pixels.rows, pixels.columns, pixels.samples, pixels.planar) == (480, 640, 3, 1)
    assert (pixels.bits_allocated, pixels.bits_stored, pixels.high_bit, pixels.pixel_representation) == (16, 12, 11, 1)
    assert pixels.offset == len(_in_order(to, name) + rest) - 4
    assert header.warnings == ()


def _in_order(to: TransferSyntax, patient: bytes) -> bytes:
    whole = identity(to)
    cut = whole.index(element(0x0020000D, "UI", (STUDY + "\0").encode(), to=to))
    return whole[:cut] + patient + whole[cut:]


def test_every_kind_of_buffer_is_read() -> None:
    dataset = identity() + image() + element(0x7FE00010, "OW", bytes(1000))
    expected = scan(dataset, EXPLICIT)
    mapped = mmap.mmap(-1, len(dataset))
    mapped[:] = dataset
    for buffer in (bytearray(dataset), memoryview(dataset), memoryview(b"x" + dataset)[1:], mapped):
        assert scan(buffer, EXPLICIT) == expected
    mapped.close()  # nothing may still point into it


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize(("to", "vr"), [*((to, "SQ") for to in PLAIN), (EXPLICIT, "UN"), (IMPLICIT, "UN")])
def test_values_inside_sequences_are_never_taken_for_top_level_ones(
    to: TransferSyntax, vr: str, undefined: bool
) -> None:
    inner = IMPLICIT if vr == "UN" else to
    inside = element(0x00100020, "LO", b"OTHER ", to=inner) + element(0x0020000D, "UI", b"9.9.9\0", to=inner)
    referenced = sequence(0x00081115, item(inside, to=inner, undefined=undefined), to=inner, undefined=undefined)
    if vr == "UN":
        value = item(referenced, to=inner, undefined=undefined)
        outer = element(0x00091001, "UN", value, to=to, length=UNDEFINED if undefined else None)
        outer += sequence_end(to) if undefined else b""
    else:
        outer = sequence(0x00081140, item(referenced, to=to, undefined=undefined), to=to, undefined=undefined)
    header = scan(outer + identity(to), to)
    assert header.values == IDENTITY


def test_behind_a_un_inside_an_item_the_item_goes_on_in_its_own_encoding() -> None:
    implicit = item(element(0x00080060, "CS", b"CT", to=IMPLICIT), to=IMPLICIT, undefined=True)
    un = element(0x00091001, "UN", implicit, length=UNDEFINED) + sequence_end()
    inside = un + element(0x00100020, "LO", b"OTHER ") + element(0x00100040, "CS", b"O ")
    outer = sequence(0x00081140, item(inside, undefined=True), undefined=True)
    assert scanned(outer, element(0x7FE00010, "OW", bytes(1 << 20))).values == IDENTITY


def test_explicit_elements_inside_a_un_of_undefined_length_are_walked_too() -> None:
    inside = element(0x00081155, "UI", b"1.2.3.4.5.6.7.8\0") + element(0x00100020, "LO", b"OTHER ")
    outer = element(0x00091001, "UN", item(inside, undefined=True), length=UNDEFINED) + sequence_end()
    assert scanned(outer).values == IDENTITY


def test_the_first_of_two_equal_tags_counts_and_a_warning_says_so() -> None:
    header = scanned(element(0x00100020, "LO", b"1 "), element(0x00100020, "LO", b"2 "))
    assert header.values["patient_id"] == "1"
    assert any("patient_id" in warning for warning in header.warnings)


def test_elements_out_of_order_and_behind_the_pixels_are_read() -> None:
    header = scanned(
        element(0x7FE00010, "OW", bytes(400_000)),
        element(0xFFFCFFFC, "OB", bytes(10)),
        element(0x00100020, "LO", b"7 "),
        element(0x00080060, "CS", b"CT"),
    )
    assert (header.values["patient_id"], header.values["modality"]) == ("7", "CT")
    assert header.pixels is not None
    assert header.pixels.length == 400_000


def test_group_lengths_odd_lengths_and_trailing_padding_do_no_harm() -> None:
    header = scanned(
        element(0x00100000, "UL", struct.pack("<I", 12345)),
        element(0x00100020, "LO", b"ABC"),
        element(0xFFFCFFFC, "OB", bytes(100)),
        bytes(64),
    )
    assert header.values["patient_id"] == "ABC"


@pytest.mark.parametrize(
    "odd",
    [
        element(0x00091001, "??", b"abcd"),
        element(0x00091001, "--", b"abcd"),
        element(0x00091001, "ZZ", struct.pack("<I", 4) + b"abcd", length=0),  # a VR to come: 32 bits of length
        element(0x00091001, "ZZ", b"abcd"),  # and one whose writer did not know that
        element(0x00091001, "", b"abcd", to=IMPLICIT),
        sequence(
            0x00091001, item(element(0x00100020, "LO", b"X ", to=IMPLICIT), undefined=True), to=IMPLICIT, undefined=True
        ),
        element(0x00091001, "OB", item(b"abcd") + item(b""), length=UNDEFINED) + sequence_end(),
    ],
)
def test_elements_of_unknown_kind_are_stepped_over(odd: bytes) -> None:
    header = scanned(odd, element(0x00100020, "LO", b"7 "))
    assert header.values == IDENTITY | {"patient_id": "7"}


def test_fragments_are_walked_to_their_delimiter() -> None:
    encapsulated = syntax(JPEG_BASELINE)
    pixel_data = element(0x7FE00010, "OB", item(b"") + item(b"\xff\xd8ab") + item(b"cd"), length=UNDEFINED)
    before = identity() + image()
    header = scan(before + pixel_data + sequence_end() + element(0x00100020, "LO", b"1 "), encapsulated)
    assert header.pixels is not None
    assert (header.pixels.length, header.pixels.offset) == (-1, len(before) + 12)
    assert header.values["patient_id"] == "1"
    with pytest.raises(MalformedObject):
        scan(before + pixel_data, encapsulated)


@pytest.mark.parametrize(("tag", "keyword"), [(0x7FE00008, "FloatPixelData"), (0x7FE00009, "DoubleFloatPixelData")])
def test_float_pixels_are_named(tag: int, keyword: str) -> None:
    pixels = scanned(element(tag, "OF" if "Double" not in keyword else "OD", bytes(16))).pixels
    assert pixels is not None
    assert (pixels.keyword, pixels.length, pixels.samples, pixels.frames) == (keyword, 16, 1, 1)


def test_text_is_trimmed_decoded_and_joined() -> None:
    header = scanned(
        element(0x00080005, "CS", b"ISO_IR 192"),
        element(0x00080008, "CS", b"ORIGINAL \\ PRIMARY\\AXIAL "),
        element(0x00080080, "LO", "Klinik Süd ".encode()),
        element(0x00100020, "LO", b"  12 34  "),
        element(0x00100030, "DA", b""),
        element(0x00100040, "CS", b"  "),
    )
    assert header.charset == "ISO_IR 192"
    assert header.values == IDENTITY | {
        "image_type": "ORIGINAL\\PRIMARY\\AXIAL",
        "institution_name": "Klinik Süd",
        "patient_id": "12 34",
    }


def test_the_character_set_counts_wherever_it_stands() -> None:
    header = scanned(element(0x00100010, "PN", b"J\xf6rg"), element(0x00080005, "CS", b"ISO_IR 100"))
    assert header.values["patient_name"] == "Jörg"


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ([element(0x00080005, "CS", b"KLINGON ")], "character set is unknown"),
        ([element(0x00080005, "CS", b"ISO\0IR 6 ")], "character set is not one"),
        ([element(0x00080005, "UT", b"ISO_IR 100\\" * 50_000)], "character set is not one"),
        ([element(0x00100010, "PN", b"J\xf6rg")], "no character set"),
        ([element(0x00280008, "IS", b"-3")], ""),
        ([element(0x00280008, "IS", b"-3"), element(0x7FE00010, "OW", b"")], "frame_count"),
        ([element(0x00280010, "US", b"1")], "rows"),
        ([element(0x00081030, "LO", b"x" * 2000)], "cut to"),
        ([element(0x00081030, "LO", b"CT\0HEAD")], "null"),
        ([sequence_end()], "delimiter"),
    ],
)
def test_oddities_are_kept_with_a_warning_that_repeats_no_value(elements: list[bytes], said: str) -> None:
    warnings = " | ".join(scanned(*elements).warnings)
    assert said in warnings
    assert "rg" not in warnings.replace("larger", "")
    assert bool(warnings) == bool(said)


def test_a_value_is_never_longer_than_an_index_can_hold_and_holds_no_null() -> None:
    header = scanned(element(0x00081030, "UT", b"ab\0c\\d\0e\\" + b"x" * 300_000))
    assert header.values["study_description"].startswith("ab\\d\\xxx")
    assert len(header.values["study_description"]) == VALUE_CHARACTERS_MAX


def test_a_patient_id_is_refused_rather_than_cut() -> None:
    for size in (600, 3000):
        with pytest.raises(MalformedObject, match="patient_id"):
            scanned(element(0x00100020, "LO", b"1" * size))


@pytest.mark.parametrize("missing", range(4))
def test_an_object_without_one_of_its_four_uids_is_refused(missing: int) -> None:
    tags = [(0x00080016, SOP_CLASS), (0x00080018, SOP), (0x0020000D, STUDY), (0x0020000E, SERIES)]
    kept = [element(tag, "UI", uid.encode()) for tag, uid in tags[:missing] + tags[missing + 1 :]]
    with pytest.raises(MalformedObject, match="is missing"):
        scan(b"".join(kept), EXPLICIT)


@pytest.mark.parametrize("uid", [b"9" * 65, b"1.2 3", b"1.2.\xe9"])
def test_a_uid_that_cannot_be_kept_is_refused(uid: bytes) -> None:
    with pytest.raises(InvalidUid):
        scan(element(0x0020000D, "UI", uid) + identity(), EXPLICIT)


@pytest.mark.parametrize("uid", [b"1.02", b"../../x", b"STUDY-7", b"1..2", b"1.2\\1.3"])
def test_an_odd_uid_is_kept_and_flagged(uid: bytes) -> None:
    header = scan(element(0x0020000D, "UI", uid) + identity(), EXPLICIT)
    assert header.values["study_uid"] == uid.decode()
    assert "study_uid is not a standard UID" in header.warnings


def _deflated(dataset: bytes, wbits: int = -15) -> bytes:
    deflater = zlib.compressobj(1, wbits=wbits)
    return deflater.compress(dataset) + deflater.flush()


@pytest.mark.parametrize("wbits", [-15, 15])
def test_a_deflated_dataset_is_inflated_with_pad_byte_or_zlib_header(wbits: int) -> None:
    dataset = identity() + image() + element(0x7FE00010, "OW", bytes(1000))
    assert scan(_deflated(dataset, wbits) + b"\0", syntax(DEFLATED_LE)) == scan(dataset, EXPLICIT)


def test_a_large_deflated_dataset_is_read_without_keeping_its_pixels() -> None:
    dataset = identity() + image() + element(0x7FE00010, "OW", bytes(50_000_000)) + element(0xFFFCFFFC, "OB", b"ab")
    stream = _deflated(dataset)
    assert scan(stream, syntax(DEFLATED_LE)) == scan(dataset, EXPLICIT)
    with pytest.raises(MalformedObject, match="behind its pixel data"):
        scan(_deflated(dataset + element(0xFFFCFFFC, "OB", bytes(4 << 20))), syntax(DEFLATED_LE))
    with pytest.raises(MalformedObject):
        scan(_deflated(dataset[:-20]), syntax(DEFLATED_LE))
    with pytest.raises(MalformedObject):
        scan(stream[:-1000], syntax(DEFLATED_LE))
