"""The retrieve rows again, with 20,000 studies in the archive: no slower than before, beyond noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from benches.bench import Bench
from benches.rows import frames, study
from benches.table import Line

_NOISE = 0.8  # a share of the earlier rate that this machine's noise explains
_ROWS: tuple[Callable[[Bench], list[Line]], ...] = (
    frames.run_ct,
    lambda bench: [study.wado_line(bench, 1)],
    study.run_get,
)


def run(bench: Bench) -> list[Line]:
    """Each row's limit is Fileroom's own rate before the crowd came in; asked now when it was not yet."""
    if bench.library.small <= 100 and not bench.figures:
        for row in _ROWS:
            row(bench)
    bench.library.crowd()
    before = dict(bench.figures)
    return [_against(line, bench, before) for row in _ROWS for line in row(bench)]


def _against(line: Line, bench: Bench, before: dict[str, float]) -> Line:
    earlier, now = before.get(line.path), bench.figures.get(line.path)
    named = replace(
        line, path=f"{line.path}, 20,000 studies", must=f"{_NOISE:g} of the rate at 100 studies", limit="", share=""
    )
    if not earlier or not now:
        return replace(named, met="")
    share = now / earlier
    return replace(
        named, limit=f"at 100: {earlier:,.0f}/s", share=f"{share:.2f}", met="yes" if share >= _NOISE else "no"
    )
