"""Rooms import downward only, and nothing happens at import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT, SOURCE


def test_rooms_import_downward_only() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    verdict = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert verdict.returncode == 0, verdict.stdout


def test_the_format_room_opens_nothing_and_reads_no_settings() -> None:
    words = ("import socket", "import sqlite3", "sqlalchemy", "fileroom.settings", "import subprocess", "os.environ")
    guilty = [
        f"{path.name}: {word}"
        for path in (SOURCE / "dicom").rglob("*.py")
        for word in words
        if word in path.read_text()
    ]
    assert guilty == []


# Who may read the environment besides `ops`, and why.
ENVIRONMENT: dict[str, str] = {"archive/workers.py": "hands a few names (PATH, LANG ...) on to its child processes"}


def test_the_environment_is_read_in_ops_alone() -> None:
    readers = [
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if ("os.environ" in path.read_text() or "getenv(" in path.read_text()) and "ops" not in path.parts
    ]
    assert readers == list(ENVIRONMENT)


def test_the_help_of_the_command_line_imports_nothing_heavy() -> None:
    script = (
        "import sys, fileroom.ops.cli; print(*[n for n in ('numpy', 'imagecodecs', 'sqlalchemy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
