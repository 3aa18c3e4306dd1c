"""What a command says: people read lines and tables, programs read one JSON document (`--json`)."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's answer goes. Lines and tables are for people: under --json they are not written."""

    as_json: bool

    def say(self, text: str = "") -> None:
        """A line on stdout."""
        if not self.as_json:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table on stdout: drawn by rich on a terminal, columns apart by two spaces elsewhere."""
        if self.as_json:
            return
        texts = [[str(value) for value in row] for row in rows]
        if sys.stdout.isatty():
            from rich.console import Console
            from rich.table import Table
            from rich.text import Text

            drawn = Table(*columns, box=None, pad_edge=False, header_style="bold")
            for row in texts:
                drawn.add_row(*(Text(value) for value in row))
            Console().print(drawn)
            return
        widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
        for row in [list(columns), *texts]:
            self.say("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())

    def result(self, value: Mapping[str, object] | Sequence[object]) -> None:
        """The whole answer as one JSON document on stdout, under --json only."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")
            sys.stdout.flush()


class Ticker:
    """A line on stderr that says how far a long command is, on a terminal only, a few times a second."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._next = 0.0

    def show(self, text: Callable[[], str]) -> None:
        """Replace the line; `text` is only asked when it is time."""
        if self._on and time.monotonic() >= self._next:
            self._next = time.monotonic() + 0.2
            sys.stderr.write(f"\r\x1b[K{text()}")
            sys.stderr.flush()

    def done(self) -> None:
        """Take the line away."""
        if self._on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def printable(text: str) -> str:
    """A value of an object for a terminal: what would steer it, or turn its lines around, is shown as a dot."""
    return "".join(c if c.isprintable() else "·" for c in text)


def when(since_1970_ms: int) -> str:
    """A time as people say it, in this machine's zone."""
    return datetime.fromtimestamp(since_1970_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def size(size_bytes: float) -> str:
    """A size as people say it: 1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if abs(size_bytes) < 1024:
            return f"{size_bytes:.0f} {unit}" if unit == "bytes" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} TiB"
