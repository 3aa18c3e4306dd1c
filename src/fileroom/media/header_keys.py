"""The values of a directory record that only the object itself has: read from its header, never decoded."""

from __future__ import annotations

from collections.abc import Collection

from fileroom.dicom.element import CHARSET_TAG, Element, Elements, charset_of, text_of
from fileroom.dicom.layout import Buffer
from fileroom.dicom.picked import pick
from fileroom.dicom.syntax import TransferSyntax
from fileroom.media.record_types import (
    CONTENT,
    VERIFICATION_FLAG,
    VERIFICATION_TIME,
    VERIFYING_OBSERVERS,
    Key,
)

_RELATIONSHIP = 0x0040A010


def read_keys(dataset: Buffer, syntax: TransferSyntax, keys: Collection[Key]) -> Elements:
    """These elements as they stand in the object, and its Specific Character Set when it has one.

    Of a content tree the modifiers of the title alone; the verification time is the latest of the observers'. Raises
    MalformedObject when the dataset cannot be read so far.
    """
    wanted = {key.tag for key in keys} | {CHARSET_TAG}
    if VERIFICATION_TIME in wanted:
        wanted |= {VERIFYING_OBSERVERS}
    found = pick(dataset, syntax, wanted)
    if CONTENT in found:
        modifiers = tuple(
            item for item in found[CONTENT].items if text_of(item, _RELATIONSHIP) == "HAS CONCEPT MOD"
        )  # fmt: skip
        found.pop(CONTENT)
        if modifiers:
            found[CONTENT] = Element(CONTENT, "SQ", modifiers)
    observers = found.pop(VERIFYING_OBSERVERS, None)
    if observers is not None and text_of(found, VERIFICATION_FLAG) == "VERIFIED":
        latest = max((text_of(item, VERIFICATION_TIME) for item in observers.items), default="")
        if latest:
            found[VERIFICATION_TIME] = Element(VERIFICATION_TIME, "DT", latest.encode("latin-1", "replace"))
    return found


def read_charset(dataset: Buffer, syntax: TransferSyntax) -> str:
    """Specific Character Set, "" when absent. Raises MalformedObject."""
    return charset_of(read_keys(dataset, syntax, ()))
