"""The questions that the search rows ask, as QIDO-RS and as C-FIND: varied, and the same for both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.corpus import RARE_FAMILY
from tests.support.corpus.instance import Elements
from tests.support.corpus.people import FAMILIES
from tests.support.corpus.small import small_visit

Keys = Callable[[int], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """`keys(n)`: the n-th variation, DICOM keyword to match value."""

    name: str
    keys: Keys
    must_at_100: float
    must_crowded: float


def _year(number: int) -> dict[str, str]:
    year, month = 2019 + number % 6, 1 + number % 12
    return {"StudyDate": f"{year}{month:02}01-{year + 1}{month:02}01"}


NAME = Question("name", lambda n: {"PatientName": f"{FAMILIES[n * 7 % len(FAMILIES)]}*"}, 3, 15)
DATE = Question("date", _year, 3, 15)
ACCESSION = Question("accession", lambda n: {"AccessionNumber": small_visit(n * 13 % 20).accession}, 2, 2)
# Ten matches whether the archive holds 100 studies or 20,000.
RARE_NAME = Question("name with ten matches", lambda _: {"PatientName": f"{RARE_FAMILY}*"}, 3, 15)

_TAGS = {"PatientName": (0x00100010, "PN"), "StudyDate": (0x00080020, "DA"), "AccessionNumber": (0x00080050, "SH")}
# What a worklist of studies shows; nothing that has to be counted.
_ASKED: Elements = {
    0x00080020: ("DA", ""),
    0x00080030: ("TM", ""),
    0x00080050: ("SH", ""),
    0x00080052: ("CS", "STUDY"),
    0x00081030: ("LO", ""),
    0x00100010: ("PN", ""),
    0x00100020: ("LO", ""),
    0x0020000D: ("UI", ""),
}


def qido_path(prefix: str, keys: dict[str, str], limit: int = 100) -> str:
    """The path of that search for studies."""
    return f"{prefix}/studies?" + "&".join(f"{name}={value}" for name, value in keys.items()) + f"&limit={limit}"


def identifier(keys: dict[str, str]) -> Elements:
    """The identifier of that search at study level."""
    wanted: Elements = {_TAGS[name][0]: (_TAGS[name][1], value) for name, value in keys.items()}
    return _ASKED | wanted
