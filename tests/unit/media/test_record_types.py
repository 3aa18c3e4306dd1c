"""Which record an object gets: pydicom's table is the oracle."""

from __future__ import annotations

import pytest
from pydicom.fileset import _FOUR_LEVEL_SOP_CLASSES

from fileroom.dicom.storage_classes import STORAGE_CLASSES
from fileroom.media.record_types import KEYS, record_type

# "VALUE MAP" etc. agree; where pydicom differs from PS3.3 F.4 stands here with the reason
DIFFERENT: dict[str, str] = {}


@pytest.mark.parametrize(("uid", "expected"), sorted(_FOUR_LEVEL_SOP_CLASSES.items()))
def test_a_class_has_the_record_type_of_the_standard(uid: str, expected: str) -> None:
    assert record_type(uid, has_pixels=False) == DIFFERENT.get(uid, expected)


@pytest.mark.parametrize("uid", STORAGE_CLASSES)
def test_every_class_has_one_whose_keys_are_known(uid: str) -> None:
    assert record_type(uid, has_pixels=True) in KEYS


def test_what_has_no_type_of_its_own_is_an_image_or_private() -> None:
    assert record_type("1.2.840.10008.5.1.4.1.1.2", has_pixels=True) == "IMAGE"
    assert record_type("1.2.826.0.1.3680043.9", has_pixels=True) == "IMAGE"
    assert record_type("1.2.826.0.1.3680043.9", has_pixels=False) == "PRIVATE"
