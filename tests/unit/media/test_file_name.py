"""What a download is called."""

from __future__ import annotations

import pytest

from fileroom.archive.contents import SeriesContents, SeriesValues
from fileroom.media.file_name import archive_name, content_disposition


def series(
    study: str = "1.2", date: str | None = "20240131", modality: str | None = "CT", accession: str | None = "A1"
) -> SeriesContents:
    patient, times, text = (1, 1, "Doe^Jane", "P1", None, None), (date, None), (None, None, None)
    values = SeriesValues(*patient, study, *times, None, accession, None, "1.2.3", modality, *text)
    return SeriesContents(values, ())


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ([series()], "20240131-CT-A1.zip"),
        ([series(), series(modality="SR")], "20240131-CT-SR-A1.zip"),
        ([series(date=None, modality=None, accession=None)], "undated.zip"),
        ([series(accession='../../etc/"passwd"\r\n')], "20240131-CT-etc_passwd.zip"),
        ([series(accession="\u202etxt.exe")], "20240131-CT-txt.exe.zip"),
        ([series(accession="検査 1")], "20240131-CT-検査_1.zip"),
        ([series(accession="A" * 200)], f"20240131-CT-{'A' * 32}.zip"),
        ([series("1.2"), series("1.3", date="20200101")], "20200101-CT-2-studies.zip"),
    ],
)
def test_an_archive_is_named_by_date_modality_and_accession(found: list[SeriesContents], name: str) -> None:
    assert archive_name(found) == name


def test_the_header_says_a_plain_name_and_the_true_one() -> None:
    assert content_disposition("20240131-CT.zip") == 'attachment; filename="20240131-CT.zip"'
    assert content_disposition("検査-ü.zip") == (
        "attachment; filename=\"__-_.zip\"; filename*=UTF-8''%E6%A4%9C%E6%9F%BB-%C3%BC.zip"
    )
