"""The demonstration is of people nobody takes for real, its objects are the same every time, and look the right way."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from fileroom.demo import computed, mammography, resonance, samples
from fileroom.demo.breast import Breast, Frame, projection
from fileroom.demo.catalogue import everything
from fileroom.demo.chest import Chest


def header(raw: bytes) -> Dataset:
    return dcmread(io.BytesIO(raw))


def test_every_uid_is_its_own_and_a_valid_one() -> None:
    planned = everything()
    uids = [one.sop_uid for one in planned]
    assert len(set(uids)) == len(uids) > 390
    assert all(re.fullmatch(r"2\.25\.[1-9][0-9]*", uid) and len(uid) <= 64 for uid in uids)


def test_it_is_planned_and_made_the_same_every_time() -> None:
    one, other = everything(), everything()
    assert [(p.study_uid, p.sop_uid) for p in one] == [(p.study_uid, p.sop_uid) for p in other]
    place = next(n for n, planned in enumerate(resonance.plan()) if n == 40)
    first, second = (list(resonance.plan())[place].make() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("planned", [next(computed.plan()), next(resonance.plan())], ids=["CT", "MR"])
def test_nobody_takes_its_people_for_real(planned: object) -> None:
    dataset = header(planned.make())  # type: ignore[attr-defined]
    assert dataset.SOPInstanceUID == planned.sop_uid  # type: ignore[attr-defined]
    assert str(dataset.PatientName).startswith("Demo-")
    assert dataset.PatientID.startswith("DEMO-")
    assert dataset.InstitutionName == dataset.IssuerOfPatientID == "Fileroom Demonstration"


def test_every_mammography_has_a_prior_and_four_views() -> None:
    patients = [exam.visit.person.patient_id for exam in mammography.EXAMS]
    assert sorted(patients) == sorted(2 * list(dict.fromkeys(patients)))
    assert len(set(patients)) == 3
    for earlier, later in zip(mammography.EXAMS[::2], mammography.EXAMS[1::2], strict=True):
        assert earlier.visit.person == later.visit.person
        assert earlier.visit.date < later.visit.date


@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_a_breast_lies_at_the_chest_wall_and_is_black_outside(view: str) -> None:
    image = projection(Breast("test", "L", 90, 0.4), view, Frame(574, 479, 0.4))
    assert image[:, 0].mean() > 0.15
    assert image[:, -60:].max() == 0
    if view == "CC":
        assert image[:20].max() == 0


def test_the_muscle_is_seen_at_the_top_of_an_oblique_view() -> None:
    image = projection(Breast("test", "L", 90, 0.1), "MLO", Frame(574, 479, 0.4))
    assert image[20:120, 5:40].mean() > 1.4 * image[400:480, 5:40].mean()


def test_a_mass_that_came_is_where_the_prior_has_none() -> None:
    """In both views, at the same distance from the nipple."""
    current, prior = mammography.EXAMS[1].left, mammography.EXAMS[0].left
    assert [lesion.kind for lesion in current.lesions] == ["spiculated"]
    assert prior.lesions == ()
    without = Breast(current.person, current.side, current.depth, current.density)
    frame = Frame(574, 479, 0.4)
    for view in ("CC", "MLO"):
        difference = projection(current, view, frame) - projection(without, view, frame)
        _, column = np.unravel_index(int(np.argmax(difference)), difference.shape)
        assert difference.max() > 0.1
        assert 30 < column * frame.spacing < 75


def test_hounsfield_units_are_those_of_lung_fluid_and_bone() -> None:
    image = Chest("test", 0).slice(140)
    assert image[250, 150] < -700  # lung
    assert 150 < np.median(image[318:326, 284:292]) < 280  # aorta, with contrast
    assert image.max() > 600
    assert image[5, 5] == -1024


def test_a_sample_keeps_nothing_of_whom_it_came_from() -> None:
    planned = list(samples.plan())
    if not planned:
        pytest.skip("pydicom-data is not installed")
    for one in planned:
        raw = one.make()
        dataset = header(raw)
        assert str(dataset.PatientName) == "Demo-Sample^Various"
        assert not any(element.tag.is_private for element in dataset.iterall())
        assert b"CompressedSamples" not in raw[: len(raw) - len(dataset.PixelData)]
