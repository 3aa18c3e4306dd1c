"""A dataset's elements one after the other, as people read them: tag, VR, name, value (PS3.5 7, PS3.6).

Reads heads and short values only, so the size of an object's pixels, the depth of its sequences and the number of its
elements cost nothing beyond the stated bounds; what is damaged or left out is a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from fileroom.dicom.dictionary import private_vr, public_vr
from fileroom.dicom.header import Buffer
from fileroom.dicom.heads import DEPTH_MAX, ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, Heads
from fileroom.dicom.syntax import TransferSyntax
from fileroom.dicom.tag_names import tag_name
from fileroom.dicom.tag_values import Reading, value_text
from fileroom.errors import MalformedObject

LINES_MAX = 10_000
_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))


class Kind(StrEnum):
    """What a line is. Every SEQUENCE and ITEM is closed by an END of its own."""

    ELEMENT = "element"
    SEQUENCE = "sequence"
    ITEM = "item"
    END = "end"
    TROUBLE = "trouble"  # what could not be read, or was left out: `text` says it


class Line(NamedTuple):
    """One line of a tree."""

    kind: Kind
    tag: int = 0
    vr: str = ""
    name: str = ""
    text: str = ""  # the value, or its beginning
    left_out: str = ""  # what of the value is not in `text`, such as "33.6 MB"; "" when all is there


@dataclass(slots=True)
class _Level:
    """One dataset or item while it is being read."""

    end: int
    implicit: bool
    charset: str
    depth: int
    delimited: bool = False  # an item of undefined length: ends at its delimiter
    creators: dict[int, str] = field(default_factory=dict)  # (gggg,00bb) -> private creator


class _Enough(Exception):
    """LINES_MAX is reached."""


def tag_tree(dataset: Buffer, syntax: TransferSyntax, lines_max: int = LINES_MAX) -> Iterator[Line]:
    """The lines of a dataset that is not deflated. Raises nothing: trouble is a line, and every END comes."""
    return _Tree(dataset, syntax.big_endian, lines_max).lines(syntax.implicit)


class _Tree:
    """One dataset on its way to lines."""

    def __init__(self, data: Buffer, big_endian: bool, lines_max: int) -> None:
        self._heads = Heads(data, big_endian)
        self._reading = Reading(data, self._heads.order)
        self._left = lines_max
        self._open = 0

    def lines(self, implicit: bool) -> Iterator[Line]:
        size = len(self._reading.data)
        try:
            yield from self._level(_Level(size, implicit, "", 0), 0)
        except _Enough:
            yield Line(Kind.TROUBLE, text="there are more elements than are shown; what follows is left out")
            yield from [Line(Kind.END)] * self._open

    def _level(self, level: _Level, position: int) -> Iterator[Line]:
        """The lines of one level. Sets `self._at` to where it ends: a damaged one, where the level around it does."""
        self._at = position
        while self._at < level.end:
            try:
                tag, sent, start, length = self._heads.head(self._at, level.end, level.implicit)
            except MalformedObject as error:
                yield self._trouble(level, str(error))
                return
            if tag == ITEM_END and level.delimited:
                self._at = start
                return
            if not tag and not level.depth:
                yield Line(Kind.TROUBLE, text=f"{level.end - self._at:,} bytes behind the last element are no element")
                return
            yield from self._element(level, tag, sent, start, length)
        if level.delimited and self._at == level.end:
            yield Line(Kind.TROUBLE, text="the item ends without its delimiter")

    def _element(self, level: _Level, tag: int, sent: str, start: int, length: int) -> Iterator[Line]:
        self._count()
        creator = level.creators.get(tag >> 16 << 16 | (tag >> 8 & 0xFF), "") if tag & 0x10000 else ""
        vr = sent if sent and sent != "UN" else self._named(tag, creator, sent, length)
        name = tag_name(tag, creator)
        if vr == "SQ":
            yield from self._sequence(level, Line(Kind.SEQUENCE, tag, vr, name), sent, start, length)
            return
        if length == UNDEFINED:
            yield from self._fragments(level, Line(Kind.ELEMENT, tag, vr if sent else "OB", name), start)
            return
        self._at = start + length
        text, left_out = value_text(self._reading, vr, start, length, level.charset, tag in _PIXELS)
        self._note(level, tag, text)
        yield Line(Kind.ELEMENT, tag, vr, name, text, left_out)

    def _note(self, level: _Level, tag: int, text: str) -> None:
        """Remember what later elements are read by."""
        if tag == 0x00080005:
            level.charset = text
        elif tag & 0x10000 and 0x10 <= tag & 0xFFFF <= 0xFF:
            level.creators[tag] = text
        elif tag == 0x00280103:
            self._reading.signed = text == "1"

    def _named(self, tag: int, creator: str, sent: str, length: int) -> str:
        """The VR of an element that does not name one, or says UN (PS3.5 6.2.2)."""
        vr = private_vr(tag, creator) if tag & 0x10000 else public_vr(tag)
        if length == UNDEFINED and "UN" in (sent, vr):
            return "SQ"
        return vr if vr != "XS" else "SS" if self._reading.signed else "US"

    def _fragments(self, level: _Level, line: Line, start: int) -> Iterator[Line]:
        """A value in fragments, whose bytes are not looked at."""
        try:
            self._at = self._heads.skip(start, level.end, level.implicit)
        except MalformedObject as error:
            yield line._replace(left_out="fragments")
            yield self._trouble(level, str(error))
            return
        yield line._replace(left_out=f"{self._at - start:,} bytes in fragments")

    def _sequence(self, level: _Level, line: Line, sent: str, start: int, length: int) -> Iterator[Line]:
        end = level.end if length == UNDEFINED else start + length
        implicit = level.implicit or sent == "UN"
        self._open += 1
        yield line
        self._at = start
        if level.depth + 1 >= DEPTH_MAX:
            yield Line(Kind.TROUBLE, text=f"nested deeper than {DEPTH_MAX} sequences: {end - start:,} bytes not shown")
            self._at = end
        else:
            yield from self._items(_Level(end, implicit, level.charset, level.depth + 1), length == UNDEFINED)
            if length != UNDEFINED:
                self._at = end
        self._open -= 1
        yield Line(Kind.END)

    def _items(self, level: _Level, open_ended: bool) -> Iterator[Line]:
        number = 0
        while self._at < level.end:
            try:
                tag, _, start, length = self._heads.head(self._at, level.end, level.implicit)
                if tag == SEQUENCE_END and open_ended:
                    self._at = start
                    return
                if tag != ITEM:
                    raise MalformedObject("dataset: something other than an item in a sequence")
            except MalformedObject as error:
                yield self._trouble(level, str(error))
                return
            number += 1
            self._count()
            self._open += 1
            yield Line(Kind.ITEM, name=f"Item {number:,}")
            end = level.end if length == UNDEFINED else start + length
            yield from self._level(_Level(end, level.implicit, level.charset, level.depth, length == UNDEFINED), start)
            if length != UNDEFINED:
                self._at = end
            self._open -= 1
            yield Line(Kind.END)
        if open_ended and self._at == level.end:
            yield Line(Kind.TROUBLE, text="the sequence ends without its delimiter")

    def _trouble(self, level: _Level, what: str) -> Line:
        """A damaged place: where the next element starts is not known, so the rest of the level is passed over."""
        rest = level.end - self._at
        self._at = level.end + 1 if level.delimited else level.end
        return Line(Kind.TROUBLE, text=f"{what.removeprefix('dataset: ')}; {rest:,} bytes from here are not shown")

    def _count(self) -> None:
        if self._left == 0:
            raise _Enough
        self._left -= 1
