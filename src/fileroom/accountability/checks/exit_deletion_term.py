"""Question 7: contract term: deletion."""

from __future__ import annotations

from fileroom.accountability.clauses import DELETION
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "exit-deletion-term",
    7,
    "contract term: deletion",
    "the contract states when and how images are deleted",
    Role.EXIT,
    DELETION,
)
