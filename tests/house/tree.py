"""What the house rules are checked on: this tree's source files and tracked files."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "fileroom"


@cache
def modules() -> tuple[Path, ...]:
    """Every Python file of the product, the tests, the benchmark and the scripts."""
    folders = (SOURCE, ROOT / "tests", ROOT / "benches", ROOT / "scripts")
    return tuple(sorted(path for folder in folders for path in folder.rglob("*.py")))


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks, or would: new ones that are not ignored count."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    )
    names = [name.decode() for name in listing.stdout.split(b"\0") if name]
    return tuple(sorted(path for path in (ROOT / name for name in names) if path.is_file()))


def shown(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()
