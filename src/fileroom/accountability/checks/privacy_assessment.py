"""Question 1: privacy assessment."""

from __future__ import annotations

from fileroom.accountability.clauses import RISK
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "privacy-assessment",
    1,
    "privacy assessment",
    "the privacy assessment is of the last 12 months",
    Role.PRIVACY,
    RISK,
)
