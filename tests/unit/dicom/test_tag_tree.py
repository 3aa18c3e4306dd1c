"""Every element as a line, whatever the bytes are: named, short, closed, and bounded."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from fileroom.dicom.syntax import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, syntax
from fileroom.dicom.tag_tree import Kind, Line, tag_tree
from tests.support import corpus
from tests.support.raw_elements import UNDEFINED, element, item, sequence, sequence_end

LITTLE = syntax(EXPLICIT_LE)


def lines(data: bytes, lines_max: int = 10_000) -> list[Line]:
    found = list(tag_tree(data, LITTLE, lines_max))
    open_now = 0
    for line in found:
        open_now += (line.kind in (Kind.SEQUENCE, Kind.ITEM)) - (line.kind is Kind.END)
        assert open_now >= 0
    assert open_now == 0, "an END is missing"
    return found


def troubles(found: list[Line]) -> list[str]:
    return [line.text for line in found if line.kind is Kind.TROUBLE]


def test_a_slice_is_read_to_its_end_and_its_pixels_are_only_measured() -> None:
    (one,) = corpus.ct_study(1, slices=1)
    found = lines(one.dataset)
    by_tag = {line.tag: line for line in found if line.kind is Kind.ELEMENT}
    assert troubles(found) == []
    assert (by_tag[0x00100010].vr, by_tag[0x00100010].name) == ("PN", "Patient's Name")
    assert by_tag[0x00080016].text == "1.2.840.10008.5.1.4.1.1.2 = CT Image Storage"
    assert by_tag[0x00280010].text == "512"
    assert by_tag[0x00200032].text.startswith("-180\\-180\\")
    assert (by_tag[0x7FE00010].text, by_tag[0x7FE00010].left_out) == ("", "524,288 bytes")
    assert by_tag[0x00191001].name == "Private to FILEROOM CORPUS 01"
    kinds = [(line.kind, line.name) for line in found]
    start = kinds.index((Kind.SEQUENCE, "Procedure Code Sequence"))
    assert kinds[start + 1] == (Kind.ITEM, "Item 1")
    assert [kind for kind, _ in kinds[start + 5 : start + 7]] == [Kind.END, Kind.END]


def test_byte_orders_and_implicit_vr_mean_the_same() -> None:
    for uid in (EXPLICIT_BE, IMPLICIT_LE, EXPLICIT_LE):
        how = syntax(uid)
        order = ">" if how.big_endian else "<"
        data = element(0x00280010, "US", struct.pack(order + "H", 7), to=how)
        data += element(0x00281050, "DS", b"40\\50 ", to=how)
        assert [(line.vr, line.text) for line in tag_tree(data, how)] == [("US", "7"), ("DS", "40\\50")]


def test_long_values_are_cut_and_say_how_long_they_are() -> None:
    (text, numbers, binary, short, unknown) = lines(
        element(0x0040A160, "UT", b"word " * 10_000)
        + element(0x00281201, "UL", struct.pack("<500I", *range(500)))
        + element(0x00282000, "OB", bytes(5000))
        + element(0x00420011, "OB", b"\x01\xff")
        + element(0x00990001, "UN", b"plain text")
    )
    assert len(text.text) == 400
    assert text.left_out == "50,000 bytes in all"
    assert numbers.text.startswith("0\\1\\2\\")
    assert numbers.left_out == "500 values in all"
    assert (binary.text, binary.left_out) == ("", "5,000 bytes")
    assert (short.text, short.left_out) == ("01 ff", "")
    assert (unknown.text, unknown.name) == ("plain text", "Private, creator not named")


def test_fragments_are_stepped_over() -> None:
    value = item(b"") + item(bytes(1000))
    pixels = element(0x7FE00010, "OB", value, length=UNDEFINED) + sequence_end()
    found = lines(pixels + element(0xFFFCFFFC, "OB", bytes(2)))
    assert found[0].left_out == "1,024 bytes in fragments"
    assert found[1].tag == 0xFFFCFFFC


def test_nesting_without_end_is_said_and_what_follows_is_read() -> None:
    deep = b""
    for _ in range(2000):
        deep = sequence(0x00400275, item(deep))
    found = lines(deep + element(0x00400280, "ST", b"still here"))
    assert len(found) < 300
    assert any("nested deeper than 64" in said for said in troubles(found))
    assert found[-1].text == "still here"


def test_damage_in_a_sequence_costs_that_sequence() -> None:
    broken = item(element(0x00080100, "SH", b"abcd", length=4000))
    found = lines(sequence(0x00081032, broken) + element(0x00081090, "LO", b"behind"))
    assert len(troubles(found)) == 1
    assert "not shown" in troubles(found)[0]
    assert found[-1].text == "behind"


def test_an_item_without_its_end_is_said_once() -> None:
    cut = element(0x00081032, "SQ", b"", length=UNDEFINED) + struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
    found = lines(cut + element(0x00080100, "SH", b"ab"))
    assert [line.text for line in found if line.kind is Kind.ELEMENT] == ["ab"]
    assert any("without its delimiter" in said for said in troubles(found))


def test_a_million_elements_end_at_the_bound() -> None:
    data = b"".join(element(0x00091000 + (n & 0xFF), "LO", b"") for n in range(100_000))
    found = lines(data, 500)
    assert len(found) == 501
    assert "more elements" in troubles(found)[0]
    nested = sequence(0x00081032, *[item(element(0x00080100, "SH", b"ab"))] * 1000)
    assert "more elements" in troubles(lines(nested, 500))[0]


def test_the_character_set_and_its_change_in_an_item_are_followed() -> None:
    inner = item(element(0x00080005, "CS", b"ISO_IR 100") + element(0x00080104, "LO", b"\xe9t\xe9 "))
    data = element(0x00080005, "CS", b"ISO_IR 192") + sequence(0x00081032, inner)
    found = lines(data + element(0x00100010, "PN", "Éva".encode() + b" "[: len("Éva".encode()) % 2]))
    assert [line.text for line in found if line.tag in (0x00080104, 0x00100010)] == ["été", "Éva"]


(_SLICE,) = corpus.small_studies(1)


@given(st.lists(st.tuples(st.integers(0, len(_SLICE.dataset) - 1), st.integers(0, 255)), max_size=8), st.booleans())
def test_no_bytes_raise_anything(changes: list[tuple[int, int]], implicit: bool) -> None:
    data = bytearray(_SLICE.dataset)
    for place, value in changes:
        data[place] = value
    lines(bytes(data))
    list(tag_tree(bytes(data), syntax(IMPLICIT_LE if implicit else EXPLICIT_BE)))


@given(st.binary(max_size=300))
def test_no_noise_raises_anything(data: bytes) -> None:
    lines(data)
