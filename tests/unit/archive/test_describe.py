"""From bytes to what the index will know: whose an object is, and what a lying header may cost."""

from __future__ import annotations

import pytest

from fileroom.archive.arrival import Arrival
from fileroom.archive.describe import describe
from fileroom.archive.image import unpack_image
from tests.support.archives import EXPLICIT_LE, SOURCE, ct, encoded


def arrival(**values: str) -> Arrival:
    dataset = ct(1)
    for keyword, value in values.items():
        setattr(dataset, keyword, "1")
        dataset[keyword]._value = value
    return describe(encoded(dataset), b"prefix", EXPLICIT_LE, "0" * 64, SOURCE)


def test_no_two_pairs_of_issuer_and_patient_id_are_one_identity() -> None:
    """Not even when a value holds the character that stands between the two."""
    pairs = [("A", "B\x1fC"), ("A\x1fB", "C"), ("A\x1eB", "C"), ("A\x1e1B", "C"), ("A\x1f", "C"), ("A", "\x1fC")]
    found = [arrival(IssuerOfPatientID=issuer, PatientID=patient_id) for issuer, patient_id in pairs]
    assert len({one.identity for one in found}) == len(pairs)
    assert len({one.patient_digest for one in found}) == len(pairs)


def test_a_patient_id_of_blanks_identifies_nobody() -> None:
    for blank in ("", " ", "\t", "\x1f"):
        assert arrival(PatientID=blank).identity == "\x1f1.2.9.1"


@pytest.mark.parametrize("count", ["2147483648", "4294967296", "9999999999"])
def test_more_frames_than_an_integer_string_can_say_cost_no_object(count: str) -> None:
    found = arrival(NumberOfFrames=count)
    assert found.image is not None
    assert unpack_image(found.image).pixels.frames == 1
    assert found.warnings
