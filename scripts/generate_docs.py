"""`make docs`: writes the pages under docs/ that are made from the code's own tables. `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from scripts.pages import commands, conformance, settings, statuses

ROOT = Path(__file__).resolve().parents[1]
NOTICE = "<!-- Made by `make docs` from the code; changes belong there. -->\n\n"

PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings.page,
    "docs/commands.md": commands.page,
    "docs/conformance.md": conformance.page,
    "docs/statuses.md": statuses.page,
}


def pages() -> dict[Path, str]:
    """Every generated page as it must be now."""
    return {ROOT / name: NOTICE + make().strip() + "\n" for name, make in PAGES.items()}


def main() -> int:
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not up to date: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(pages()[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
