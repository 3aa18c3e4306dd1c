"""Canonical JSON, against the vectors of RFC 8785."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.accountability.canonical import DEPTH_MAX, SAFE_MAX, NotCanonical, canonical, parsed

NUMBERS = {  # appendix B: the bits of a double, and what ECMAScript writes
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_ecmascript_does(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value).decode() == text


def test_the_sample_of_section_3_2_2() -> None:
    sample = (
        r'{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
        r'"string": "\u20ac$\u000F\u000aA' + "'" + r'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}'
    )
    told = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(parsed(sample.encode())).decode() == told


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    sorted_ = list(json.loads(canonical(dict.fromkeys(keys, 0))))
    assert sorted_ == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), SAFE_MAX + 1, -SAFE_MAX - 1, "\ud800", {1: 2}, b"", {1, 2}, {"\udfff": 1}]
)
def test_what_json_programs_do_not_agree_about_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical([value])


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b'{"a":1,"a":1}', b"NaN", b"[-Infinity]", b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000, b"1" * 10_000],
)
def test_bytes_that_say_no_one_thing_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        parsed(data)


def test_what_is_too_deep_is_refused() -> None:
    value: object = 1
    for _ in range(DEPTH_MAX):
        value = [value]
    assert canonical(value)
    with pytest.raises(NotCanonical):
        canonical([value])


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: abs(one) <= SAFE_MAX or abs(one) >= 1e21)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE_MAX, SAFE_MAX) | _FLOATS | _TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner),
    max_leaves=20,
)


@given(_VALUES)
def test_reading_the_form_and_writing_it_again_gives_the_same_bytes_and_values(value: object) -> None:
    data = canonical(value)
    again = parsed(data)
    assert again == value
    assert canonical(again) == data
