"""The retrieve rows again, with 20,000 studies in the archive: no slower than before, beyond noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from benches.bench import Bench
from benches.rows import frames, study
from benches.table import Line

_NOISE = 0.8  # a share of the earlier rate that this machine's noise explains
_ROWS: dict[str, Callable[[Bench], list[Line]]] = {
    "CT frames at random, 4 clients": frames.run_ct,
    "CT study by WADO-RS, as stored, 1 client": lambda bench: [study.wado_line(bench, 1)],
    "CT study by C-GET": study.run_get,
}


def measure_before(bench: Bench) -> None:
    """Each row at 100 studies, unless it was measured already."""
    for name, row in _ROWS.items():
        if name not in bench.figures:
            row(bench)


def run(bench: Bench) -> list[Line]:
    """Each row's limit is Fileroom's own rate before the crowd came in."""
    before = dict(bench.figures)
    return [_against(line, bench, before) for row in _ROWS.values() for line in row(bench)]


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
