"""Question 7: contract term: scope retained."""

from __future__ import annotations

from fileroom.accountability.clauses import LEAVING
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "exit-scope-term",
    7,
    "contract term: scope retained",
    "the contract states what is handed over and what is kept back",
    Role.EXIT,
    LEAVING,
)
