"""Question 3: MDS2."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "mds2",
    3,
    "MDS2",
    "an MDS2 for this release was reviewed",
    Role.EVIDENCE,
    SUPPLIER,
)
