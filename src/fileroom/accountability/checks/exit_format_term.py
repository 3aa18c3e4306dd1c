"""Question 7: contract term: format."""

from __future__ import annotations

from fileroom.accountability.clauses import LEAVING
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "exit-format-term",
    7,
    "contract term: format",
    "the contract states the format in which images are handed over",
    Role.EXIT,
    LEAVING,
)
