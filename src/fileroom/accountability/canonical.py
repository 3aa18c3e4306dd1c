"""JSON in its one canonical form (RFC 8785), so that the same values are the same bytes and can be hashed and signed.

Keys are sorted by their UTF-16 code units, there are no spaces, texts are UTF-8 with as few escapes as JSON allows, and
numbers are written as ECMAScript writes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256

SAFE_MAX = (1 << 53) - 1  # a larger whole number is not the same in every program (RFC 7493 2.2)
DEPTH_MAX = 64
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


class NotCanonical(ValueError):
    """A value without a canonical form, or bytes that are no JSON that has one."""


def canonical(value: object) -> bytes:
    """The value's only form. Raises NotCanonical for what JSON, or every JSON program alike, cannot hold."""
    try:
        return _text(value, 0).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("half of a surrogate pair is no text") from error


def digest(value: object) -> str:
    """SHA-256 over the canonical form, 64 hexadecimal digits. Raises NotCanonical."""
    return sha256(canonical(value)).hexdigest()


def parsed(data: bytes) -> object:
    """What the bytes say. Raises NotCanonical for what is no JSON, says a key twice, is too deep or not a number."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_refused)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotCanonical("not JSON in UTF-8") from error
    except RecursionError as error:
        raise NotCanonical("too deep") from error
    except ValueError as error:
        raise NotCanonical(str(error) if isinstance(error, NotCanonical) else "a number is too long") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("a key stands twice in one object")
    return found


def _refused(constant: str) -> object:
    raise NotCanonical(f"{constant} is no number of JSON")


def _text(value: object, depth: int) -> str:
    if depth > DEPTH_MAX:
        raise NotCanonical("too deep")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _ENCODE(value)
    if isinstance(value, int):
        if abs(value) > SAFE_MAX:
            raise NotCanonical("a whole number over 53 bits: write it as a text")
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(one, depth + 1) for one in value) + "]"
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise NotCanonical("a key that is no text")
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_ENCODE(key)}:{_text(value[key], depth + 1)}" for key in keys) + "}"
    raise NotCanonical(f"JSON has no {type(value).__name__}")


def _number(value: float) -> str:
    """As ECMAScript's Number::toString: the shortest digits that read back as the same number."""
    if not math.isfinite(value):
        raise NotCanonical(f"{value} is no number of JSON")
    if value == 0:
        return "0"
    parts = Decimal(repr(abs(value))).as_tuple()
    whole = "".join(map(str, parts.digits))
    digits = whole.rstrip("0")
    point = len(whole) + int(parts.exponent)  # how many digits stand before the decimal point
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
