"""How a study's page words what it knows."""

from __future__ import annotations

import pytest

from fileroom.archive.overview import SeriesHolds, SeriesOverview, SeriesValues, frames_said
from fileroom.reading.study import kind_text, view_text
from fileroom.web.texts import source_text


def series(body_part: str | None, laterality: str | None, *views: tuple[str, str]) -> SeriesOverview:
    nothing = (None,) * 5
    values = SeriesValues(1, "1.2", "MG", "1", None, None, None, body_part, laterality, *nothing[:4], 4)
    return SeriesOverview(values, SeriesHolds(4, 4, (), views))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (series("BREAST", None, ("L", "CC")), "BREAST L CC"),
        (series(None, None, ("L", "CC"), ("R", "CC")), "L CC, R CC"),
        (series("BREAST", "L", *[("L", f"V{n}") for n in range(5)]), "BREAST L"),
        (series("KNEE", None, ("R", "")), "KNEE R"),
        (series("KNEE", "L", ("R", "")), "KNEE L"),
        (series(None, None), ""),
    ],
)
def test_body_part_and_side(one: SeriesOverview, said: str) -> None:
    assert view_text(one) == said


def test_sources_and_kinds_are_in_words() -> None:
    assert source_text("dimse:CT1") == "DICOM, from CT1"
    assert source_text("new:thing") == "new thing"
    assert kind_text("1.2.840.10008.5.1.4.1.1.2") == "CT Image"
    assert kind_text("1.2.3") == "1.2.3"


def test_a_number_of_frames_that_is_none_counts_as_one() -> None:
    said = [frames_said(value) for value in (None, "", "60 ", "-1", "9" * 40, "２", "x")]
    assert said == [1, 1, 60, 1, 1, 1, 1]
