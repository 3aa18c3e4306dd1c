"""Question 7: contract term: storage duration."""

from __future__ import annotations

from fileroom.accountability.clauses import LEAVING
from fileroom.accountability.documented import FAILS, PASSES, documented
from fileroom.evidence.check import Role

__all__ = ["CHECK", "FAILS", "PASSES"]

CHECK = documented(
    "exit-duration-term",
    7,
    "contract term: storage duration",
    "the contract states how long images are kept at the end",
    Role.EXIT,
    LEAVING,
)
