"""Lines of the table: the figures of both sides, what they must be, and whether they are."""

from __future__ import annotations

from dataclasses import dataclass

from benches.measure import Series
from benches.sides import FILEROOM, ORTHANC, Side

HEAD = (
    "| path | Fileroom | Orthanc | ratio | CPU an object, Fileroom / Orthanc | limit | share of limit | must | met |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. Ratios are Fileroom over Orthanc, larger is better for Fileroom."""

    path: str
    fileroom: str
    orthanc: str = ""
    ratio: str = ""
    cpu: str = ""
    limit: str = ""
    share: str = ""
    must: str = ""
    met: str = ""

    def markdown(self) -> str:
        cells = (
            self.path, self.fileroom, self.orthanc, self.ratio, self.cpu, self.limit, self.share, self.must, self.met,
        )  # fmt: skip
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


@dataclass(frozen=True, slots=True)
class Demand:
    """What the row must reach, as factors over Orthanc; 0 is not demanded."""

    rate: float = 0.0
    cpu: float = 0.0  # objects for each CPU second
    reach: str = ""  # what to reach for, in words
    reach_share: float = 0.0  # of the limit

    def text(self) -> str:
        parts = [f"{self.rate:g}x"] if self.rate else []
        parts += [f"{self.cpu:g}x a CPU-second"] if self.cpu else []
        reach = self.reach or (f"{self.reach_share:g} of limit" if self.reach_share else "")
        return ", ".join(parts) + (f" (reach {reach})" if reach else "")


def compare(
    path: str,
    series: dict[str, Series],
    sides: list[Side] | tuple[Side, ...],
    demand: Demand,
    *,
    unit: str = "/s",
    limit: float = 0.0,
    limit_name: str = "",
    scale: float = 1.0,
) -> Line:
    """One line of rates. `scale` turns the counted things a second into `unit`."""
    failures = {side.name: side.failed for side in sides if side.failed}
    ours, theirs = series.get(FILEROOM), series.get(ORTHANC)
    ratio = ours.rate / theirs.rate if ours and theirs else 0.0
    cpu = theirs.cpu / ours.cpu if ours and theirs else 0.0
    share = ours.rate / limit if ours and limit else 0.0
    return Line(
        path=path,
        fileroom=_rate(ours, unit, scale) if ours else f"failed: {failures.get(FILEROOM, 'not started')[:160]}",
        orthanc=_rate(theirs, unit, scale) if theirs else f"failed: {failures.get(ORTHANC, 'not started')[:160]}",
        ratio=f"{ratio:.2f}x" if ratio else "",
        cpu=f"{_ms(ours)} / {_ms(theirs)}" + (f" ({cpu:.1f}x)" if cpu else ""),
        limit=f"{limit_name} {limit * scale:,.0f}{unit}" if limit else "",
        share=f"{share:.2f}" if share else "",
        must=demand.text(),
        met=verdict(ratio, cpu, demand) if ours and theirs else ("no" if theirs else ""),
    )


def verdict(ratio: float, cpu: float, demand: Demand) -> str:
    """Whether the demand is met. Differences under 25 % on the clock are judged in CPU an object."""
    if not demand.rate and not demand.cpu:
        return ""
    close = 0.8 < ratio < 1.25
    by_rate = not demand.rate or (max(cpu, ratio) >= demand.rate if close else ratio >= demand.rate)
    by_cpu = not demand.cpu or cpu >= demand.cpu
    word = "yes" if by_rate and by_cpu else "no"
    return f"{word} (CPU)" if close and demand.rate else word


def _rate(series: Series, unit: str, scale: float) -> str:
    rate = series.rate * scale
    shown = f"{rate:,.0f}" if rate >= 20 else f"{rate:.3g}"
    return f"{shown}{unit}, p50 {_seconds(series.latency(0.5))}, p95 {_seconds(series.latency(0.95))}"


def _seconds(value: float) -> str:
    return f"{value * 1000:.3g} ms" if value < 10 else f"{value:.1f} s"


def _ms(series: Series | None) -> str:
    return f"{series.cpu * 1000:.3g} ms" if series else "-"
