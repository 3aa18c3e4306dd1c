"""All objects of the demonstration, named before any of them is made."""

from __future__ import annotations

from fileroom.demo import computed, mammography, radiograph, resonance, samples, ultrasound
from fileroom.demo.objects import Planned


def everything() -> list[Planned]:
    """What a demonstration loads on this machine: mammograms first, real samples last, where there are any."""
    rooms = (mammography, ultrasound, computed, radiograph, resonance, samples)
    return [planned for room in rooms for planned in room.plan()]
