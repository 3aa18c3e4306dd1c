"""Question 5: support schedule."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "support-schedule",
    5,
    "support schedule",
    "it is written down when whom to call",
    Role.SUPPORT,
    SUPPLIER,
)
