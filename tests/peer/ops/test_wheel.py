"""What is installed from the wheel is whole: revisions, templates and static files are in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house.tree import ROOT, tracked


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    wanted = {path.relative_to(ROOT) for path in tracked() if path.is_relative_to(ROOT / "src")}
    for path in [*wanted, Path("pyproject.toml"), Path("README.md"), Path("LICENSE")]:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, source]
    subprocess.run(build, check=True, capture_output=True, timeout=100)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert {path.relative_to("src").as_posix() for path in wanted} <= held
    assert "fileroom/migrations/versions/v0001_first_tables.py" in held
