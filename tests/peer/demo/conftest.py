"""One loaded demonstration for all its tests: making it takes half a minute."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.fileroom import FileroomServer


@dataclass(frozen=True, slots=True)
class Loaded:
    """An archive that holds the demonstration and nothing else; nobody serves it."""

    home: Path
    said: Any  # by `fileroom demo --json`


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Loaded beside a running server, as the README says."""
    home = tmp_path_factory.mktemp("demonstration") / "home"
    server = FileroomServer(home)
    try:
        done = server.run("demo", "--json", timeout_seconds=400)
        assert done.returncode == 0, done.stderr
        assert server.stop() == 0
    finally:
        server.close()
    yield Loaded(home, json.loads(done.stdout))
    shutil.rmtree(home)


@pytest.fixture
def demonstrated(
    loaded: Loaded, tmp_path: Path, start_fileroom: Callable[..., FileroomServer]
) -> Iterator[FileroomServer]:
    """A running server of a test's own, on a copy."""
    home = tmp_path / "demonstrated"
    shutil.copytree(loaded.home, home)
    server = start_fileroom(home)
    yield server
    server.close()
    shutil.rmtree(home)
