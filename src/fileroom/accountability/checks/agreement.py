"""Question 3: agreement on patient data."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "agreement",
    3,
    "agreement on patient data",
    "the agreement on patient data is signed and runs",
    Role.PRIVACY,
    SUPPLIER,
)
