"""The synthetic objects are what they claim to be, by the judgement of a validator that is not ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fileroom.demo import computed, mammography, radiograph, resonance, ultrasound
from fileroom.demo.objects import Planned

MAMMOGRAMS = list(mammography.plan())
CHESTS, HEADS, SOUNDS = list(computed.plan()), list(resonance.plan()), list(ultrasound.plan())
OBJECTS: dict[str, Planned] = {
    "mammogram of 2560 x 3328, R CC": MAMMOGRAMS[4],
    "mammogram L CC": MAMMOGRAMS[5],
    "mammogram R MLO": MAMMOGRAMS[6],
    "mammogram L MLO": MAMMOGRAMS[7],
    "inverted mammogram": MAMMOGRAMS[8],
    "mammogram of 14 bit": MAMMOGRAMS[13],
    "compressed mammogram": MAMMOGRAMS[23],
    "tomosynthesis": MAMMOGRAMS[24],
    "CT slice, native": CHESTS[-1],
    "CT slice, compressed": CHESTS[0],
    "radiograph": next(radiograph.plan()),
    "MR slice, sagittal": HEADS[0],
    "MR slice, T2": HEADS[40],
    "MR slice, FLAIR": HEADS[41],
    "ultrasound": SOUNDS[0],
    "ultrasound clip": SOUNDS[1],
}


@pytest.mark.parametrize("name", OBJECTS)
def test_the_validator_finds_no_error_in_a(name: str, dciodvfy: str, tmp_path: Path) -> None:
    path = tmp_path / "object.dcm"
    path.write_bytes(OBJECTS[name].make())
    verdict = subprocess.run([dciodvfy, path], capture_output=True, text=True, timeout=60, check=False)
    errors = [line for line in (verdict.stdout + verdict.stderr).splitlines() if line.startswith("Error")]
    assert (verdict.returncode, errors) == (0, [])
