"""Question 3: SOC 2 Type II report."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "soc2-report",
    3,
    "SOC 2 Type II report",
    "a SOC 2 Type II report was reviewed",
    Role.EVIDENCE,
    SUPPLIER,
)
