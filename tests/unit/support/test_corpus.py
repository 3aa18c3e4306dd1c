"""The corpus is the same every time, of the sizes it states, and readable by pydicom."""

from __future__ import annotations

from io import BytesIO

import pydicom

from tests.support import corpus
from tests.support.corpus.small import small_visit


def _read(instance: corpus.Instance) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(instance.part10))


def test_equal_numbers_give_equal_bytes() -> None:
    assert corpus.small_study(41).digest == corpus.small_study(41).digest
    assert corpus.ct_slice(corpus.visit("ct", 2), 2, 9).digest == corpus.ct_slice(corpus.visit("ct", 2), 2, 9).digest


def test_a_ct_study_is_one_series_of_slices_with_pixels_of_their_own() -> None:
    slices = list(corpus.ct_study(4, slices=20))
    assert len({one.study_uid for one in slices}) == len({one.series_uid for one in slices}) == 1
    assert len({one.sop_uid for one in slices}) == len({bytes(one.pixels) for one in slices}) == 20


def test_pydicom_reads_a_ct_slice_as_written() -> None:
    one = corpus.ct_slice(corpus.visit("ct", 5), 5, 77)
    dataset = _read(one)
    assert (dataset.SOPInstanceUID, dataset.InstanceNumber, dataset.Modality) == (one.sop_uid, 77, "CT")
    assert dataset.PixelData == one.frame(1)
    assert len(dataset) > 60
    assert 525_000 < len(one.dataset) < 535_000


def test_an_exam_has_each_view_of_each_breast() -> None:
    views = [_read(one) for one in corpus.mammogram_exam(3)]
    assert {(one.ImageLaterality, one.ViewPosition) for one in views} == {
        (laterality, view) for laterality in "LR" for view in ("CC", "MLO")
    }
    assert all(len(one.PixelData) == 2560 * 3328 * 2 for one in views)


def test_tomosynthesis_frames_differ_and_sum_to_the_stated_size() -> None:
    volume = corpus.tomosynthesis(2, frames=60)
    assert 157_000_000 < len(volume.header) + len(volume.pixels) < 158_000_000
    assert len({volume.frame(number) for number in range(1, 61)}) == 60


def test_small_objects_are_small_and_belong_to_studies_of_their_own() -> None:
    many = list(corpus.small_studies(300))
    assert len({one.study_uid for one in many}) == 300
    assert all(1_000 < len(one.part10) < 2_000 for one in many)
    assert {str(_read(one).Modality) for one in many[:3]} == {"SR", "KO", "PR"}


def test_the_rare_family_has_ten_studies_however_many_there_are() -> None:
    bearers = [n for n in range(2_000) if small_visit(n).patient_name.startswith(corpus.RARE_FAMILY)]
    assert len(bearers) == 10
    assert max(bearers) < 100
