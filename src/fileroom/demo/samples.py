"""Real images among the synthetic ones, where the package pydicom-data happens to be installed.

Only images that were made public as samples for compression and exchange are taken, each under a new name, with new
UIDs and dates and nothing of its former header but what describes the picture. None of them is part of Fileroom.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.uid import UID, ComputedRadiographyImageStorage, MRImageStorage

from fileroom.demo.objects import Planned, Series, native_bytes
from fileroom.demo.people import SAMPLES, Visit, uid

_CR, _MR = ComputedRadiographyImageStorage, MRImageStorage
_FILES = (
    ("RG1_UNCR.dcm", _CR, Visit(SAMPLES, "20220315", "090000", "DEMO-0009-CR22", "CHEST", "CR", "CHEST")),
    ("RG3_UNCR.dcm", _CR, Visit(SAMPLES, "20230420", "093000", "DEMO-0009-CR23", "TIBIA", "CR", "LEG")),
    ("MR2_UNCR.dcm", _MR, Visit(SAMPLES, "20240611", "101500", "DEMO-0009-MR24", "MR SHOULDER", "MR", "SHOULDER")),
)
# What describes the picture; patient, people, places, times and private elements stay behind
_KEPT = """SamplesPerPixel PhotometricInterpretation PlanarConfiguration Rows Columns BitsAllocated BitsStored HighBit
PixelRepresentation PixelSpacing ImagerPixelSpacing WindowCenter WindowWidth RescaleIntercept RescaleSlope RescaleType
ImageType ViewPosition PatientOrientation ImagePositionPatient ImageOrientationPatient SliceThickness
SpacingBetweenSlices RepetitionTime EchoTime EchoTrainLength ScanningSequence SequenceVariant ScanOptions
MRAcquisitionType MagneticFieldStrength FlipAngle KVP PixelAspectRatio""".split()  # noqa: SIM905


def folder() -> Path | None:
    """Where the package keeps its files; None when it is not installed."""
    spec = find_spec("data_store")
    found = Path(spec.origin).parent / "data" if spec is not None and spec.origin else None
    return found if found is not None and found.is_dir() else None


def plan() -> Iterator[Planned]:
    """Those of the images that are here."""
    here = folder()
    for name, sop_class, visit in _FILES:
        if here is not None and (here / name).is_file():
            yield _plan_sample(here / name, sop_class, visit)


def _plan_sample(path: Path, sop_class: UID, visit: Visit) -> Planned:
    return Series(visit, 1, visit.description, sop_class).plan(1, lambda header: _sample(header, path))


def _sample(dataset: Dataset, path: Path) -> bytes:
    original = dcmread(path)
    for keyword in _KEPT:
        if keyword in original:
            dataset[keyword] = original[keyword]
    if dataset.Modality == "MR":
        dataset.FrameOfReferenceUID = uid(dataset.AccessionNumber, "frame of reference")
        dataset.PositionReferenceIndicator = ""
        dataset.PatientPosition = "HFS"
    if dataset.BodyPartExamined != "CHEST":
        dataset.Laterality = ""
    if not any(dataset.get("PixelSpacing") or [0]):  # one of them says that its points have no size
        dataset.pop("PixelSpacing", None)
    return native_bytes(dataset, original.PixelData, original["PixelData"].VR)
