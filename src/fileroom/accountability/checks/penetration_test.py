"""Question 3: penetration test."""

from __future__ import annotations

from fileroom.accountability.clauses import RISK
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "penetration-test",
    3,
    "penetration test",
    "a penetration test of the last 12 months was reviewed",
    Role.EVIDENCE,
    RISK,
)
