"""Objects that lie, through and through: what a broken or hostile sender may put on the wire."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from fileroom.dicom.syntax import DEFLATED_LE, EXPLICIT_LE
from tests.support.corpus import Instance, ct_slice, visit
from tests.support.corpus.instance import uid
from tests.support.raw_elements import UNDEFINED, element, even, item, sequence, sequence_end

CT = "1.2.840.10008.5.1.4.1.1.2"
JPEG = "1.2.840.10008.1.2.4.50"
DEPTH = 10_000


def hostile(
    name: str, body: bytes, *, syntax: str = EXPLICIT_LE, sop_uid: str = "", patient: bytes = b"Test^Hostile"
) -> Instance:
    """An object with honest UIDs, this patient, and this behind them (group 0x0028 and up)."""
    sop, study, series = sop_uid or uid("hostile", name), uid("hostile study", name), uid("hostile series", name)
    header = b"".join(
        (
            element(0x00080016, "UI", even(CT.encode())),
            element(0x00080018, "UI", even(sop.encode())),
            element(0x00080060, "CS", b"CT"),
            element(0x00100010, "PN", patient + b" " * (len(patient) % 2)),
            element(0x00100020, "LO", even(name.encode()[:60]).replace(b"\0", b" ")),
            element(0x0020000D, "UI", even(study.encode())),
            element(0x0020000E, "UI", even(series.encode())),
        )
    )
    whole = header + body
    if syntax == DEFLATED_LE:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        whole = packer.compress(whole) + packer.flush()
    return Instance(CT, sop, study, series, whole, transfer_syntax=syntax)


def us(tag: int, value: int) -> bytes:
    return element(tag, "US", struct.pack("<H", value))


def image(rows: int, columns: int, frames: int = 1, bits: int = 16) -> bytes:
    """An image description of any size."""
    return b"".join(
        (
            us(0x00280002, 1),
            element(0x00280004, "CS", b"MONOCHROME2 "),
            element(0x00280008, "IS", even(str(frames).encode()).replace(b"\0", b" ")),
            us(0x00280010, rows),
            us(0x00280011, columns),
            us(0x00280100, bits),
            us(0x00280101, bits),
            us(0x00280102, bits - 1),
            us(0x00280103, 0),
        )
    )


def jpeg_of(rows: int, columns: int) -> bytes:
    """The start of a JPEG that claims a size and holds nothing of it."""
    frame = struct.pack(">BHHB", 8, rows, columns, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xd9" + b"\0"


def fragments(*values: bytes, table: bytes = b"") -> bytes:
    """Encapsulated pixel data."""
    return element(0x7FE00010, "OB", item(table) + b"".join(item(v) for v in values), length=UNDEFINED) + sequence_end()


def must_be_refused() -> Iterator[tuple[str, Instance]]:
    """Objects that are not readable, and so cannot be kept."""
    deep = sequence(0x00400275, item(b""))
    opened = element(0x00400275, "SQ", b"", length=UNDEFINED) + struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
    closed = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    yield "nested", hostile("nested", opened * DEPTH + deep + closed * DEPTH)
    yield "nested and cut", hostile("nested and cut", opened * DEPTH)
    yield "length past the end", hostile("past", element(0x00281050, "DS", b"40", length=0x7FFE))
    yield "long length past the end", hostile("long past", element(0x7FE00010, "OW", b"\0" * 32, length=0x7FFFFFFE))
    yield "pixels cut", hostile("pixels cut", image(4, 4) + element(0x7FE00010, "OW", b"\0" * 30, length=32))
    yield (
        "fragments without an end",
        hostile("endless", image(4, 4, bits=8) + fragments(jpeg_of(4, 4))[:-8], syntax=JPEG),
    )
    yield (
        "fragment past the end",
        hostile(
            "fragment past",
            image(4, 4, bits=8)
            + element(0x7FE00010, "OB", item(b"") + struct.pack("<HHI", 0xFFFE, 0xE000, 0x7FFFFFF0), length=UNDEFINED),
            syntax=JPEG,
        ),
    )
    yield "not deflated at all", _not_deflated()


def _not_deflated() -> Instance:
    one = hostile("not deflated", b"")
    return Instance(CT, one.sop_uid, one.study_uid, one.series_uid, one.header, transfer_syntax=DEFLATED_LE)


def may_be_kept() -> Iterator[tuple[str, Instance]]:
    """Readable objects whose pixels, or whose size, are a lie: kept as sent or refused, never believed."""
    tiny = element(0x7FE00010, "OW", bytes(32))
    yield "a gigapixel", hostile("gigapixel", image(65535, 65535) + tiny)
    yield "a gigapixel, many frames", hostile("gigapixels", image(65535, 65535, 2**31 - 1) + tiny)
    yield "no pixel at all", hostile("no pixel", image(0, 0) + tiny)
    yield (
        "a gigapixel JPEG",
        hostile("gigapixel jpeg", image(65535, 65535, bits=8) + fragments(jpeg_of(65535, 65535)), syntax=JPEG),
    )
    yield (
        "a small image, a gigapixel JPEG",
        hostile("lying jpeg", image(4, 4, bits=8) + fragments(jpeg_of(65535, 65535)), syntax=JPEG),
    )
    yield (
        "offset table outside",
        hostile(
            "offsets",
            image(4, 4, 2, 8) + fragments(jpeg_of(4, 4), jpeg_of(4, 4), table=struct.pack("<II", 0, 2**32 - 4)),
            syntax=JPEG,
        ),
    )
    yield (
        "more frames than fragments",
        hostile("many frames", image(4, 4, 1_000_000, 8) + fragments(jpeg_of(4, 4)), syntax=JPEG),
    )
    yield "deflate bomb", deflate_bomb()


def deflate_bomb(inflated_mb: int = 1024) -> Instance:
    """A megabyte that inflates to a gigabyte of pixels."""
    one = hostile("bomb", b"")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    pieces = [
        packer.compress(one.header + image(1024, 1024) + element(0x7FE00010, "OW", b"", length=inflated_mb << 20))
    ]
    zeros = bytes(1 << 20)
    pieces += [packer.compress(zeros) for _ in range(inflated_mb)] + [packer.flush()]
    raw = b"".join(pieces)
    return Instance(
        CT, one.sop_uid, one.study_uid, one.series_uid, raw + b"\0" * (len(raw) % 2), transfer_syntax=DEFLATED_LE
    )


def cuts(count: int) -> Iterator[Instance]:
    """A CT slice cut at so many places, most of them in its header."""
    whole = ct_slice(visit("ct", 900), 900, 1)
    raw = whole.dataset
    ends = [len(whole.header) * place // (count - 4) for place in range(count - 4)]
    ends += [len(whole.header) + 4, len(whole.header) + 12, len(raw) - 2, len(raw) - 1]
    for end in ends:
        yield Instance(CT, whole.sop_uid, whole.study_uid, whole.series_uid, raw[:end])
