"""Question 2: role definitions."""

from __future__ import annotations

from fileroom.accountability.clauses import ACCESS
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "role-definitions",
    2,
    "role definitions",
    "it is written down what each role may do",
    Role.ACCESS,
    ACCESS,
)
