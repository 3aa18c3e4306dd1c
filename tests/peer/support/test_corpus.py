"""The synthesised objects are what they claim to be, by the judgement of a validator that is not ours."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import corpus


def _view(place: int) -> corpus.Instance:
    return list(corpus.mammogram_exam(1))[place]


MAKERS: dict[str, Callable[[], corpus.Instance]] = {
    "CT slice": lambda: next(corpus.ct_study(1)),
    "mammogram L CC": lambda: _view(0),
    "mammogram R CC": lambda: _view(1),
    "mammogram L MLO": lambda: _view(2),
    "mammogram R MLO": lambda: _view(3),
    "tomosynthesis": lambda: corpus.tomosynthesis(1),
    "structured report": lambda: corpus.small_study(0),
    "key object note": lambda: corpus.small_study(1),
    "presentation state": lambda: corpus.small_study(2),
}


@pytest.mark.parametrize("name", MAKERS)
def test_the_validator_finds_no_error_in_a(name: str, dciodvfy: str, tmp_path: Path) -> None:
    path = MAKERS[name]().write(tmp_path / "object.dcm")
    verdict = subprocess.run([dciodvfy, path], capture_output=True, text=True, timeout=60, check=False)
    errors = [line for line in (verdict.stdout + verdict.stderr).splitlines() if line.startswith("Error")]
    assert (verdict.returncode, errors) == (0, [])


def test_the_validator_does_find_an_error_where_there_is_one(dciodvfy: str, tmp_path: Path) -> None:
    broken = next(corpus.ct_study(1)).part10.replace(b"MONOCHROME2", b"NONSENSE   ")
    (tmp_path / "broken.dcm").write_bytes(broken)
    verdict = subprocess.run([dciodvfy, tmp_path / "broken.dcm"], capture_output=True, text=True, check=False)
    assert "Error" in verdict.stderr + verdict.stdout
