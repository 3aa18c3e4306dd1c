"""A dataset as DICOM JSON: each value representation, bulk data, nesting, character sets, hostile bytes."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileroom.dicom.bulk import bulk_value
from fileroom.dicom.syntax import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, syntax
from fileroom.dicom.to_json import to_json
from fileroom.errors import MalformedObject, NotFound

LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    return head + (struct.pack("<HI", 0, size) if vr in LONG else struct.pack("<H", size)) + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def item(value: bytes) -> bytes:
    return implicit(0xFFFEE000, value)


def read(dataset: bytes, uid: str = EXPLICIT_LE, **options: bool) -> dict[str, Any]:
    document = json.loads(to_json(dataset, syntax(uid), "bulk", **options))
    assert isinstance(document, dict)
    return document


def values(vr: str, raw: bytes) -> Any:
    document = read(element(0x00091001, vr, raw))
    assert document["00091001"].pop("vr") == vr
    return document["00091001"].get("Value")


@pytest.mark.parametrize(
    ("vr", "raw", "expected"),
    [
        ("LO", b"one\\two ", ["one", "two"]),
        ("LO", b" kept ", [" kept"]),
        ("LO", b"a\\\\b", ["a", None, "b"]),
        ("LO", b"  ", None),
        ("LO", b"", None),
        ("CS", b" ORIGINAL \\PRIMARY", ["ORIGINAL", "PRIMARY"]),
        ("UI", b"1.2.3\0", ["1.2.3"]),
        ("LT", b"one\\value ", ["one\\value"]),
        ("UR", b"http://host/a\\b", ["http://host/a\\b"]),
        ("UC", b"a\\b", ["a", "b"]),
        ("IS", b" 12\\-3\\+4", [12, -3, 4]),
        ("IS", b"1.5 ", ["1.5"]),
        ("IS", b"5\\\\6 ", [5, None, 6]),
        ("DS", b"1.50\\2 ", [1.5, 2]),
        (
            "DS",
            b"0.1234567890123456",
            [0.1234567890123456],
        ),
        ("DS", b"9007199254740993", ["9007199254740993"]),
        ("DS", b"1e400 ", ["1e400"]),
        ("DS", b"nan\\inf\\1_0", ["nan", "inf", "1_0"]),
        ("DS", b"1E2 ", [100]),
        ("AT", b"\x10\x00\x20\x00\x28\x00\x0e\x30", ["00100020", "0028300E"]),
        ("US", b"\xff\xff\x01\x00", [65535, 1]),
        ("SS", b"\xff\xff", [-1]),
        ("UL", b"\xff\xff\xff\xff", [4294967295]),
        ("SL", b"\xff\xff\xff\xff", [-1]),
        ("SV", struct.pack("<qq", -(2**53) + 1, -(2**53)), [-(2**53) + 1, str(-(2**53))]),
        ("UV", struct.pack("<QQ", 7, 2**64 - 1), [7, str(2**64 - 1)]),
        ("FL", struct.pack("<f", 0.5), [0.5]),
        ("FD", struct.pack("<3d", 0.1, float("nan"), float("inf")), [0.1, None, None]),
        (
            "PN",
            b"Doe^Jane=A=B\\Roe^Rik",
            [{"Alphabetic": "Doe^Jane", "Ideographic": "A", "Phonetic": "B"}, {"Alphabetic": "Roe^Rik"}],
        ),
        ("PN", b"==C ", [{"Phonetic": "C"}]),
        ("PN", b"A\\\\B", [{"Alphabetic": "A"}, None, {"Alphabetic": "B"}]),
    ],
)
def test_a_value_becomes_what_its_representation_asks_for(vr: str, raw: bytes, expected: Any) -> None:
    assert values(vr, raw) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False).map(str).filter(lambda text: len(text) <= 16))
def test_a_decimal_string_keeps_its_exact_value(text: str) -> None:
    document = to_json(element(0x00091001, "DS", text.encode()), syntax(EXPLICIT_LE), "")
    (value,) = json.loads(document, parse_float=Decimal)["00091001"]["Value"]
    assert Decimal(value) == Decimal(text)


@pytest.mark.parametrize("vr", ["OB", "OW", "OF", "OD", "OL", "OV", "UN"])
def test_a_small_binary_value_is_inline_and_a_large_one_is_bulk(vr: str) -> None:
    small, large = bytes(1024), bytes(1026)
    dataset = element(0x00091001, vr, small) + element(0x00091002, vr, large)
    document = read(dataset)
    assert base64.b64decode(document["00091001"]["InlineBinary"]) == small
    assert document["00091002"] == {"vr": vr, "BulkDataURI": "bulk/00091002"}
    offset, length = bulk_value(dataset, syntax(EXPLICIT_LE), "00091002")
    assert dataset[offset : offset + length] == large


def test_an_empty_binary_value_has_no_value() -> None:
    assert read(element(0x00091001, "OB", b"")) == {"00091001": {"vr": "OB"}}


def test_pixel_data_is_bulk_whatever_its_size_unless_asked_for() -> None:
    dataset = element(0x7FE00010, "OW", b"\1\2")
    assert read(dataset)["7FE00010"] == {"vr": "OW", "BulkDataURI": "bulk/7FE00010"}
    assert read(dataset, pixels_inline=True)["7FE00010"] == {"vr": "OW", "InlineBinary": "AQI="}


def test_encapsulated_pixel_data_is_bulk_and_skipped() -> None:
    fragments = item(b"") + item(b"1234") + implicit(0xFFFEE0DD, b"")
    dataset = element(0x7FE00010, "OB", fragments, 0xFFFFFFFF) + element(0xFFFCFFFC, "OB", b"\0\0")
    assert set(read(dataset)) == {"7FE00010", "FFFCFFFC"}
    assert bulk_value(dataset, syntax("1.2.840.10008.1.2.4.50"), "7FE00010") == (12, -1)


@pytest.mark.parametrize("delimited", [False, True])
def test_items_nest_and_their_bulk_values_are_found_by_path(delimited: bool) -> None:
    inner = element(0x00091002, "OB", b"x" * 2000)
    second = item(inner)
    if delimited:
        second = implicit(0xFFFEE000, inner, 0xFFFFFFFF) + implicit(0xFFFEE00D, b"")
    body = item(element(0x00080100, "SH", b"T1")) + second
    dataset = element(0x00081140, "SQ", body)
    if delimited:
        dataset = element(0x00081140, "SQ", body + implicit(0xFFFEE0DD, b""), 0xFFFFFFFF)
    document = read(dataset + element(0x00100020, "LO", b"P1"))
    first, last = document["00081140"]["Value"]
    assert first == {"00080100": {"vr": "SH", "Value": ["T1"]}}
    assert last["00091002"]["BulkDataURI"] == "bulk/00081140/2/00091002"
    assert document["00100020"]["Value"] == ["P1"]
    offset, length = bulk_value(dataset, syntax(EXPLICIT_LE), "00081140/2/00091002")
    assert dataset[offset : offset + length] == b"x" * 2000


@pytest.mark.parametrize(
    "path",
    ["", "/", "00091002", "00081140/1", "00081140/3/00091002", "00081140/0/00091002", "00081140/-1/00091002",
     "00081140/x/00091002", "zzzzzzzz", "../../etc", "00081140/1/00081140/1/00091002", "0" * 9, "a/" * 200 + "a"],
)  # fmt: skip
def test_a_path_to_nothing_is_not_found(path: str) -> None:
    dataset = element(0x00081140, "SQ", item(element(0x00080100, "SH", b"T1")) + item(b""))
    with pytest.raises(NotFound):
        bulk_value(dataset, syntax(EXPLICIT_LE), path)


def test_an_empty_sequence_has_no_value_and_an_empty_item_is_an_empty_object() -> None:
    document = read(element(0x00081140, "SQ", b"") + element(0x00081150, "SQ", item(b"")))
    assert document == {"00081140": {"vr": "SQ"}, "00081150": {"vr": "SQ", "Value": [{}]}}


def test_an_item_may_have_a_character_set_of_its_own() -> None:
    inner = element(0x00080005, "CS", b"ISO_IR 144") + element(0x00091001, "LO", "Да".encode("iso8859-5"))
    dataset = (
        element(0x00080005, "CS", b"ISO_IR 192")
        + element(0x00081140, "SQ", item(inner) + item(element(0x00091001, "LO", "Да".encode())))
        + element(0x00100010, "PN", "Ä^Ö ".encode())
    )
    document = read(dataset)
    assert [i["00091001"]["Value"] for i in document["00081140"]["Value"]] == [["Да"], ["Да"]]
    assert document["00100010"]["Value"] == [{"Alphabetic": "Ä^Ö"}]


def test_a_japanese_name_has_three_groups() -> None:
    raw = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
    dataset = element(0x00080005, "CS", b"\\ISO 2022 IR 87") + element(0x00100010, "PN", raw)
    assert read(dataset)["00100010"]["Value"] == [
        {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
    ]


def test_group_lengths_and_group_2_are_left_out() -> None:
    dataset = (
        element(0x00020010, "UI", b"1.2\0") + element(0x00080000, "UL", bytes(4)) + element(0x00080060, "CS", b"CT")
    )
    assert set(read(dataset)) == {"00080060"}


def test_attributes_are_in_ascending_order_whatever_the_sender_did() -> None:
    document = read(element(0x00100020, "LO", b"B ") + element(0x00080060, "CS", b"CT"))
    assert list(document) == ["00080060", "00100020"]


def test_implicit_vr_takes_the_dictionary() -> None:
    dataset = (
        implicit(0x00080060, b"CT")
        + implicit(0x00090010, b"ACME ")
        + implicit(0x00091001, b"xy")
        + implicit(0x00280103, b"\1\0")
        + implicit(0x00280106, b"\xff\xff")
        + implicit(0x00400275, implicit(0xFFFEE000, b"", 0xFFFFFFFF) + implicit(0xFFFEE00D, b""))
    )
    assert read(dataset, IMPLICIT_LE) == {
        "00080060": {"vr": "CS", "Value": ["CT"]},
        "00090010": {"vr": "LO", "Value": ["ACME"]},
        "00091001": {"vr": "UN", "InlineBinary": "eHk="},
        "00280103": {"vr": "US", "Value": [1]},
        "00280106": {"vr": "SS", "Value": [-1]},
        "00400275": {"vr": "SQ", "Value": [{}]},
    }


def test_an_unknown_sequence_of_undefined_length_is_read_as_implicit() -> None:
    body = item(implicit(0x00080060, b"CT")) + implicit(0xFFFEE0DD, b"")
    document = read(element(0x00091001, "UN", body, 0xFFFFFFFF))
    assert document["00091001"] == {"vr": "SQ", "Value": [{"00080060": {"vr": "CS", "Value": ["CT"]}}]}


def test_a_known_tag_sent_as_un_takes_the_dictionarys_vr() -> None:
    assert read(element(0x00080060, "UN", b"CT"))["00080060"] == {"vr": "CS", "Value": ["CT"]}


def test_big_endian_numbers_and_words_come_out_right() -> None:
    dataset = b"\x00\x28\x00\x10US\x00\x02\x01\x02" + b"\x00\x28\x12\x01OW\x00\x00\x00\x00\x00\x04\x01\x02\x03\x04"
    document = read(dataset, EXPLICIT_BE)
    assert document["00280010"]["Value"] == [0x0102]
    assert base64.b64decode(document["00281201"]["InlineBinary"]) == b"\x02\x01\x04\x03"


def test_a_deflated_dataset_is_inflated_with_a_bound() -> None:
    packer = zlib.compressobj(wbits=-15)
    dataset = element(0x00080060, "CS", b"CT")
    assert read(packer.compress(dataset) + packer.flush(), DEFLATED_LE)["00080060"]["Value"] == ["CT"]


def test_text_that_looks_like_html_or_json_stays_text() -> None:
    assert values("LO", b'</script>"}],') == ['</script>"}],']


def test_nesting_deeper_than_64_is_refused() -> None:
    def nested(depth: int) -> bytes:
        dataset = b""
        for _ in range(depth):
            dataset = element(0x00081140, "SQ", item(dataset))
        return dataset

    assert "00081140" in read(nested(64))
    with pytest.raises(MalformedObject):
        read(nested(65))
    opened = (element(0x00081140, "SQ", b"", 0xFFFFFFFF) + implicit(0xFFFEE000, b"", 0xFFFFFFFF)) * 10_000
    for uid in (EXPLICIT_LE, IMPLICIT_LE):
        with pytest.raises(MalformedObject):
            read(opened, uid)


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_cut_dataset_is_refused_or_is_what_came_before(cut: int) -> None:
    whole = element(0x00080060, "CS", b"CT") + element(0x00081140, "SQ", item(element(0x00091002, "OB", b"x" * 30)))
    try:
        document = read(whole[:-cut])
    except MalformedObject:
        return
    assert document == {"00080060": {"vr": "CS", "Value": ["CT"]}}


BITS = st.sampled_from(
    [
        element(0x00081140, "SQ", b"", 0xFFFFFFFF),
        item(b""),
        implicit(0xFFFEE000, b"", 0xFFFFFFFF),
        implicit(0xFFFEE00D, b""),
        implicit(0xFFFEE0DD, b""),
        element(0x00100010, "PN", b"a^b="),
        element(0x7FE00010, "OB", b"", 0xFFFFFFFF),
        element(0x00091001, "UN", b"", 0xFFFFFFFF),
        element(0x00280106, "US", b"\1\0"),
        b"\xff\xff",
        b"\0\0\0\0",
    ]
)


@settings(deadline=None, max_examples=400)
@given(st.lists(st.one_of(BITS, st.binary(max_size=20)), max_size=30).map(b"".join))
def test_hostile_bytes_give_a_document_or_malformed_object(dataset: bytes) -> None:
    for uid in (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE):
        try:
            document = read(dataset, uid)
        except MalformedObject:
            continue
        for uri in [e["BulkDataURI"] for e in document.values() if "BulkDataURI" in e]:
            offset, length = bulk_value(dataset, syntax(uid), uri.removeprefix("bulk/"))
            assert 0 <= offset <= offset + max(length, 0) <= len(dataset)


def test_any_buffer_will_do() -> None:
    dataset = element(0x00080060, "CS", b"CT") + element(0x00091001, "US", b"\1\0")
    for buffer in (bytearray(dataset), memoryview(b"xx" + dataset)[2:]):
        assert to_json(buffer, syntax(EXPLICIT_LE), "") == to_json(dataset, syntax(EXPLICIT_LE), "")
