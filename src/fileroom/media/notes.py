"""The two texts on the media, in plain words: what this is, and what is not there. No patient data in either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fileroom.archive.contents import SeriesContents
from fileroom.dicom.syntax import syntax

README, MISSING = "README.TXT", "MISSING.TXT"

_README = """MEDICAL IMAGES (DICOM)

This archive holds {objects} in {series} of {studies}.

How to open it
  1. Unpack it: the files have to lie in a folder, or on a disc or stick.
  2. Open the file DICOMDIR with any DICOM viewer. A viewer that knows no
     DICOMDIR opens the folder DICOM instead.
  In a hospital: have the archive (PACS) import the DICOMDIR.

What is in it
  DICOMDIR   the table of contents for programs
  DICOM      the images, and what belongs to them, exactly as they were
             received; their names have no ending
  Written as:
{syntaxes}
  Where an object lacks a number, an ID or a date that a DICOMDIR has to have,
  a running number, NO-ID-1 or 1900-01-01 stands in the DICOMDIR alone.

These are health data about a person. Keep them as safe as a letter from a
doctor, and delete them when they are needed no more.
"""


@dataclass(frozen=True, slots=True)
class Missing:
    """One object that was to be there and cannot be read."""

    sop_uid: str
    why: str


def readme(found: Sequence[SeriesContents]) -> bytes:
    """What README.TXT says. Lines end as Windows ends them."""
    count = Counter(one.stored.transfer_syntax for series in found for one in series.objects)
    text = _README.format(
        objects=_some(sum(count.values()), "object", "objects"),
        series=_some(len(found), "series", "series"),
        studies=_some(len({series.values.study_uid for series in found}), "study", "studies"),
        syntaxes="\n".join(f"    {_name(uid)} ({number})" for uid, number in sorted(count.items())),
    )
    return _lines(text)


def missing_note(missing: Sequence[Missing], total: int) -> bytes:
    """What MISSING.TXT says."""
    rows = "\n".join(f"{one.sop_uid}  {one.why}" for one in missing)
    return _lines(
        f"NOT COMPLETE: {len(missing)} of {total} objects could not be read, and are not here.\n"
        "Ask whoever runs the archive to run: fileroom scrub\n\n"
        f"SOP Instance UID, and why:\n{rows}\n"
    )


def filled(note: bytes, size_bytes: int) -> bytes:
    """The note made to a size: by empty lines, or cut."""
    return note[:size_bytes] + b"\r\n" * ((size_bytes - len(note)) // 2) + b"\n" * ((size_bytes - len(note)) % 2)


def _name(uid: str) -> str:
    known = syntax(uid).name
    return known if known != "unknown" else f"a private transfer syntax, {uid}"


def _some(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _lines(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("ascii", "replace")
