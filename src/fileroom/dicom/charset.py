"""Specific Character Set: bytes to text and back (PS3.3 C.12.1.1.2, PS3.5 6.1).

Reading never fails: what cannot be decoded becomes U+FFFD, and an unknown character set is read as Latin-1.
"""

from __future__ import annotations

import re
from functools import lru_cache

UTF_8 = "ISO_IR 192"

TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""The value representations that Specific Character Set applies to; all others are the default repertoire."""

_ALONE = {"ISOIR192": "utf-8", "UTF8": "utf-8", "GB18030": "gb18030", "GBK": "gbk", "ISO2022GBK": "gbk"}

_G1 = {  # the part of an ISO-IR term behind "IR" to the codec of its right half
    "100": "latin-1",
    "101": "iso8859-2",
    "109": "iso8859-3",
    "110": "iso8859-4",
    "126": "iso8859-7",
    "127": "iso8859-6",
    "138": "iso8859-8",
    "144": "iso8859-5",
    "148": "iso8859-9",
    "166": "tis-620",
    "203": "iso8859-15",
    "13": "shift_jis",
    "149": "euc_kr",
    "58": "gb2312",
}
_G1_ESCAPES = {
    "latin-1": b"\x1b-A",
    "iso8859-2": b"\x1b-B",
    "iso8859-3": b"\x1b-C",
    "iso8859-4": b"\x1b-D",
    "iso8859-7": b"\x1b-F",
    "iso8859-6": b"\x1b-G",
    "iso8859-8": b"\x1b-H",
    "iso8859-5": b"\x1b-L",
    "iso8859-9": b"\x1b-M",
    "tis-620": b"\x1b-T",
    "iso8859-15": b"\x1b-b",
    "shift_jis": b"\x1b)I",
    "euc_kr": b"\x1b$)C",
    "gb2312": b"\x1b$)A",
}
_G0_ESCAPES = {"87": b"\x1b$B", "159": b"\x1b$(D"}  # two bytes a character, in the left half
_TO_G1 = {escape: codec for codec, escape in _G1_ESCAPES.items()}
_TO_G0 = {b"\x1b(B": b"", b"\x1b(J": b"", b"\x1b$B": b"\x1b$B", b"\x1b$(D": b"\x1b$(D"}
_ASCII_AGAIN = b"\x1b(B"
_CHARSET_MAX = 512  # characters of Specific Character Set that are looked at: every value is read through it
_TERMS_MAX = 32  # and terms: the standard has fewer

_RUNS = re.compile(rb"\x1b\$?[()\-]?[\x40-\x7e]|[\x00-\x1a\x1c-\x7f]+|[\x80-\xff]+|\x1b")
_TERM = re.compile(r"(?:ISO2022|ISO)?IR([0-9]+)")


@lru_cache(maxsize=256)
def is_known(charset: str) -> bool:
    """Is every term of this Specific Character Set one the standard defines (in any usual misspelling)?"""
    return all(_is_known_term(term) for term in _terms(charset))


def decode(value: bytes, vr: str, charset: str) -> str:
    """The text of a value, with its padding. `charset` is Specific Character Set as sent ("" when absent).

    Never raises: see the module. The text never holds a lone surrogate, so it can be stored anywhere.
    """
    if vr not in TEXT_VRS:
        return value.decode("latin-1")
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    terms = _terms(charset)
    alone = _ALONE.get(terms[0])
    if alone is not None:
        text = value.decode(alone, "replace")
        return text.encode("utf-8", "replace").decode("utf-8") if alone == "gb18030" else text
    return _decode_extended(value, vr, _right_half(terms[0]))


def encode(text: str, charset: str = UTF_8) -> bytes:
    """The bytes of a text, without padding. A character the set does not hold becomes "?"."""
    if text.isascii():
        return text.encode("ascii")
    terms = _terms(charset)
    alone = _ALONE.get(terms[0])
    if alone is not None:
        return text.encode(alone, "replace")
    if len(terms) == 1:
        codec = _right_half(terms[0])
        return b"".join(_encode_character(c, codec) or b"?" for c in text)
    return _encode_extended(text, terms)


@lru_cache(maxsize=256)
def _terms(charset: str) -> list[str]:
    """Each term in one spelling: upper case, without spaces, hyphens and underscores. Read only what may be one."""
    terms = charset[:_CHARSET_MAX].split("\\", _TERMS_MAX)[:_TERMS_MAX]
    return [re.sub(r"[\s_\-]", "", term.strip("\0")).upper() for term in terms]


def _is_known_term(term: str) -> bool:
    match = _TERM.fullmatch(term)
    number = match[1] if match else ""
    return term in ("", *_ALONE) or number == "6" or number in _G1 or number in _G0_ESCAPES


def _right_half(term: str) -> str:
    """Codec of the right half (G1) that a first term starts with; "" when it has none."""
    match = _TERM.fullmatch(term)
    if match is None:
        return "" if term == "" else "latin-1"
    return _G1.get(match[1], "")


def _decode_extended(value: bytes, vr: str, first: str) -> str:
    """ISO 2022 (PS3.5 6.1.2.5): escapes switch the left half (G0) or the right half (G1) until a delimiter."""
    delimiters = b"\\^=\r\n\f\t" if vr == "PN" else b"\\\r\n\f\t"
    left, right = b"", first
    pieces: list[str] = []
    for run in _RUNS.findall(value):
        if run[0] >= 0x80:
            pieces.append(run.decode(right or "latin-1", "replace"))
        elif run in _TO_G1:
            right = _TO_G1[run]
        elif run in _TO_G0:
            left = _TO_G0[run]
        elif left:
            pieces.append((left + run + _ASCII_AGAIN).decode("iso2022_jp_2", "replace"))
        else:
            pieces.append(run.decode("ascii"))
            if first and any(byte in delimiters for byte in run):
                right = first
    return "".join(pieces)


def _encode_character(character: str, codec: str) -> bytes:
    """One character in ASCII or in a right half; b"" when it has no place there."""
    if character.isascii():
        return character.encode("ascii")
    if not codec:
        return b""
    encoded = character.encode(codec, "ignore")
    return encoded if encoded and encoded[0] >= 0xA0 and (codec != "shift_jis" or len(encoded) == 1) else b""


def _encode_extended(text: str, terms: list[str]) -> bytes:
    """ISO 2022: every character outside the first set is preceded by an escape; delimiters go back to the start."""
    first = _right_half(terms[0])
    numbers = [match[1] for term in terms if (match := _TERM.fullmatch(term))]
    rights = [_G1[number] for number in numbers if number in _G1]
    lefts = [_G0_ESCAPES[number] for number in numbers if number in _G0_ESCAPES]
    left, right = b"", first
    out = bytearray()
    for character in text:
        if character.isascii():
            if left:
                out += _ASCII_AGAIN
                left = b""
            out += character.encode("ascii")
            if character in "\\^=\r\n\f\t":
                right = first
            continue
        for codec in (right, *rights):
            if encoded := _encode_character(character, codec):
                out += (_ASCII_AGAIN if left else b"") + (b"" if codec == right else _G1_ESCAPES[codec]) + encoded
                left, right = b"", codec
                break
        else:
            encoded, left_now = _encode_left(character, lefts)
            out += (b"" if left_now == left else left_now or _ASCII_AGAIN) + encoded
            left = left_now
    return bytes(out + (_ASCII_AGAIN if left else b""))


def _encode_left(character: str, escapes: list[bytes]) -> tuple[bytes, bytes]:
    """One character in a two-byte left half, and that half's escape; b"?" and b"" when no half holds it."""
    for escape in escapes:
        codec = "iso2022_jp" if escape == b"\x1b$B" else "iso2022_jp_2"
        encoded = character.encode(codec, "ignore")
        if encoded.startswith(escape):
            return encoded[len(escape) : -len(_ASCII_AGAIN)], escape
    return b"?", b""
