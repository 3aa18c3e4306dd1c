"""ARCHITECTURE.md speaks of what is there."""

from __future__ import annotations

import re

from tests.house.tree import ROOT, SOURCE

TEXT = (ROOT / "ARCHITECTURE.md").read_text()


def test_every_test_it_names_exists() -> None:
    named = re.findall(r"`(tests/[\w./]+)`", TEXT)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_module_it_names_exists() -> None:
    named = re.findall(r"`((?:archive|dicom|dicomweb|dimse|net|ops|web|migrations)/[\w./]+)`", TEXT)
    assert len(named) > 8
    places = [SOURCE / name for name in named]
    assert [str(place) for place in places if not place.exists() and not place.with_suffix(".py").exists()] == []


def test_every_room_is_in_it() -> None:
    rooms = [path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()]
    assert [room for room in rooms if room not in TEXT] == []
