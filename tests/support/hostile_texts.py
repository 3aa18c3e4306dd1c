"""Texts that somebody might put into a name, and objects that hold one in every field a page may show."""

from __future__ import annotations

from tests.support.corpus.instance import Instance, encode, uid

HOSTILE_TEXTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><b>bold</b>&amp;",
    "{{ 7*7 }}${7*7}",
    "\u202egnidaer ot thgir\u202c",
    "山田 太郎 メロン",
    "W" * 64,
    "javascript:alert(1)",
)
_SR = "1.2.840.10008.5.1.4.1.1.88.11"


def named(text: str, number: int) -> Instance:
    """An object without pixels that has the text in every field of it that may hold text."""
    study_uid, series_uid, sop_uid = (uid("hostile", number, level) for level in ("study", "series", "object"))
    elements = {
        0x00080005: ("CS", "ISO_IR 192"),
        0x00080016: ("UI", _SR),
        0x00080018: ("UI", sop_uid),
        0x00080020: ("DA", "20260101"),
        0x00080030: ("TM", "101500"),
        0x00080050: ("SH", text[:16]),
        0x00080060: ("CS", "SR"),
        0x00080070: ("LO", text),
        0x00080080: ("LO", text),
        0x00080090: ("PN", text),
        0x00081010: ("SH", text[:16]),
        0x00081030: ("LO", text),
        0x0008103E: ("LO", text),
        0x00100010: ("PN", text),
        0x00100020: ("LO", f"{text[:50]}{number}"),
        0x00100021: ("LO", text),
        0x00180015: ("CS", text[:16]),
        0x00181030: ("LO", text),
        0x0020000D: ("UI", study_uid),
        0x0020000E: ("UI", series_uid),
        0x00200010: ("SH", text[:16]),
        0x00200011: ("IS", "1"),
        0x00200013: ("IS", "1"),
    }
    return Instance(_SR, sop_uid, study_uid, series_uid, encode(elements))  # type: ignore[arg-type]
