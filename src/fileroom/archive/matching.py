"""From one matching key to the conditions it sets (PS3.4 C.2.2.2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from fileroom.archive.conditions import TABLES, Condition, Form, Match
from fileroom.dicom.attributes import Attribute, Matching
from fileroom.dicom.names import fold_name
from fileroom.dicom.ranges import date_range, time_range
from fileroom.errors import BadRequest

KEY_CHARACTERS_MAX = 1024  # of one key that is not a list of UID
UIDS_MAX = 8192  # in one list: three lists, each rounded up to a power of two, stay within what SQLite binds
VALUES_MAX = 100  # in a list of anything else

_WILD = re.compile(r"[*?]")
_ESCAPED = re.compile(r"[%_~]")
_TRAILING_COMPONENTS = re.compile(r"(?:\^\*+)+\Z")
_INDEXED = frozenset(
    ("patient_name", "patient_id", "study_uid", "accession", "referring_name", "reading_name", "series_uid", "sop_uid")
)


def match_key(attribute: Attribute, key: str) -> Match | None:
    """The match a key asks for; None when it asks for anything (universal). Raises BadRequest on a malformed key."""
    if attribute.matching is Matching.NONE or not key.strip(" *\0"):
        return None
    if "\0" in key or (not key.isascii() and any(0xD800 <= ord(c) <= 0xDFFF for c in key)):
        raise BadRequest(f"the key {attribute.keyword} holds a character that no value can hold")
    if attribute.matching is not Matching.UID and len(key) > KEY_CHARACTERS_MAX:
        raise BadRequest(f"the key {attribute.keyword} is longer than {KEY_CHARACTERS_MAX} characters")
    alternatives = tuple(_MAKERS[attribute.matching](attribute, key.strip(" ")))
    if not alternatives:
        return None
    return Match(alternatives, attribute.column in _INDEXED and all(_finds(tests) for tests in alternatives))


def _finds(tests: Sequence[Condition]) -> bool:
    return any(test.form in (Form.EQUAL, Form.ONE_OF, Form.BELOW) for test in tests)


def _column(attribute: Attribute, suffix: str = "") -> str:
    return f"{TABLES[attribute.level].name}.{attribute.column}{suffix}"


def _values(attribute: Attribute, key: str) -> list[str]:
    values = list(dict.fromkeys(value for piece in key.split("\\") if (value := piece.strip(" "))))
    values_max = UIDS_MAX if attribute.matching is Matching.UID else VALUES_MAX
    if len(values) > values_max:
        raise BadRequest(f"the key {attribute.keyword} lists more than {values_max} values")
    return values


def _uid(attribute: Attribute, key: str) -> Iterator[tuple[Condition, ...]]:
    values = _values(attribute, key)
    if len(values) == 1:
        yield (Condition(Form.EQUAL, _column(attribute), (values[0],)),)
        return
    if values:
        size = 1 << (len(values) - 1).bit_length()  # lists of like length share one statement
        yield (Condition(Form.ONE_OF, _column(attribute), (*values, *values[-1:] * (size - len(values)))),)


def _text(attribute: Attribute, key: str) -> Iterator[tuple[Condition, ...]]:
    for value in _values(attribute, key):
        yield tuple(_pattern(_column(attribute), value))


def _pattern(column: str, value: str) -> Iterator[Condition]:
    """Tests for a single value with wildcards: a range over its literal beginning, which an index can answer, and
    the whole pattern where the beginning does not say it all."""
    wild = _WILD.search(value)
    if wild is None:
        yield Condition(Form.EQUAL, column, (value,))
        return
    start, rest = value[: wild.start()], value[wild.start() :]
    yield from _starting(column, start)
    if rest.strip("*") or not start:
        yield Condition(Form.LIKE, column, (like_pattern(value),))


def _starting(column: str, start: str) -> Iterator[Condition]:
    if start:
        yield Condition(Form.AT_LEAST, column, (start,))
        if (end := after_prefix(start)) is not None:
            yield Condition(Form.BELOW, column, (end,))


def _name(attribute: Attribute, key: str) -> Iterator[tuple[Condition, ...]]:
    """A person name: the alphabetic group on the folded column, the others wherever they stand.

    A key of one group matches any group: written in Latin letters the alphabetic one, else all three.
    """
    for value in _values(attribute, key):
        alphabetic, *others = fold_name(value).split("=")
        groups = tuple(
            Condition(Form.GROUP_LIKE, _column(attribute), (f"%={like_pattern(group)}=%",)) for group in others if group
        )
        tests = tuple(_alphabetic(_column(attribute, "_fold"), alphabetic)) if alphabetic.strip("*") else ()
        if tests or groups:
            yield tests + groups
        if not others and any(unicodedata.east_asian_width(c) in "WFH" for c in value):
            yield (Condition(Form.GROUP_LIKE, _column(attribute), (f"%={like_pattern(value.rstrip('^'))}=%",)),)
        if attribute.column == "reading_name" and tests:  # the one name that may have several values
            yield (Condition(Form.ANY_LIKE, _column(attribute, "_fold"), (f"%\\{like_pattern(alphabetic)}\\%",)),)


def _alphabetic(column: str, value: str) -> Iterator[Condition]:
    """Tests on a folded name, which may go on with `=` and the other groups."""
    trimmed = _TRAILING_COMPONENTS.sub("^*", value)
    patterns = [like_pattern(trimmed)]
    if trimmed.endswith("^*"):  # SMITH^* also finds SMITH alone: components that are not there are empty (PS3.5 6.2)
        trimmed = trimmed[:-2]
        patterns.append(like_pattern(trimmed))
    wild = _WILD.search(trimmed)
    start = trimmed if wild is None else trimmed[: wild.start()]
    yield from _starting(column, start)
    if len(patterns) == 2 or wild is None or trimmed[wild.start() :].strip("*") or not start:
        yield Condition(Form.LIKE, column, (*patterns, patterns[-1] + "=%"))


def _date(attribute: Attribute, key: str) -> Iterator[tuple[Condition, ...]]:
    if _WILD.search(key):
        yield from _text(attribute, key)
        return
    low, high = date_range(key)
    yield tuple(_between(_column(attribute), low, high, Form.AT_LEAST, Form.AT_MOST))


def _time(attribute: Attribute, key: str) -> Iterator[tuple[Condition, ...]]:
    if _WILD.search(key):
        yield from _text(attribute, key)
        return
    low, high = time_range(key)
    yield tuple(_between(_column(attribute), low, high, Form.TIME_AT_LEAST, Form.TIME_AT_MOST))


def _between(column: str, low: str, high: str, at_least: Form, at_most: Form) -> Iterator[Condition]:
    if low and low == high and at_least is Form.AT_LEAST:
        yield Condition(Form.EQUAL, column, (low,))
        return
    if low:
        yield Condition(at_least, column, (low,))
    if high:
        yield Condition(at_most, column, (high,))


def _number(attribute: Attribute, key: str) -> Iterator[tuple[Condition, ...]]:
    """Equal as numbers where both are (007 is 7), else as text."""
    for value in _values(attribute, key):
        digits = value.lstrip("+")
        if not digits.isascii() or not digits.isdigit():
            yield tuple(_pattern(_column(attribute), value))
        else:
            yield (Condition(Form.NUMBER, _column(attribute), (value, digits.lstrip("0"))),)


def _any(attribute: Attribute, key: str) -> Iterator[tuple[Condition, ...]]:
    """One value among several. A `*` inside may reach over the next value."""
    for value in _values(attribute, key):
        yield (Condition(Form.ANY_LIKE, _column(attribute), (f"%\\{like_pattern(value)}\\%",)),)


_MAKERS: dict[Matching, Callable[[Attribute, str], Iterator[tuple[Condition, ...]]]] = {
    Matching.UID: _uid,
    Matching.TEXT: _text,
    Matching.NAME: _name,
    Matching.DATE: _date,
    Matching.TIME: _time,
    Matching.NUMBER: _number,
    Matching.ANY: _any,
}


def like_pattern(value: str) -> str:
    """A value with `*` and `?` as a LIKE pattern with `~` as its escape."""
    return _ESCAPED.sub(lambda m: "~" + m[0], value).replace("*", "%").replace("?", "_")


def after_prefix(prefix: str) -> str | None:
    """The least text, by code point, above every text that begins with `prefix`; None when there is none."""
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            following = 0xE000 if last == 0xD7FF else last + 1  # surrogates are no characters
            return prefix[:-1] + chr(following)
        prefix = prefix[:-1]
    return None
