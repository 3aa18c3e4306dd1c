"""What is made about an image is of the same patient and study, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest

from fileroom.dicom.companion import begun
from fileroom.dicom.element import text_of
from fileroom.dicom.key_object import KEY_OBJECT_CLASS
from fileroom.dicom.picked import pick
from fileroom.dicom.syntax import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, syntax
from tests.support import corpus
from tests.support.corpus.instance import encode
from tests.support.readers_marks import header, making

MADE = making(KEY_OBJECT_CLASS)


def begun_of(elements: dict[int, tuple[str, Any]], *texts: str) -> tuple[Any, str, Any]:
    return begun(header(encode(elements)), MADE, texts)


def test_patient_and_study_are_those_of_the_image() -> None:
    image = next(corpus.ct_study(1))
    found, _, _ = begun(header(image), MADE)
    for tag in (0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x0020000D, 0x00080020, 0x00080050, 0x00200010):
        assert found[tag].value == header(image)[tag].value, hex(tag)
    assert text_of(found, 0x0020000E) == MADE.series_uid != image.series_uid
    assert text_of(found, 0x00080018) == MADE.sop_uid
    assert text_of(found, 0x00080060) == "KO"


def test_bytes_in_a_character_set_of_long_ago_are_carried_over_with_it() -> None:
    name = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"
    elements = {0x00080005: ("CS", "\\ISO 2022 IR 87"), 0x00100010: ("PN", name), 0x00100020: ("LO", "7")}
    found, charset, _ = begun_of(elements, "Gr\u00f6\u00dfe")
    assert found[0x00100010].value.rstrip() == name
    assert (text_of(found, 0x00080005), charset) == ("\\ISO 2022 IR 87", "\\ISO 2022 IR 87")


def test_a_text_of_ours_brings_unicode_where_that_changes_nothing_else() -> None:
    plain = {0x00100010: ("PN", "Doe^Jane"), 0x00100020: ("LO", "7")}
    assert begun_of(plain, "Gr\u00f6\u00dfe")[1] == "ISO_IR 192"
    assert begun_of(plain, "plain")[1] == ""
    assert 0x00080005 not in begun_of(plain, "plain")[0]
    assert (
        begun_of(plain | {0x00080005: ("CS", "ISO_IR 100"), 0x00100010: ("PN", b"D\xf6e")}, "\u5c71")[1] == "ISO_IR 100"
    )


def test_what_an_image_lacks_is_there_and_empty() -> None:
    found, _, _ = begun_of({0x0020000D: ("UI", "1.2")})
    assert [found[tag].value for tag in (0x00100010, 0x00100020, 0x00080020, 0x00080090)] == [b""] * 4
    assert 0x00100021 not in found


@pytest.mark.parametrize(
    ("zone", "time"), [("+0530", "150015"), ("-1000", "233015"), ("nonsense", "093015"), ("+9900", "093015")]
)
def test_the_moment_is_told_in_the_time_zone_of_the_image(zone: str, time: str) -> None:
    found, _, _ = begun_of({0x00080201: ("SH", zone)})
    assert text_of(found, 0x00080013) == time
    assert text_of(found, 0x00080012) == ("20261123" if zone == "-1000" else "20261124")


def test_only_what_is_wanted_is_picked_and_nothing_behind_it_is_read() -> None:
    sequence = b"\x08\x00\x51\x00SQ\0\0" + (0xFFFFFFFF).to_bytes(4, "little")
    item = b"\xfe\xff\x00\xe0" + (0xFFFFFFFF).to_bytes(4, "little") + b"\xfe\xff\x0d\xe0\0\0\0\0"
    whole = (
        encode({0x00080016: ("UI", "1.2.3")})
        + sequence
        + item
        + b"\xfe\xff\xdd\xe0\0\0\0\0"
        + encode({0x00100020: ("LO", "7")})
        + b"\xe0\x7f\x10\x00OW broken"
    )
    found = pick(whole, syntax(EXPLICIT_LE), {0x00100020, 0x00080051})
    assert (list(found), found[0x00080051].items) == ([0x00080051, 0x00100020], ({},))
    assert list(pick(whole, syntax(EXPLICIT_LE), {0x00080016}, value_bytes_max=4)) == []


def test_other_byte_orders_and_syntaxes_are_picked_from_alike() -> None:
    implicit = b"\x10\x00\x20\x00\x02\0\0\x007 " + b"\x28\x00\x10\x00\x02\0\0\x00\x00\x02"
    found = pick(implicit, syntax(IMPLICIT_LE), {0x00100020, 0x00280010})
    assert (text_of(found, 0x00100020), text_of(found, 0x00280010)) == ("7", "512")
    big = b"\x00\x10\x00\x20LO\0\x027 " + b"\x00\x28\x00\x10US\0\x02\x02\x00"
    found = pick(big, syntax(EXPLICIT_BE), {0x00100020, 0x00280010})
    assert (text_of(found, 0x00100020), text_of(found, 0x00280010)) == ("7", "512")
