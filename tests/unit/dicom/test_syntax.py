"""Every transfer syntax of the standard is known, and says how its bytes lie."""

from __future__ import annotations

import pytest
from pydicom.uid import UID, UID_dictionary

from fileroom.dicom.syntax import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, JPEG_2000, SYNTAXES, syntax

LISTED = [uid for uid, (_, kind, *_) in UID_dictionary.items() if kind == "Transfer Syntax"]


@pytest.mark.parametrize("uid", LISTED)
def test_each_transfer_syntax_of_the_standard_is_laid_out_as_pydicom_says(uid: str) -> None:
    ours, theirs = SYNTAXES[uid], UID(uid)
    assert ours.uid == uid
    if theirs.name.startswith(("RFC", "XML", "JPIP", "Papyrus")):
        return  # pydicom takes these for encapsulated ones, which they are not
    assert (ours.implicit, ours.big_endian) == (theirs.is_implicit_VR, not theirs.is_little_endian)
    assert (ours.deflated, ours.encapsulated) == (theirs.is_deflated, theirs.is_encapsulated)


def test_frames_of_compressed_syntaxes_have_the_media_type_of_the_web_services() -> None:
    assert syntax(JPEG_2000).media_type == "image/jp2"
    assert syntax("1.2.840.10008.1.2.4.201").media_type == "image/jphc"
    assert syntax("1.2.840.10008.1.2.4.102").media_type == "video/mp4"
    assert {syntax(uid).media_type for uid in (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED_LE)} == {
        "application/octet-stream"
    }


def test_an_unknown_syntax_is_read_as_explicit_little_endian_with_fragments() -> None:
    private = syntax("1.2.3.999")
    assert (private.uid, private.name) == ("1.2.3.999", "unknown")
    assert (private.implicit, private.big_endian, private.deflated, private.encapsulated) == (False, False, False, True)
