"""Text in every character set of the standard, read and written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import convert_encodings, decode_bytes

from fileroom.dicom.charset import decode, encode, is_known

# Examples of PS3.5 annexes H, I, J and K: character set, bytes, text.
STANDARD = [
    (
        "\\ISO 2022 IR 87",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    (
        "ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    ),
    (
        "\\ISO 2022 IR 149",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    ),
    ("ISO_IR 192", "Wang^XiaoDong=王^小東".encode(), "Wang^XiaoDong=王^小東"),
    ("GB18030", "Wang^XiaoDong=王^小东".encode("gb18030"), "Wang^XiaoDong=王^小东"),
    ("\\ISO 2022 IR 58", b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab", "Zhang^XiaoDong=张^小东"),
    ("ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    ("ISO_IR 144", b"\xbb\xee\xda\xe1\xd9\xda", "Люксйк"),
    ("ISO_IR 126", b"\xc4\xe9\xef\xed", "Διον"),
    ("ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 126", b"\x1b-AJ\xe9^\x1b-F\xc4\xe9", "Jé^Δι"),
]


@pytest.mark.parametrize(("charset", "value", "text"), STANDARD)
def test_the_standards_own_examples_are_read(charset: str, value: bytes, text: str) -> None:
    assert decode(value, "PN", charset) == text


@pytest.mark.parametrize(("charset", "value", "text"), STANDARD)
def test_what_is_written_reads_back_here_and_in_pydicom(charset: str, value: bytes, text: str) -> None:
    written = encode(text, charset)
    assert decode(written, "PN", charset) == text
    if "IR 58" not in charset:  # pydicom leaves this set's escapes in the text
        assert decode_bytes(written, convert_encodings(charset.split("\\")), {"^", "="}) == text


@pytest.mark.parametrize(
    "charset",
    ["", "ISO_IR 6", "ISO_IR 100", "ISO-IR 100", "iso ir 192", "ISO_IR 203", "UTF-8", "GBK", "\\ISO 2022 IR 87"],
)
def test_known_sets_are_known_however_they_are_spelled(charset: str) -> None:
    assert is_known(charset)


@pytest.mark.parametrize("charset", ["KLINGON", "ISO_IR 999", "ISO_IR 100\\KLINGON"])
def test_unknown_sets_are_not_known_and_are_read_as_latin_1(charset: str) -> None:
    assert not is_known(charset)
    assert decode(b"caf\xe9", "LO", "KLINGON") == "café"


def test_the_character_set_does_not_apply_to_codes_and_uids() -> None:
    assert decode("é".encode(), "CS", "ISO_IR 192") == "Ã©"


def test_what_a_set_does_not_hold_becomes_a_question_mark() -> None:
    assert encode("J\u00e9 王", "") == b"J? ?"
    assert encode("王 é", "ISO_IR 100") == b"? \xe9"
    assert encode("王洪é", "\\ISO 2022 IR 100") == b"??\x1b-A\xe9"


CHARSETS = st.lists(
    st.sampled_from(
        ["", "ISO_IR 192", "GB18030", "GBK", "ISO_IR 13", "ISO 2022 IR 6", "nonsense"]
        + [f"ISO 2022 IR {number}" for number in (13, 58, 87, 100, 126, 149, 159, 166)]
    ),
    min_size=1,
    max_size=4,
).map("\\".join)


@given(st.binary(max_size=80), CHARSETS, st.sampled_from(["PN", "LO", "UT", "CS"]))
def test_any_bytes_are_read_and_can_be_stored_as_utf_8(value: bytes, charset: str, vr: str) -> None:
    decode(value, vr, charset).encode("utf-8")


@given(st.lists(st.sampled_from([b"\x1b", b"$B", b"$)C", b"(B", b"-A", b"\xc4\xe3", b";3", b"^", b"="])), CHARSETS)
def test_any_mixture_of_escapes_is_read(pieces: list[bytes], charset: str) -> None:
    decode(b"".join(pieces), "PN", charset).encode("utf-8")


@given(st.text(max_size=40), CHARSETS)
def test_any_text_is_written_in_any_set(text: str, charset: str) -> None:
    encode(text, charset)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_text_written_as_utf_8_reads_back(text: str) -> None:
    assert decode(encode(text), "LO", "ISO_IR 192") == text


@given(st.text("aZ ^=\\日本東京漢字ひらがな", max_size=30))
def test_japanese_written_with_escapes_reads_back(text: str) -> None:
    assert decode(encode(text, "\\ISO 2022 IR 87"), "PN", "\\ISO 2022 IR 87") == text


@given(st.text("aZ ^=\\홍길동éßΔιЛю", max_size=30))
def test_several_right_halves_written_with_escapes_read_back(text: str) -> None:
    charset = "\\ISO 2022 IR 149\\ISO 2022 IR 100\\ISO 2022 IR 126\\ISO 2022 IR 144"
    assert decode(encode(text, charset), "PN", charset) == text


def test_a_character_set_of_thousands_of_terms_costs_no_more_than_one() -> None:
    hostile = "\\".join(["ISO 2022 IR 149"] * 20_000)
    begin = time.process_time()
    for _ in range(2000):
        assert decode(b"a\xc1\xd6", "PN", hostile)
    assert time.process_time() - begin < 1
