"""Question 3: CAIQ or HECVAT."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "security-questionnaire",
    3,
    "CAIQ or HECVAT",
    "a CAIQ or HECVAT of the last 12 months was reviewed",
    Role.EVIDENCE,
    SUPPLIER,
)
