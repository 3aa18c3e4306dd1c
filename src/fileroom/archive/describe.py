"""From the bytes of one object to all that the index will know of it."""

from __future__ import annotations

import hashlib
import re
import time

from fileroom.archive.arrival import Arrival, Source
from fileroom.archive.image import Image, pack_image
from fileroom.dicom.frames import frame_table
from fileroom.dicom.header import Buffer, Header, scan
from fileroom.dicom.syntax import TransferSyntax, syntax
from fileroom.errors import MalformedObject

_SYNTAX = re.compile(r"[0-9A-Za-z._-]{1,64}").fullmatch  # it stands in headers of answers, beside other objects'


def describe(dataset: Buffer, prefix: Buffer, syntax_uid: str, digest: str, source: Source) -> Arrival:
    """The arrival these bytes make. `digest`: SHA-256 of the dataset, hex.

    Raises MalformedObject, InvalidUid: the object is then refused.
    """
    if _SYNTAX(syntax_uid) is None:
        raise MalformedObject("the transfer syntax it names is no UID")
    how = syntax(syntax_uid)
    header = scan(dataset, how)
    values = header.values
    image, warnings = _image(dataset, header, how)
    return Arrival(
        study_uid=values["study_uid"],
        series_uid=values["series_uid"],
        sop_uid=values["sop_uid"],
        sop_class_uid=values["sop_class_uid"],
        transfer_syntax=syntax_uid,
        digest=digest,
        prefix_digest=hashlib.sha256(prefix).hexdigest(),
        prefix_bytes=len(prefix),
        size_bytes=len(prefix) + len(dataset),
        values=values,
        image=image,
        site=source.site,
        source=source.label,
        arrived_ms=int(time.time() * 1000),
        warnings=header.warnings + warnings,
        act=source.act,
    )


def _image(dataset: Buffer, header: Header, how: TransferSyntax) -> tuple[bytes | None, tuple[str, ...]]:
    """The image blob. Frames that cannot be told apart are no reason to refuse an object: kept, and said."""
    if header.pixels is None:
        return None, ()
    if how.deflated:
        return pack_image(Image(header.pixels, None)), ()
    try:
        return pack_image(Image(header.pixels, frame_table(dataset, header, how))), ()
    except MalformedObject as error:
        return pack_image(Image(header.pixels, None)), (f"its frames cannot be told apart: {error}",)
