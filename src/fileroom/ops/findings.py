"""Findings of scrub, rebuild-index and heal, as commands tell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fileroom.archive.members import FINDINGS, Finding
from fileroom.ops.output import Output


def tell(out: Output, findings: Sequence[Finding]) -> None:
    """Say each finding, then what the kinds among them mean."""
    for finding in findings:
        what = f" object {finding.sop_uid} of study {finding.study_uid}" if finding.sop_uid else ""
        detail = f": {finding.detail}" if finding.detail else ""
        out.say(f"{finding.kind}: pack {finding.pack_id:016x} at {finding.offset}{what}{detail}")
    for kind, count in sorted(Counter(finding.kind for finding in findings).items()):
        out.say(f"  {kind} ({count}): {FINDINGS.get(kind, '')}")


def plain(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """The findings for --json."""
    return [
        {
            "kind": finding.kind,
            "meaning": FINDINGS.get(finding.kind, ""),
            "pack": f"{finding.pack_id:016x}",
            "offset": finding.offset,
            "detail": finding.detail,
            "study_uid": finding.study_uid,
            "series_uid": finding.series_uid,
            "sop_uid": finding.sop_uid,
        }
        for finding in findings
    ]
