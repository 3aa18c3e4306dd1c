"""Shared by every tier: real peers as fixtures, and the same random numbers every run."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.support.fixtures import (  # noqa: F401 - a fixture is found by being here
    database_url,
    dciodvfy,
    dcmtk,
    fileroom_server,
    free_port,
    orthanc,
    postgres,
    postgres_server,
    real_objects,
    small_disk,
    start_fileroom,
)

# No deadline: a noisy two-core machine must not turn a slow moment into a failure.
settings.register_profile("fileroom", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("soak", parent=settings.get_profile("fileroom"), derandomize=False, max_examples=5000)
settings.load_profile("soak" if os.environ.get("FILEROOM_SOAK") else "fileroom")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own FILEROOM_* settings must not decide how a test ends."""
    for name in [name for name in os.environ if name.startswith("FILEROOM_") and name != "FILEROOM_SOAK"]:
        monkeypatch.delenv(name)
