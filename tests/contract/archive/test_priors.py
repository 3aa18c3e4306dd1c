"""A study is compared with the latest earlier one of the same patient, and with nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from fileroom.archive.hide import hide
from fileroom.archive.priors import prior_study
from tests.support.archives import Archive, ct, running_archive


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path / "home", database_url) as opened:
        yield opened


def mammogram(study: int, date: str, time: str = "", *, patient: str = "P1", modality: str = "MG") -> Dataset:
    dataset = ct(study=study, patient=patient)
    dataset.Modality, dataset.StudyDate, dataset.StudyTime = modality, date, time
    return dataset


def prior(archive: Archive, study: int) -> str | None:
    return prior_study(archive.database, f"1.2.9.{study}", "MG")


def test_the_latest_earlier_study_of_the_modality_is_the_prior(archive: Archive) -> None:
    archive.store(mammogram(1, "20200101"))
    archive.store(mammogram(2, "20220101"))
    archive.store(mammogram(3, "20230101", modality="CT"))
    archive.store(mammogram(4, "20240101"))
    archive.store(mammogram(5, "20250101"))
    archive.store(mammogram(6, "20230601", patient="P2"))
    assert [prior(archive, study) for study in (1, 2, 4, 5, 6)] == [None, "1.2.9.1", "1.2.9.2", "1.2.9.4", None]


def test_on_one_day_the_time_decides(archive: Archive) -> None:
    archive.store(mammogram(1, "20240101", "0800"))
    archive.store(mammogram(2, "20240101", "093000"))
    assert (prior(archive, 2), prior(archive, 1)) == ("1.2.9.1", None)


def test_studies_without_a_date_are_neither_earlier_nor_have_a_prior(archive: Archive) -> None:
    archive.store(mammogram(1, ""))
    archive.store(mammogram(2, "20240101"))
    assert (prior(archive, 1), prior(archive, 2)) == (None, None)


def test_a_blank_patient_id_has_no_priors(archive: Archive) -> None:
    archive.store(mammogram(1, "20200101", patient=""))
    archive.store(mammogram(2, "20240101", patient=""))
    assert prior(archive, 2) is None


def test_what_is_hidden_is_no_prior_and_has_none(archive: Archive) -> None:
    archive.store(mammogram(1, "20200101"))
    archive.store(mammogram(2, "20240101"))
    hide(archive.database, "1.2.9.1", "wrong patient", "test")
    assert prior(archive, 2) is None
    hide(archive.database, "1.2.9.2", "wrong patient", "test")
    assert prior(archive, 2) is None


def test_an_unknown_study_has_no_prior(archive: Archive) -> None:
    assert prior(archive, 99) is None
